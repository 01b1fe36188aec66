"""`aura run` and `aura tasks`: tasks without a model, and the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.channels.terminal.controls import one_line, printable
from agent.cli.guard import NEEDS_ANSWER
from agent.cli.invocation import (
    acting_as,
    asynchronously,
    current,
    err,
    opened,
    out,
    print_json,
    print_text,
    refuse_bytes,
    remark,
    settings,
)

if TYPE_CHECKING:
    from agent.channels.local.messages import RunOrder
    from agent.contracts import Question
    from aura_core.tasklet import TaskResult

RUN_SESSION = "ask"
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("run")(run)
    app.command("tasks")(tasks)


def run(
    task: Annotated[str, typer.Argument(metavar="PLAN/TASK", help="The task, as `aura tasks` names it.")],
    inputs: Annotated[list[str] | None, typer.Argument(metavar="key=value…", help="Its inputs.")] = None,
    *,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="Act under this profile.")] = None,
    session: Annotated[str, typer.Option(help="Whose files it works on.")] = RUN_SESSION,
    answer: Annotated[list[str] | None, typer.Option(help="Answer to a question; may be given several times.")] = None,
    as_json: AsJson = False,
) -> int:
    """Run one task, without a model to plan it."""
    if as_json:
        current.get().json_failure = _failure
    from agent.channels.local.messages import RunOrder

    order = RunOrder(task=task, pairs=inputs or [], session=session, profile=profile)
    return asynchronously(_run(order, answer or [], as_json=as_json))


def _failure(message: str) -> Any:
    from aura_core.tasklet import TaskError, TaskResult

    return _document(TaskResult("error", error=TaskError("", message)))


async def _run(order: RunOrder, answers: list[str], *, as_json: bool) -> int:
    from agent.channels.local.messages import TaskEnded
    from agent.cli.caller import CommandCaller
    from agent.cli.orders import carried_out
    from agent.contracts import Question

    refuse_bytes(order.task, *order.pairs, order.session)
    config = settings()
    caller = CommandCaller(config.home, answers)
    async with carried_out(config.home, order, TaskEnded, caller, lambda: opened(config, "aura run")) as ending:
        ended = ending.ended
    if isinstance(ended, Question):
        return _report_question(ended, as_json=as_json)
    _report(ended, as_json=as_json)
    return 0 if ended.ok else 1


def _report_question(question: Question, *, as_json: bool) -> int:
    if as_json:
        error = {"type": "Question", "message": question.text}
        print_json({"status": "needs_input", "result": None, "message": "", "error": error, "seconds": 0.0})
    else:
        from agent.channels.terminal.draw import question_view
        from agent.channels.terminal.signs import signs_for

        console = err()
        console.print(question_view(question, signs_for(console.encoding)))
        console.print("The task was stopped: run it again with --answer TEXT.")
    return NEEDS_ANSWER


def _document(result: TaskResult) -> Any:
    from dataclasses import asdict

    error = asdict(result.error) if result.error else None
    seconds = round(result.seconds, 3)
    told = {"status": result.status, "result": result.result, "message": result.message, "error": error}
    return {**told, "seconds": seconds}


def _report(result: TaskResult, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(result))
        return
    if result.error is not None:
        place = f" ({result.error.location})" if result.error.location else ""
        remark(printable(f"{result.error.message}{place}"), style="red")
    elif isinstance(result.result, str):
        print_text(result.result)
    elif result.result is not True and result.result is not None:
        print_json(result.result)
    if result.message:
        err().print(printable(result.message), markup=False)
    for attachment in result.attachments:
        remark(one_line(f"file: {attachment.path}"))


def tasks(
    word: Annotated[str, typer.Argument(help="Only tasks with this word in name or description.")] = "",
    *,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="What this profile may use.")] = None,
    as_json: AsJson = False,
) -> int:
    """List the catalogue: every task that may be planned or called."""
    return asynchronously(_tasks(word, profile, as_json=as_json))


async def _tasks(word: str, profile_name: str | None, *, as_json: bool) -> int:
    from agent.app import App
    from agent.channels.terminal.catalogue import MOST_EXAMPLES, plans_table, searched, tasks_table
    from agent.channels.terminal.person import terminal_person
    from agent.cli.mistakes import warn_of_refused

    config, profile = acting_as(settings(), terminal_person(), profile_name)
    async with App.open(config, program="aura tasks", durable=False) as app:
        cards = [card for card in app.tasks(profile) if word.casefold() in searched(card)]
        several = (example for example in app.examples(profile) if len(example.steps) > 1)
        together = [example for example in several if word.casefold() in example.say.casefold()]
        warn_of_refused(app.framework.problems)
    if as_json:
        print_json([card.model_dump(mode="json") for card in cards])
    elif cards:
        console = out()
        console.print(tasks_table(cards, examples=MOST_EXAMPLES if word else 1))
        if together:
            console.print("\nTogether:", plans_table(together), sep="\n")
    else:
        what = f"No task that profile {profile.name} may use" + (f" has {word!r} in its name or text" if word else "")
        err().print(f"{what}; `aura tasks` lists them all, `aura doctor` says what is set up.", markup=False)
    return 0
