"""Following one run to its end for a command: progress, questions, files, and how it is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.channels.local.messages import RunEnded
from agent.channels.terminal.controls import printable
from agent.channels.terminal.draw import answer_view, file_view, question_view
from agent.channels.terminal.signs import signs_for
from agent.cli.guard import DONE, FAILED, NEEDS_ANSWER
from agent.cli.invocation import err, out, print_json, print_text
from agent.errors import AnswerMisfitError
from aura_core.data.files import resolve_inside

if TYPE_CHECKING:
    from agent.app import App
    from agent.channels.local.caller import Caller
    from agent.contracts import RunOutcome


async def follow(app: App, run_id: str, caller: Caller, person: str) -> RunOutcome:
    """Waits until a run has ended or asks something that nobody answers.

    Args:
        app: the app, with a transport for the run.
        run_id: the run; it goes on already.
        caller: who is shown its progress, and asked.
        person: in whose name, as `channel:id`.
    """
    await caller.began(run_id)
    async with caller.watching(app.events, run_id):
        while True:
            outcome = await app.outcome(run_id)
            if outcome.status != "waiting":
                return outcome
            if told := app.waits_for_plan(run_id):
                await caller.say(printable(told))
                return outcome
            if not outcome.questions:
                continue  # its plan has just been mended
            question = outcome.questions[0]
            answer = await caller.to(question)
            if answer is None:
                return outcome
            try:
                await app.answer(question.id, answer, person=person)
            except AnswerMisfitError as error:
                await caller.say(printable(str(error)), "yellow")


def files_of(app: App, session_id: str, outcome: RunOutcome) -> list[tuple[Path, str]]:
    """The files that a run made for the person and that are still there: their paths and captions."""
    folder = app.sessions.files(session_id)
    artifacts = {artifact.path: artifact.caption for result in outcome.results for artifact in result.artifacts}
    files = [(resolve_inside(folder, path), caption) for path, caption in artifacts.items()]
    return [(path, caption) for path, caption in files if path.is_file()]


def report(ended: RunEnded, *, as_json: bool) -> int:
    """Prints how a run stands and returns the exit code: 0 answered, 2 needs an answer, 1 failed."""
    outcome = ended.outcome
    if as_json:
        print_json(outcome.model_dump(mode="json"))
    elif outcome.status == "waiting":
        _print_questions(outcome)
    elif outcome.status == "ok":
        _print_answer(outcome.answer)
    else:
        told = printable(outcome.answer) or f"The request ended as {outcome.status}."
        err().print(told, style="red", markup=False)
    if not as_json:
        console = err()
        for path, caption in ended.files:
            console.print(file_view(path, caption, signs_for(console.encoding)), soft_wrap=True)
    return {"ok": DONE, "waiting": NEEDS_ANSWER}.get(outcome.status, FAILED)


def _print_answer(text: str) -> None:
    console = out()
    if console.is_terminal:
        console.print(answer_view(text))
    else:
        print_text(text)


def _print_questions(outcome: RunOutcome) -> None:
    console = err()
    for question in outcome.questions:
        console.print(question_view(question, signs_for(console.encoding)))
    console.print(f"Answer with: aura runs resume {outcome.run_id} --answer TEXT", markup=False, soft_wrap=True)
