"""`aura runs`: what was asked and how it ended; show, resume and cancel one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.invocation import (
    asynchronously,
    opened,
    out,
    out_wide,
    print_json,
    print_text,
    remark,
    say_notices,
    settings,
)

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from agent.app import App
    from agent.channels.local.caller import Caller
    from agent.channels.local.messages import Cancelled, CancelOrder, ResumeOrder, RunEnded
    from agent.config import AppConfig
    from agent.contracts import RunOutcome, RunSummary
    from agent.run.outcomes import RunHistory

RunId = Annotated[str, typer.Argument(metavar="ID", help="The run, as `aura runs` names it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    group = typer.Typer(help="List runs; show, resume or cancel one.")
    group.callback(invoke_without_command=True)(list_runs)
    group.command("show")(show)
    group.command("resume")(resume)
    group.command("cancel")(cancel)
    app.add_typer(group, name="runs")


def _history(config: AppConfig) -> AbstractAsyncContextManager[RunHistory]:
    from agent.run.outcomes import run_history
    from aura_core.storage.losses import Losses

    return run_history(config, lambda notices: say_notices(notices, Losses(config.home).seen))


def list_runs(
    context: typer.Context,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
) -> int:
    """List the latest runs, newest first."""
    if context.invoked_subcommand is not None:
        return 0
    return asynchronously(_list(limit, as_json=as_json))


async def _list(limit: int, *, as_json: bool) -> int:
    config = settings()
    async with _history(config) as history:
        runs = await history.runs(limit)
    if as_json:
        print_json([run.model_dump(mode="json") for run in runs])
    elif runs:
        _print_runs(runs, config)
    else:
        remark("Nothing was asked yet.")
    return 0


def _print_runs(runs: list[RunSummary], config: AppConfig) -> None:
    from rich.table import Table
    from rich.text import Text

    from agent.channels.terminal.controls import one_line
    from agent.channels.terminal.person import terminal_person
    from agent.clock import on_clock_of

    mine = config.profile_of(terminal_person())

    table = Table.grid(padding=(0, 2))
    styles = {"ok": "green", "error": "red", "waiting": "yellow", "running": "cyan", "cancelled": "dim"}
    for run in runs:
        at = on_clock_of(mine, datetime.fromtimestamp(run.created_at, tz=UTC))
        table.add_row(
            run.run_id,
            Text(f"{at:%Y-%m-%d %H:%M}", style="dim"),
            Text(run.status, style=styles[run.status]),
            Text(one_line(run.session_id), style="dim"),
            Text(one_line(run.text)[:80]),
        )
    out_wide().print(table)


def show(run_id: RunId, as_json: AsJson = False) -> int:
    """Show one run: its plan, its results, its answer."""
    return asynchronously(_show(run_id, as_json=as_json))


async def _show(run_id: str, *, as_json: bool) -> int:
    async with _history(settings()) as history:
        outcome = await history.outcome(run_id)
    if as_json:
        print_json(outcome.model_dump(mode="json"))
    else:
        _print_detail(outcome)
    return 0


def _print_detail(outcome: RunOutcome) -> None:
    from agent.channels.terminal.board import RunBoard, StepRow
    from agent.channels.terminal.controls import printable
    from agent.channels.terminal.draw import run_view
    from agent.channels.terminal.signs import signs_for

    board = RunBoard(outcome.run_id)
    board.rows = {step.id: StepRow(step) for step in outcome.plan}
    for response in outcome.results:
        if row := board.rows.get(response.step_id):
            row.state, row.seconds = response.status, response.seconds
            row.note = response.summary or response.error
    console = out()
    usage = outcome.usage
    console.print(f"{outcome.run_id}  {outcome.status}  {usage.tokens} tokens  {usage.seconds:.1f} s", markup=False)
    console.print(run_view(board, 0, signs_for(console.encoding), live=False))
    for question in outcome.questions:
        console.print(f"open question: {printable(question.text)}", style="yellow", markup=False)
    if outcome.answer:
        print_text(outcome.answer)


def resume(
    run_id: RunId,
    as_json: AsJson = False,
    answer: Annotated[list[str] | None, typer.Option(help="Answer to a question; may be given several times.")] = None,
) -> int:
    """Go on with a run and print how it ends, as `aura ask` does."""
    return asynchronously(_resume(run_id, answer or [], as_json=as_json))


async def _resume(run_id: str, given: list[str], *, as_json: bool) -> int:
    from agent.channels.local.messages import ResumeOrder, RunEnded
    from agent.cli.caller import CommandCaller
    from agent.cli.orders import carried_out

    config, order = settings(), ResumeOrder(run_id=run_id)
    caller = CommandCaller(config.home, given)
    async with carried_out(config.home, order, RunEnded, caller, lambda: opened(config, "aura runs resume")) as ended:
        pass
    from agent.cli.follow import report

    return report(ended, as_json=as_json)


async def resume_in(app: App, order: ResumeOrder, caller: Caller) -> RunEnded:
    """Goes on with a run and sees it to its end; see `carry_out`.

    Raises:
        RunNotFoundError: no such run.
        AgentError: its answer belongs to a channel that a command cannot speak for.
    """
    from agent.channels.local import caller as local
    from agent.channels.local.messages import RunEnded
    from agent.channels.terminal import person as terminal
    from agent.cli.follow import files_of, follow
    from agent.errors import AgentError

    incoming = await app.incoming(order.run_id)
    if incoming.dest.channel not in (local.CHANNEL, terminal.CHANNEL):
        channel = incoming.dest.channel or "no chat"
        raise AgentError(
            f"The answer of {order.run_id} belongs to {channel}; the program for that goes on with it when it runs."
        )
    await app.resume(run_id=order.run_id)
    outcome = await app.run_detail(order.run_id)
    if outcome.status in ("running", "waiting"):
        outcome = await follow(app, order.run_id, caller, terminal.terminal_person())
    return RunEnded(outcome=outcome, files=files_of(app, incoming.session_id, outcome))


def cancel(run_id: RunId) -> int:
    """Cancel a run."""
    return asynchronously(_cancel(run_id))


async def _cancel(run_id: str) -> int:
    from agent.channels.local.messages import Cancelled, CancelOrder
    from agent.cli.caller import CommandCaller
    from agent.cli.orders import carried_out

    config, order = settings(), CancelOrder(run_id=run_id)
    caller = CommandCaller(config.home, [])
    async with carried_out(config.home, order, Cancelled, caller, lambda: opened(config, "aura runs cancel")) as ended:
        remark(f"{run_id} is cancelled." if ended.cancelled else f"{run_id} had ended already.")
    return 0


async def cancel_in(app: App, order: CancelOrder) -> Cancelled:
    """Cancels a run; see `carry_out`.

    Raises:
        RunNotFoundError: no such run.
    """
    from agent.channels.local.messages import Cancelled

    return Cancelled(cancelled=await app.cancel(order.run_id))
