"""`aura service`: the bot as a systemd service of this user, so that it is always on."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.invocation import asynchronously, remark, settings
from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.cli.systemd import Unit
    from agent.config import AppConfig

Name = Annotated[str, typer.Option(help="Of the service; another one for each further AURA_HOME.")]
DEFAULT_NAME = "aura-bot"
UP_SECONDS = 60.0
"""So long a bot may take until commands reach it."""
SETTLED_SECONDS = 3.0
"""After which a bot whose token Telegram refuses has ended."""
SYSTEMD_SECONDS = 60.0
WITHOUT_SYSTEMD = (
    "Start `aura bot` with what starts programs on this machine; docs/operations.md shows how with cron and launchd."
)


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    group = typer.Typer(help="The bot as a systemd service of yours: install, status, remove.", no_args_is_help=True)
    group.command("install")(install)
    group.command("status")(status)
    group.command("remove")(remove)
    app.add_typer(group, name="service")


def install(name: Name = DEFAULT_NAME) -> int:
    """Keep the bot running, also after a restart of the machine. Again after an upgrade or with other settings."""
    return asynchronously(_install(name))


async def _install(name: str) -> int:
    from agent.channels.telegram.bot import HOW_TO_BEGIN

    config = settings()
    unit = _unit(name, config)
    if config.telegram.token is None:
        raise AgentError(HOW_TO_BEGIN)
    _need_systemd()
    _refuse_another(unit)
    if not _is_active(unit):
        _refuse_a_home_in_use(config.home)
    _write(unit)
    _systemctl("daemon-reload")
    _systemctl("enable", unit.name)
    _systemctl("restart", unit.name)
    said = await _wait_until_up(config.home)
    if not said:
        remark(f"The service is installed, but no bot is up. What it says: journalctl --user -u {unit.name} -e", "red")
        return 1
    remark(f"{said} runs, and is started with this machine. Its log: journalctl --user -u {unit.name} -f")
    remark(_lingering())
    return 0


def status(name: Name = DEFAULT_NAME) -> int:
    """Say whether the service is there and its bot is up; exit code 1 if not."""
    return asynchronously(_status(name))


async def _status(name: str) -> int:
    config = settings()
    unit = _unit(name, config)
    if not unit.path.is_file():
        remark(f"There is no service {unit.name}; `aura service install` makes one.")
        return 1
    _need_systemd()
    who = await _who_works(config.home)
    up = f"{who} runs" if who else "no program can be reached"
    state, start = (_asked(question, unit.name) for question in ("is-active", "is-enabled"))
    remark(f"{unit.name} is {state} and {start}; {up} in {config.home}.")
    remark(f"Unit: {unit.path}\nEnvironment: {unit.environment_path}\nLog: journalctl --user -u {unit.name}")
    return 0 if state == "active" else 1


def remove(name: Name = DEFAULT_NAME) -> int:
    """Stop the bot and take the service away; AURA_HOME stays."""
    unit = _unit(name, settings())
    if not unit.path.is_file():
        remark(f"There is no service {unit.name}; nothing is changed.")
        return 0
    _need_systemd()
    _refuse_another(unit)
    _systemctl("disable", "--now", unit.name)
    unit.path.unlink(missing_ok=True)
    unit.environment_path.unlink(missing_ok=True)
    _systemctl("daemon-reload")
    remark(f"{unit.name} is stopped and removed. Everything in {unit.home} is still there.")
    return 0


def _unit(name: str, config: AppConfig) -> Unit:
    """The service of this home.

    Raises:
        AgentError: its name is none.
    """
    from agent.cli.systemd import Unit

    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise AgentError(f"--name {name!r} is not a name for a service; use letters, digits, - and _.")
    here = Path.cwd()
    needs_here = (here / "aura.yaml").is_file() or not all(folder.is_absolute() for folder in config.plan_folders)
    home = config.home.absolute()
    return Unit(name, home, here if needs_here else home)


def _refuse_another(unit: Unit) -> None:
    """Refuses to touch a service that is somebody else's, or another home's.

    Raises:
        AgentError: says which.
    """
    from agent.cli.systemd import MARK

    if not unit.path.is_file():
        return
    text = unit.path.read_text(encoding="utf-8")
    if not text.startswith(MARK):
        raise AgentError(f"{unit.path} was not written by Aura; choose another name with --name, or remove that file.")
    ours = next(line for line in unit.text().splitlines() if line.startswith("EnvironmentFile="))
    if ours not in text.splitlines():
        raise AgentError(
            f"{unit.path} is the service of another AURA_HOME. Set that AURA_HOME, or choose another name with --name."
        )


def _refuse_a_home_in_use(home: Path) -> None:
    """Refuses a home that another program has: the bot could not start.

    Raises:
        HomeInUseError: names the program.
    """
    from aura_core.storage.home_lock import HomeLock

    with HomeLock(home, "aura service install"):
        pass


def _write(unit: Unit) -> None:
    from agent.cli.systemd import environment_text
    from aura_core.storage.atomic_file import write_atomically

    path = unit.environment_path
    kept = path.read_text(encoding="utf-8") if path.is_file() else ""
    write_atomically(path, environment_text(os.environ, kept, AURA_HOME=os.fspath(unit.home)))
    unit.path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(unit.path, unit.text())


async def _wait_until_up(home: Path) -> str:
    """Waits until commands reach the bot, and still do when it has talked to Telegram; its name, or nothing."""
    import asyncio

    said, end = "", time.monotonic() + UP_SECONDS
    while not said and time.monotonic() < end:
        await asyncio.sleep(0.2)
        said = await _who_works(home)
    await asyncio.sleep(SETTLED_SECONDS if said else 0)
    return said if said == await _who_works(home) else ""


async def _who_works(home: Path) -> str:
    """The program that commands reach, with its process; empty if there is none."""
    from agent.channels.local.client import reached

    async with reached(home) as host:
        return "" if host is None else str(host)


def _lingering() -> str:
    """Makes services of this user run while nobody is logged in; says what to do where that is not allowed."""
    user = getpass.getuser()
    done = _run("loginctl", "enable-linger")
    if done is not None and done.returncode == 0:
        return "It also runs while you are not logged in (lingering is on)."
    return f"It ends when you log out, unless you say once: sudo loginctl enable-linger {user}"


def _need_systemd() -> None:
    """Makes sure that systemd runs services for this user.

    Raises:
        AgentError: it does not; says what to do instead.
    """
    if shutil.which("systemctl") is None:
        raise AgentError(f"There is no systemd on this machine. {WITHOUT_SYSTEMD}")
    done = _run("systemctl", "--user", "show", "--property=Version")
    if done is None or done.returncode:
        said = done.stderr.strip() if done is not None else "no answer"
        raise AgentError(
            f"systemd runs no services for you here ({said}). Log in as yourself, not with su or sudo, and try again. "
            f"Otherwise: {WITHOUT_SYSTEMD}"
        )


def _is_active(unit: Unit) -> bool:
    return _asked("is-active", unit.name) in ("active", "activating", "reloading")


def _asked(question: str, name: str) -> str:
    """What systemd answers in a word, e.g. active, inactive, failed; enabled, disabled."""
    done = _run("systemctl", "--user", question, name)
    return (done.stdout.strip() if done is not None else "") or "unknown"


def _systemctl(*words: str) -> None:
    """Has systemd do something.

    Raises:
        AgentError: it could not; in its words.
    """
    done = _run("systemctl", "--user", *words)
    if done is None or done.returncode:
        said = done.stderr.strip() if done is not None else f"no answer within {SYSTEMD_SECONDS:g} s"
        raise AgentError(f"systemctl --user {' '.join(words)} failed: {said}")


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    """Runs a program of systemd; None if it is not there or does not end."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SYSTEMD_SECONDS)  # noqa: S603 (fixed words, and a name that was checked)
    except (OSError, subprocess.TimeoutExpired):
        return None
