"""Following one run to its end from a command: progress, questions, files, and how it is printed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from agent.channels.terminal.controls import printable
from agent.channels.terminal.draw import answer_view, file_view, question_view
from agent.channels.terminal.person import CHANNEL
from agent.channels.terminal.signs import signs_for
from agent.cli.guard import DONE, FAILED, NEEDS_ANSWER
from agent.cli.invocation import err, out, print_json, print_text
from agent.cli.questions import Answers
from agent.cli.watch import Watch
from agent.errors import AnswerMisfitError

if TYPE_CHECKING:
    from agent.app import App
    from agent.contracts import Question, RunOutcome

CANCEL_SECONDS = 10.0


class CommandTransport:
    """Takes what a run delivers; the command prints the answer itself, so only the files are kept."""

    name = CHANNEL

    def __init__(self) -> None:
        self.files: dict[str, tuple[Path, str]] = {}

    async def send_text(self, dest: dict[str, Any], text: str, *, key: str) -> None:
        """The answer: it is also in the outcome, which the command prints. See `Transport`."""

    async def send_file(self, dest: dict[str, Any], path: Path, caption: str, *, key: str) -> None:  # noqa: ARG002 (Transport)
        """Remembers the file. See `Transport`."""
        self.files[key] = (path, caption)

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        """A question: it is also in the outcome, which the command answers or prints. See `Transport`."""


async def follow(app: App, run_id: str, answers: Answers, person: str, console: Console) -> RunOutcome:
    """Waits until a run has ended or asks something that nobody answers.

    Ctrl-C cancels the run.

    Args:
        app: the app, with a transport for the run.
        run_id: the run; it goes on already.
        answers: who answers.
        person: in whose name, as `channel:id`.
        console: where progress is drawn.
    """
    try:
        async with Watch(app.events, console).running() as watch:
            while True:
                outcome = await app.outcome(run_id)
                if outcome.status != "waiting":
                    return outcome
                if told := app.waits_for_plan(run_id):
                    console.print(printable(told), markup=False)
                    return outcome
                if not outcome.questions:
                    continue  # its plan has just been mended
                question = outcome.questions[0]
                watch.pause()
                answer = await answers.to(question)
                if answer is None:
                    return outcome
                try:
                    await app.answer(question.id, answer, person=person)
                except AnswerMisfitError as error:
                    console.print(printable(str(error)), style="yellow", markup=False, soft_wrap=True)
                watch.go_on()
    except asyncio.CancelledError:
        async with asyncio.timeout(CANCEL_SECONDS):
            await app.cancel(run_id)
        raise


def report(outcome: RunOutcome, files: CommandTransport, *, as_json: bool) -> int:
    """Prints how a run stands and returns the exit code: 0 answered, 2 needs an answer, 1 failed."""
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
        for path, caption in files.files.values():
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
