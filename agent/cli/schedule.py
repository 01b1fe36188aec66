"""`aura schedule`: jobs that run by themselves; list, add, remove and run them, also while a bot or chat is running."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.channels.terminal.controls import one_line, printable
from agent.cli.invocation import asynchronously, err, opened, out_wide, print_json, refuse_bytes, remark, settings

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from agent.app import App
    from agent.contracts import Profile
    from agent.schedules.owner import JobOwner
    from aura_core.scheduler.job import Job
    from aura_core.scheduler.triggers import Trigger

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job, as `aura schedule` names it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]
SHOWN = 40
"""Characters of an input in the list."""
WHO_RUNS_THEM = "Jobs run while `aura bot` or `aura chat` is running; one that is running takes this up within seconds."


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    group = typer.Typer(help="List jobs that run by themselves; add, remove or run one.", no_args_is_help=False)
    group.callback(invoke_without_command=True)(default)
    group.command("list")(list_jobs)
    group.command("add")(add)
    group.command("remove")(remove)
    group.command("run")(run)
    app.add_typer(group, name="schedule")


def default(context: typer.Context, as_json: AsJson = False) -> int:
    """Without a command: list."""
    return 0 if context.invoked_subcommand is not None else asynchronously(_list(as_json=as_json))


def list_jobs(as_json: AsJson = False) -> int:
    """List jobs, the next one first."""
    return asynchronously(_list(as_json=as_json))


def _opened() -> AbstractAsyncContextManager[App]:
    """An App that runs nothing."""
    return opened(settings(), "aura schedule", durable=False)


async def _list(*, as_json: bool) -> int:
    from agent.cli.mistakes import warn_of_refused
    from agent.schedules.status import known_jobs

    async with _opened() as app:
        listing = await known_jobs(app.framework.plans, app.schedules.jobs)
    if as_json:
        stopped = {"waits": listing.waiting, "gone": listing.gone}
        notes = {job.id: {key: found.get(job.id, "") for key, found in stopped.items()} for job in listing.jobs}
        print_json([{**_as_json(job, _mine(app)), **notes[job.id]} for job in listing.jobs])
    elif listing.jobs:
        _print_jobs(listing.jobs, _mine(app))
    elif not listing.unreadable:
        err().print("Nothing runs by itself yet. `aura schedule add --help` says how to change that.")
    for job, reason in listing.waiting.items():
        _remark(f"{job} waits: {reason}", style="yellow")
    for job, reason in listing.gone.items():
        _remark(f"{job} does not run: {reason}", style="yellow")
    for words in listing.unreadable:
        _remark(words, style="red")
    warn_of_refused(app.framework.problems + listing.problems)
    return 0


def _remark(words: str, style: str = "") -> None:
    """One line on standard error; people and plans may have written part of it."""
    remark(one_line(words), style=style)


def _as_json(job: Job, mine: Profile) -> dict[str, Any]:
    owner = _owner(job)
    return {
        "id": job.id,
        "task": job.task,
        "title": job.title,
        "inputs": job.inputs,
        "when": str(job.trigger),
        "next_at": _iso(job.next_at, mine),
        "last_at": _iso(job.last_at, mine),
        "last_status": job.last_status,
        "last_message": job.last_message,
        "missed": job.missed,
        "priority": job.priority,
        "source": job.source,
        "person": owner.person,
        "channel": owner.channel,
        "deliver": list(job.deliver),
    }


def _owner(job: Job) -> JobOwner:
    """Whose job it is; nobody's if that cannot be read, which is said apart."""
    from agent.schedules.owner import JobOwner, owner_of
    from aura_core.errors import ScheduleError

    try:
        return owner_of(job.owner)
    except ScheduleError:
        return JobOwner(person="?")


def _iso(moment: datetime | None, mine: Profile) -> str | None:
    from agent.clock import on_clock_of

    return on_clock_of(mine, moment).isoformat(timespec="seconds") if moment else None


def _mine(app: App) -> Profile:
    """The profile of whoever sits at this terminal; times are shown on its clock."""
    from agent.channels.terminal.person import terminal_person

    return app.profile_of(terminal_person())


def _print_jobs(jobs: list[Job], mine: Profile) -> None:
    from rich.table import Table
    from rich.text import Text

    from agent.clock import on_clock_of, zone_name

    zone = zone_name(mine)
    owners = {job.id: _owner(job).person or _plan_of(job) for job in jobs}
    several = len(set(owners.values())) > 1
    table = Table.grid(padding=(0, 2))
    for wraps in (False, False, False, True, False, False):
        table.add_column(no_wrap=not wraps, overflow="fold")
    for job in jobs:
        last = Text(f"last: {job.last_status}" if job.last_status else "", style=_style(job.last_status))
        at = f"{on_clock_of(mine, job.next_at):%Y-%m-%d %H:%M}" if job.next_at else "–"
        who = Text(one_line(owners[job.id]) if several else "", style="dim")
        what = Text(one_line(job.title if job.title and job.source == "person" else job.task))
        inputs = (f" {key}={shorten(str(value), SHOWN, placeholder='…')}" for key, value in job.inputs.items())
        what.append(printable("".join(inputs)), style="dim")
        table.add_row(
            Text(one_line(job.id)), at, Text(one_line(_rule(job.trigger, zone)), style="cyan"), what, who, last
        )
    out_wide().print(table)
    for job in jobs:
        if job.last_message:
            _remark(f"{job.id}: {job.last_message}", style="yellow")


