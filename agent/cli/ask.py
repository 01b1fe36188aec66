"""`aura ask` and `aura plan`: one request without a chat."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.invocation import acting_as, asynchronously, current, err, out, print_json, say_notices, settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agent.app import App
    from agent.contracts import Plan, Profile

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
    """Ask one thing. Exit code: 0 answered, 2 needs an answer, 1 failed."""
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
async def _opened(profile_name: str | None, program: str, *, durable: bool) -> AsyncGenerator[tuple[App, Profile, str]]:
    """The app, the profile to act under and the person; the model is loaded while everything is imported and opens."""
    from agent.channels.terminal.person import terminal_person
    from agent.llm.client import ModelClient

    person = terminal_person()
    config, profile = acting_as(settings(), person, profile_name)
    async with ModelClient.loading(config, profile.model) as model:
        from agent.app import App

        async with App.open(config, program=program, durable=durable, model=model) as app:
            yield app, profile, person


async def _ask(request: Request) -> int:
    async with _opened(request.profile, "aura ask", durable=True) as (app, _, person):
        from agent.channels.terminal.person import CHANNEL
        from agent.cli.follow import CommandTransport, follow, report
        from agent.cli.questions import Answers
        from agent.contracts import Dest, Incoming

        await app.model.check()
        session_id = request.session or ASK_SESSION
        if request.session is None and await app.sessions.history(session_id, 1):
            await app.new_conversation(session_id)
        files = CommandTransport()
        app.add_transport(files)
        incoming = Incoming(session_id=session_id, person=person, text=request.text, dest=Dest({"channel": CHANNEL}))
        run_id = await app.submit(incoming)
        if run_id is None:
            raise RuntimeError("A request without a key was taken for a repetition.")
        outcome = await follow(app, run_id, Answers(request.answers), person, err())
        say_notices(app.take_notices())
        code = report(outcome, files, as_json=request.as_json)
        sys.stdout.flush()  # nobody waits for what is still to be closed
    return code


def plan(text: Text = None, *, profile: ProfileName = None, as_json: AsJson = False) -> int:
    """Show the plan for a request; nothing runs."""
    return asynchronously(_plan(_request_text(text), profile, as_json=as_json))


async def _plan(text: str, profile_name: str | None, *, as_json: bool) -> int:
    async with _opened(profile_name, "aura plan", durable=False) as (app, profile, _):
        await app.model.check()
        with err().status("planning"):
            made = await _make_plan(app, profile, text)
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        _show(made)
    return 0


async def _make_plan(app: App, profile: Profile, text: str) -> Plan:
    from agent.llm.meter import Ledger, Meter
    from agent.planner import PlannerConfig, plan_steps
    from agent.wiring import local_now

    config = PlannerConfig(
        model=app.model,
        meter=Meter(profile, Ledger(app.config.home / "usage.json")),
        catalogue=app.tasks(profile),
        profile=profile,
        now=local_now(),
        settings=app.config.planner,
    )
    return await plan_steps(config, text, "")


def _show(made: Plan) -> None:
    from rich.table import Table
    from rich.text import Text as Words

    from agent.channels.terminal.controls import one_line

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
    for repair in made.repairs:
        console.print(Words(one_line(f"repaired: {repair}"), style="dim"))
