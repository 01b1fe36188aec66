"""`aura doctor`: what works here and what does not, one line each."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.channels.terminal.controls import printable
from agent.channels.terminal.signs import signs_for
from agent.cli.invocation import asynchronously, out, print_json, settings
from aura_core.errors import AuraError, HomeInUseError
from aura_core.ground.secrets import mask

if TYPE_CHECKING:
    from agent.app import App
    from agent.config import AppConfig

Verdict = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, what to do."""

    what: str
    verdict: Verdict
    text: str


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("doctor")(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
    seen: Annotated[bool, typer.Option("--seen", help="You have seen what was lost: it is not told again.")] = False,
) -> int:
    """Look at everything that Aura needs; exit code 1 if something is missing."""
    return asynchronously(_doctor(as_json=as_json, seen=seen))


async def _doctor(*, as_json: bool, seen: bool) -> int:
    config = settings()
    findings = [_python(), await _home(config), *_losses(config, seen=seen), *_foreign(config), _terminal()]
    findings += [_time_zone(config), _telegram(config), *await _inside(config)]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    return 1 if any(finding.verdict == "problem" for finding in findings) else 0


def _print(findings: list[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = out()
    states = signs_for(console.encoding).states
    marks = {"ok": states["ok"], "note": states["waiting"], "problem": states["error"]}
    table = Table.grid(padding=(0, 1))
    for finding in findings:
        mark, style = marks[finding.verdict]
        table.add_row(Text(mark, style=style), Text(finding.what, style="bold"), Text(printable(mask(finding.text))))
    console.print(table)


def _python() -> Finding:
    version = platform.python_version()
    return Finding("Python", "ok", f"{version} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")


async def _home(config: AppConfig) -> Finding:
    from agent.channels.local.client import reached
    from agent.home import PARTS
    from aura_core.storage.home_lock import HomeLock
    from aura_core.storage.schema import FILE_NAME, check_database

    try:
        async with reached(config.home) as host:
            if host is not None:
                return Finding("AURA_HOME", "ok", f"{config.home}, in use by {host}; commands reach it")
        with HomeLock(config.home, "aura doctor"):
            check_database(config.home / FILE_NAME, PARTS)
            return Finding("AURA_HOME", "ok", f"{config.home}, writable and free")
    except HomeInUseError as error:
        return Finding("AURA_HOME", "note", str(error))
    except AuraError as error:
        return Finding("AURA_HOME", "problem", str(error))


def _losses(config: AppConfig, *, seen: bool) -> list[Finding]:
    """What was damaged and set aside, and nobody has seen."""
    from aura_core.storage.losses import Losses

    losses = Losses(config.home)
    unseen = losses.unseen()
    if seen or sys.stdout.isatty():
        losses.seen(unseen)
    return [Finding("Lost", "note" if seen else "problem", text) for text in unseen]


def _foreign(config: AppConfig) -> list[Finding]:
    """The settings of a folder that nobody trusted."""
    if config.foreign_file is None:
        return []
    text = f"{config.foreign_file} does not count: if this folder is yours, `aura trust` says so once"
    return [Finding("Settings", "note", text)]


def _terminal() -> Finding:
    encoding = sys.stdout.encoding or "unknown"
    if signs_for(encoding) is signs_for("utf-8"):
        return Finding("Terminal", "ok", f"encoding {encoding}")
    return Finding("Terminal", "note", f"encoding {encoding}: plain characters are used; a UTF-8 locale shows more")


def _time_zone(config: AppConfig) -> Finding:
    """Whose clock is meant: that of the settings, or this machine's."""
    from datetime import UTC, datetime

    from agent.channels.terminal.person import terminal_person
    from agent.clock import on_clock_of

    profile = config.profile_of(terminal_person())
    if not profile.timezone:
        return _machine_zone()
    machine, shown = _machine_zone(), on_clock_of(profile, datetime.now(UTC))
    text = f"{profile.timezone}, {shown:%H:%M} now, from the settings, for plans, tasks, reminders and schedules alike"
    others = sorted(
        f"{one.name}: {one.timezone}" for one in config.all_profiles().values() if one.timezone != profile.timezone
    )
    text += f"; {', '.join(others)}" if others and any(one.people for one in config.profiles.values()) else ""
    return Finding("Time zone", "ok" if machine.verdict == "ok" else "note", f"{text}; this machine: {machine.text}")


def _machine_zone() -> Finding:
    """The clock of this machine, which is meant where the settings name none."""
    from datetime import UTC, datetime

    from aura_core.scheduler.zones import machine_timezone, zone_of

    name, now = machine_timezone(), datetime.now(UTC)
    there, shown = now.astimezone(zone_of(name)), now.astimezone()
    if there.utcoffset() != shown.utcoffset():
        text = f"{name}: {there:%H:%M} there, but this machine shows {shown:%H:%M}; set TZ, e.g. TZ=Europe/Berlin"
        return Finding("Time zone", "problem", text)
    wanted = os.environ.get("TZ", "").removeprefix(":")
    if name == "UTC" and wanted and wanted not in ("UTC", "UTC0") and not wanted.startswith("/"):
        text = f"TZ={wanted} names no zone, so it is UTC here, {there:%H:%M}; set a name such as Europe/Berlin"
        return Finding("Time zone", "note", text)
    if name.startswith("TZ="):
        text = (
            f"{name}, a rule without a name: {there:%H:%M} now; a name such as Europe/Berlin knows changes of law, too"
        )
        return Finding("Time zone", "note", text)
    return Finding("Time zone", "ok", f"{name}, {there:%H:%M} now")


def _telegram(config: AppConfig) -> Finding:
    if config.telegram.token is None:
        return Finding("Telegram", "note", "no bot: set TELEGRAM_TOKEN if you want one")
    if not config.telegram.owners:
        return Finding("Telegram", "problem", "a token is set, but nobody may use the bot: set AURA_TELEGRAM_OWNERS")
    return Finding("Telegram", "ok", f"token set, {len(config.telegram.owners)} owners")


async def _inside(config: AppConfig) -> list[Finding]:
    """What only an opened app knows: the model and the plans."""
    from agent.app import App

    try:
        async with App.open(config, program="aura doctor", durable=False) as app:
            return [await _model(app), *_plans(app)]
    except AuraError as error:
        return [Finding("Aura", "problem", str(error))]


async def _model(app: App) -> Finding:
    try:
        await app.model.check()
    except AuraError as error:
        return Finding("Model", "problem", str(error))
    return Finding("Model", "ok", app.model.describe())


def _plans(app: App) -> Iterator[Finding]:
    count = len(app.framework.plans.plans)
    yield Finding("Plans", "ok", f"{count} plans, {len(app.framework.plans.tasks())} tasks")
    for problem in app.framework.problems:
        yield Finding("Plans", "problem", str(problem))
