"""`aura ask` and `aura plan`: one request without a chat."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.channels.terminal.controls import one_line
from agent.cli.invocation import (
    acting_as,
    asynchronously,
    current,
    err,
    out,
    print_json,
    remark,
    say_notices,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from agent.app import App
    from agent.channels.local.caller import Caller
    from agent.channels.local.messages import AskOrder, RunEnded
    from agent.config import AppConfig
    from agent.contracts import Plan, Profile
    from agent.llm.token_count import TokenCount
    from agent.planner import PlannerConfig

ASK_SESSION = "ask"
Text = Annotated[str | None, typer.Argument(help="The request; `-` or nothing reads standard input.")]
ProfileName = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="Act under this profile.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("ask")(ask)
    app.command("plan")(plan)


@dataclass(frozen=True, slots=True)
class Request:
    """The options of one `aura ask`."""

    text: str
    profile: str | None
    session: str | None
    answers: list[str]
    as_json: bool


def ask(
    text: Text = None,
    *,
    profile: ProfileName = None,
    session: Annotated[
        str | None, typer.Option(help="Go on in this session; without it every request begins a new conversation.")
    ] = None,
    as_json: AsJson = False,
    answer: Annotated[list[str] | None, typer.Option(help="Answer to a question; may be given several times.")] = None,
) -> int:
    """Ask one thing, or call a command: "/note milk". Exit code: 0 answered, 2 needs an answer, 1 failed."""
    if as_json:
        current.get().json_failure = _failure
    return asynchronously(_ask(Request(_request_text(text), profile, session, answer or [], as_json)))


def _request_text(text: str | None) -> str:
    """The request: the argument, or standard input if it is `-` or missing and something is piped in.

    Raises:
        BadRequestError: there is none, or far too much.
    """
    from agent.channels.terminal.words import MAX_CHARACTERS, clean_request

    if text == "-" or (text is None and not sys.stdin.isatty()):
        more_than_the_longest = MAX_CHARACTERS * 4 + 8
        text = sys.stdin.buffer.read(more_than_the_longest).decode("utf-8-sig", "replace")
    return clean_request(text or "")


def _failure(message: str) -> Any:
    from agent.contracts import RunOutcome

    return RunOutcome(run_id="", status="error", answer=message).model_dump(mode="json")


@asynccontextmanager
async def opened_with_model(
    config: AppConfig, profile_name: str | None, program: str, *, durable: bool, thinks: bool = True
) -> AsyncGenerator[tuple[App, Profile, str]]:
    """The app, the profile to act under and the person; the model is loaded while everything is imported and opens.

    Args:
        config: the settings.
        profile_name: `--profile`; None leaves it to the settings.
        program: who holds AURA_HOME.
        durable: see `App.open`.
        thinks: whether the model will be needed; it is not loaded ahead otherwise.
    """
    from agent.channels.terminal.person import terminal_person
    from agent.llm.client import ModelClient

    person = terminal_person()
    config, profile = acting_as(config, person, profile_name)
    async with ModelClient.loading(config, profile.model) if thinks else nullcontext() as model:
        from agent.app import App

        async with App.open(config, program=program, durable=durable, model=model) as app:
            try:
                yield app, profile, person
            finally:
                say_notices(app.take_notices(), app.seen)


async def _ask(request: Request) -> int:
    from agent.channels.local.messages import AskOrder, RunEnded
    from agent.cli.caller import CommandCaller
    from agent.cli.orders import carried_out

    @asynccontextmanager
    async def here() -> AsyncGenerator[App]:
        thinks = not request.text.startswith("/")
        opened = opened_with_model(config, request.profile, "aura ask", durable=True, thinks=thinks)
        async with opened as (app, _, _):
            yield app

    config = settings()
    order = AskOrder(text=request.text, session=request.session, profile=request.profile)
    caller = CommandCaller(config.home, request.answers)
    async with carried_out(config.home, order, RunEnded, caller, here) as ended:
        from agent.cli.follow import report

        code = report(ended, as_json=request.as_json)
        sys.stdout.flush()  # nobody waits for what is still to be closed
    return code


async def ask_in(app: App, order: AskOrder, caller: Caller) -> RunEnded:
    """Asks one thing and sees it to its end, or to a question that nobody answers; see `carry_out`."""
    from agent.channels.local.caller import command_dest
    from agent.channels.local.messages import RunEnded
    from agent.channels.terminal.person import CHANNEL, terminal_person
    from agent.cli.follow import files_of, follow
    from agent.contracts import Incoming

    person, session_id = terminal_person(), order.session or ASK_SESSION
    profile = app.profile_of(person) if order.profile is None else app.config.profile(order.profile)
    command = app.dispatcher.command_in(order.text, profile)
    if command is None:
        await app.model.check()
    if order.session is None and await app.sessions.history(session_id, 1):
        await app.new_conversation(session_id)
    incoming = Incoming(session_id=session_id, person=person, text=order.text, dest=command_dest(CHANNEL))
    if command is None:
        run_id = await app.submit(incoming, profile=profile)
    else:
        run_id = await app.submit_command(incoming, command[0].task, command[1], profile=profile)
    if run_id is None:
        raise RuntimeError("A request without a key was taken for a repetition.")
    outcome = await follow(app, run_id, caller, person)
    return RunEnded(outcome=outcome, files=files_of(app, session_id, outcome))


def plan(
    text: Text = None,
    *,
    profile: ProfileName = None,
    as_json: AsJson = False,
    catalogue: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Plan with these tools: a JSON list in OpenAI's form.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help='Past plans, one a line: {"request", "steps"}.')
    ] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="FILE", help='Plan each line, {"id", "request"}; `-` is standard input.')
    ] = None,
) -> int:
    """Show the plan for a request, or for every line of a file; nothing runs."""
    source = PlanSource(profile, catalogue, history)
    if batch is None:
        return asynchronously(_plan(_request_text(text), source, as_json=as_json))
    if text is not None:
        raise typer.BadParameter("a request and --batch were given; it is one or the other")
    return asynchronously(_plan_batch(batch, source))


@dataclass(frozen=True, slots=True)
class PlanSource:
    """What `aura plan` plans with: a profile, and the files that take the place of its tasks and of its past."""

    profile: str | None
    catalogue: Path | None
    history: Path | None


async def _plan(text: str, source: PlanSource, *, as_json: bool) -> int:
    from agent.planner import plan_steps

    async with planning(source) as (config_for, meter):
        with err().status("planning"):
            made = await plan_steps(config_for(meter()), text, "")
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        _show(made)
    return 0


async def make_plan(app: App, profile: Profile, text: str) -> Plan:
    """The plan for a request without files, history or memory; nothing runs."""
    from agent.clock import now_for
    from agent.llm.meter import Ledger, Meter
    from agent.planner import PlannerConfig, plan_steps

    config = PlannerConfig(
        model=app.model,
        meter=Meter(profile, Ledger(app.config.home / "usage.json")),
        catalogue=app.tasks(profile),
        profile=profile,
        now=now_for(profile),
        examples=app.examples(profile),
        settings=app.config.planner,
    )
    return await plan_steps(config, text, "")


async def _plan_batch(name: str, source: PlanSource) -> int:
    from agent.cli.plan_batch import Batch, plan_batch

    async with planning(source) as (config_for, meter):
        return await plan_batch(Batch(name, config_for, meter))


@asynccontextmanager
async def planning(
    source: PlanSource,
) -> AsyncGenerator[tuple[Callable[[TokenCount], PlannerConfig], Callable[[], TokenCount]]]:
    """What makes a plan's surroundings from a meter, and what makes meters; files are read before a model is loaded."""
    from agent.cli.plan_files import read_catalogue, read_history

    cards, odd_tools = read_catalogue(source.catalogue) if source.catalogue else (None, [])
    past, odd_plans = read_history(source.history) if source.history else ([], [])
    for line in [*odd_tools, *odd_plans]:
        remark(f"left out: {one_line(line)}", style="yellow")
    async with opened_with_model(settings(), source.profile, "aura plan", durable=False) as (app, profile, _):
        from agent.clock import now_for
        from agent.llm.meter import Ledger
        from agent.llm.token_count import TokenCount
        from agent.planner import PlannerConfig

        await app.model.check()

        def config_for(meter: TokenCount) -> PlannerConfig:
            return PlannerConfig(
                model=app.model,
                meter=meter,
                catalogue=app.tasks(profile) if cards is None else cards,
                profile=profile,
                now=now_for(profile),
                settings=app.config.planner,
                examples=app.examples(profile) if cards is None else (),
                past=past,
            )

        yield config_for, lambda: TokenCount(profile, Ledger(app.config.home / "usage.json"))


def _show(made: Plan) -> None:
    from rich.table import Table
    from rich.text import Text as Words

    table = Table.grid(padding=(0, 2))
    for step in made.steps:
        what = step.task or step.kind
        inputs = ", ".join(f"{key}={value!r}" for key, value in step.inputs.items())
        after = f"after {', '.join(step.depends_on)}" if step.depends_on else ""
        table.add_row(
            Words(step.id, style="bold"),
            Words(one_line(step.title or step.question or step.instruction)),
            Words(one_line(f"{what} {inputs}"), style="cyan"),
            Words(after, style="dim"),
        )
    console = out()
    console.print(table)
    for step in made.steps:
        if step.confirm:
            console.print(Words(one_line(f"{step.id} asks first, since you wrote: {step.confirm}"), style="yellow"))
    for part in made.unserved:
        console.print(Words(one_line(f"no step does: {part}"), style="yellow"))
    for repair in made.repairs:
        console.print(Words(one_line(f"repaired: {repair}"), style="dim"))