def _plan_of(job: Job) -> str:
    """The plan of a job, and whom it tells."""
    return " ".join([f"plan {job.task.partition('/')[0]}", *(f"→ {name}" for name in job.deliver)])


def _rule(trigger: Trigger, zone: str) -> str:
    """A trigger beside its next moment: what that says already is left out, and so is the person's own zone."""
    return "once" if trigger.kind == "at" else str(trigger).removesuffix(f" ({zone})")


def _style(status: str) -> str:
    return {"ok": "green", "running": "cyan", "asked": "cyan", "": ""}.get(status, "red")


@dataclass(frozen=True, slots=True)
class When:
    """The options of `aura schedule add` that say when."""

    cron: str | None
    every: str | None
    at: str | None
    on: str | None
    timezone: str | None


def add(
    task: Annotated[str, typer.Argument(metavar="PLAN/TASK", help="The task, as `aura tasks` names it.")],
    inputs: Annotated[list[str] | None, typer.Argument(metavar="key=value…", help="Its inputs.")] = None,
    *,
    cron: Annotated[str | None, typer.Option(help='A cron rule, e.g. "0 8 * * mon-fri".')] = None,
    every: Annotated[str | None, typer.Option(help="An interval: 90s, 15m, 2h, 1d.")] = None,
    at: Annotated[str | None, typer.Option(help="Once: 18:00, or 2026-12-24 18:00.")] = None,
    on: Annotated[str | None, typer.Option(help="An event, e.g. task.failed or task.failed:notes/*.")] = None,
    timezone: Annotated[str | None, typer.Option(help="For --cron and --at; if left out, the owner's.")] = None,
    missed: Annotated[str, typer.Option(help="What was missed while nothing ran: skip, once or all.")] = "once",
    title: Annotated[str, typer.Option(help="One line about it.")] = "",
    to: Annotated[
        str | None, typer.Option(help="Whose job it is and who gets its results: telegram:ID; you, if left out.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Add a job."""
    when = When(cron, every, at, on, timezone)
    refuse_bytes(task, *inputs or [], title)
    return asynchronously(_add(task, inputs or [], when, missed=missed, title=title, to=to, as_json=as_json))


async def _add(
    task: str, pairs: list[str], when: When, *, missed: str, title: str, to: str | None, as_json: bool
) -> int:
    from agent.cli.task_runs import inputs_from
    from agent.cli.when import receiver
    from agent.clock import zone_name
    from agent.errors import AgentError
    from agent.schedules.user_jobs import name_for
    from aura_core.scheduler.six_fields import told_of_seconds

    if missed not in ("skip", "once", "all"):
        raise AgentError(f"--missed {missed!r} is not one of skip, once and all.")
    owner = receiver(to)
    async with _opened() as app:
        definition = app.framework.plans.task(task)
        zone = when.timezone or zone_name(app.profile_of(owner.person))
        job = await app.schedules.user_jobs.put(
            name_for(),
            definition.ref,
            inputs_from(definition, pairs),
            _trigger(when, zone, app.schedules.jobs.now()),
            owner=owner,
            missed=missed,
            title=title or definition.meta.title,
        )
    if as_json:
        print_json(_as_json(job, _mine(app)))
    else:
        _print_jobs([job], _mine(app))
        err().print(WHO_RUNS_THEM, style="dim")
    if told := told_of_seconds(job.trigger, app.schedules.jobs.now()):
        _remark(told, style="yellow")
    return 0


def _trigger(when: When, timezone: str, now: datetime) -> Trigger:
    from agent.cli.when import moment_from, seconds_from
    from aura_core.scheduler.when import trigger_of

    return trigger_of(
        now=now,
        cron=when.cron,
        every=None if when.every is None else seconds_from(when.every),
        at=None if when.at is None else moment_from(when.at, timezone, now),
        on_event=when.on,
        timezone=timezone,
    )


def remove(job: JobId) -> int:
    """Remove a job; a run of it that goes on is not ended."""
    return asynchronously(_remove(job))


async def _remove(name: str) -> int:
    from agent.schedules.commands import remove_job

    async with _opened() as app:
        job = await remove_job(app.framework.plans, app.schedules.jobs, name)
    _remark(f"{job.id} ({_said(job)}) is removed.")
    return 0


def _said(job: Job) -> str:
    return f"{job.title or job.task}, {job.trigger}" if job.task else "it could not be read"


def run(job: JobId) -> int:
    """Run a job now, beside its usual times."""
    return asynchronously(_run(job))


async def _run(name: str) -> int:
    from agent.schedules.commands import run_job

    async with _opened() as app:
        firing, waits = await run_job(app.framework.plans, app.schedules.jobs, name)
    hint = f"It waits: {waits}." if waits else WHO_RUNS_THEM
    _remark(f"Asked for; its run is {firing.id}. {hint}")
    return 0
