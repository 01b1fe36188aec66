"""Questions to the person: one durable task each, so that they survive a kill and hold no slot while they wait."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from agent.contracts import ExecutorResponse, PlanStep, Question, RunRequest
from agent.durable.protocol import Ctx, Engine, Json, Records
from agent.errors import NotAllowedError
from agent.progress import QuestionAsked, QuestionClosed
from agent.running.channels import Channels
from aura_core.events import EventBus
from aura_core.tasklet import RunInfo

QUESTION_TASK = "question"
ANSWER_SIGNAL = "answer"
SHOWN = "shown"
"""Beside the question in the record of its showing: whether its channel took it; always, in older records."""
ALLOW, DENY = "Allow", "Don't allow"


def ask_args(request: RunRequest, step: PlanStep, *, approval_of: str = "") -> dict[str, Json]:
    """Arguments of the durable question task for a step.

    Args:
        request: the run.
        step: the `ask_user` step, or the step that needs approval.
        approval_of: one line on what is about to happen; empty for an ordinary question.
    """
    return {
        "run_id": request.run_id,
        "step_id": step.id,
        "session_id": request.incoming.session_id,
        "dest": request.incoming.dest,
        "text": approval_of or step.question or step.title or "What exactly do you mean?",
        "options": [ALLOW, DENY] if approval_of else step.options,
        "purpose": "approval" if approval_of else "input",
    }


def answer_response(step: PlanStep, answer: Json) -> ExecutorResponse:
    """What an `ask_user` step gives: the person's words, which are trusted."""
    text = str(answer["text"])
    return ExecutorResponse(step_id=step.id, status="ok", output=text, summary=f"The person answered: {text}")


def is_approved(answer: Json) -> bool:
    """Whether the person allowed the step."""
    return str(answer["text"]).strip().casefold() in {ALLOW.casefold(), "yes", "y", "ok", "да", "是", "好"}


def chosen(question: Question, text: str) -> str:
    """The answer that a text means: a number picks the choice of that number, any case picks a choice by name."""
    words = text.strip()
    if question.options and words.isdecimal() and 1 <= int(words) <= len(question.options):
        return question.options[int(words) - 1]
    return next((option for option in question.options if option.casefold() == words.casefold()), words)


@dataclass(slots=True)
class QuestionDesk:
    """Runs the durable question task and remembers, in memory, which steps wait inside a YAML task.

    Attributes:
        engine: where questions live.
        events: where they are announced.
        channels: where questions are shown.
        answered: ids of questions whose answer is on its way to the run.
        on_change: called with a run id when one of its steps begins or ends to wait inside a task.
    """

    engine: Engine
    events: EventBus
    channels: Channels
    on_change: Callable[[str], None] = field(default=lambda _: None)
    answered: set[str] = field(default_factory=set[str])
    waiting_inside: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    async def run_question(self, ctx: Ctx, args: Json) -> Json:
        """The durable task: shows the question once, waits for the answer, returns {"text", "person"}."""

        async def show() -> Json:
            question = question_of(ctx.id, args, time.time())
            shown = await self.channels.send_now(dest, lambda transport: transport.send_question(dest, question))
            return {**question.model_dump(mode="json"), SHOWN: shown}

        dest: dict[str, Json] = args["dest"]
        record = dict(await ctx.step("show", show))
        shown = record.pop(SHOWN, True)
        question = Question.model_validate(record)
        self.events.publish(QuestionAsked(question.run_id, question.session_id, question))
        async with contextlib.nullcontext() if shown else self._showing(ctx, dest, question):
            answer = await ctx.wait_signal(ANSWER_SIGNAL)
        self.events.publish(QuestionClosed(question.run_id, question.session_id, question.id, str(answer["text"])))
        return answer

    @contextlib.asynccontextmanager
    async def _showing(self, ctx: Ctx, dest: dict[str, Json], question: Question) -> AsyncGenerator[None]:
        """Shows a question whose channel was away as soon as that is back, while the block waits for the answer."""

        async def show() -> None:
            if ctx.journal.recall(SHOWN) is None:
                await self.channels.send_when_there(dest, lambda transport: transport.send_question(dest, question))
                await ctx.journal.record({SHOWN: True})

        showing = asyncio.create_task(show())
        showing.add_done_callback(_log_failure)
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.wait([showing])

    async def open_questions(self, session_id: str = "", run_id: str = "") -> list[Question]:
        """Questions that wait for an answer, oldest first, of a session or a run."""
        found = await open_questions(self.engine, session_id, run_id)
        return [question for question in found if question.id not in self.answered]

    async def close_left(self, run_id: str) -> None:
        """Closes the questions that a run leaves behind: their steps ended without waiting for the answer."""
        for question in await self.open_questions(run_id=run_id):
            await self.engine.cancel(question.id)
            self.events.publish(QuestionClosed(run_id, question.session_id, question.id))

    async def ask(self, run: RunInfo, text: str, options: Sequence[str] = ()) -> str:
        """The `chat` service: asks from inside a YAML task and waits.

        A question that an attempt at the same durable step has asked before is not asked again, and its answer counts;
        a task that asks the same twice asks twice. Implements `aura_core.services.ChatService`.

        Raises:
            NotAllowedError: the task runs for nobody who could be asked, such as one that was started early.
        """
        if not run.idempotency_key:
            raise NotAllowedError("Nobody is there to be asked: this task does not run for a person.")
        mark = hashlib.sha256(run.once_key("\0".join([text, *options])).encode()).hexdigest()[:12]
        question_id = f"{run.idempotency_key}/ask:{mark}"
        root = await self.engine.get(run.corr_id)
        dest: dict[str, Json] = root.args["incoming"]["dest"] if root is not None else {}
        step_id = run.idempotency_key.rsplit(":", 1)[-1]
        args: dict[str, Json] = {
            "run_id": run.corr_id,
            "step_id": step_id,
            "session_id": run.session_id,
            "dest": dest,
            "text": text,
            "options": list(options),
            "purpose": "input",
        }
        await self.engine.start(QUESTION_TASK, args, id=question_id)
        await self.engine.resume(question_id)
        waiting = self.waiting_inside.setdefault(run.corr_id, set())
        waiting.add(run.idempotency_key)
        self.on_change(run.corr_id)
        try:
            record = await self.engine.outcome(question_id)
        finally:
            waiting.discard(run.idempotency_key)
            self.answered.discard(question_id)
            self.on_change(run.corr_id)
        return str(record.result["text"])


async def open_questions(records: Records, session_id: str = "", run_id: str = "") -> list[Question]:
    """Questions without a recorded answer, oldest first.

    Args:
        records: the durable store.
        session_id: only of this session; empty for all.
        run_id: only of this run; empty for all.
    """
    waiting = await records.list(task=QUESTION_TASK, statuses=["pending", "waiting"], limit=1000)
    found = [
        question_of(record.id, record.args, record.created_at)
        for record in waiting
        if session_id in ("", record.args["session_id"]) and run_id in ("", record.args["run_id"])
    ]
    return sorted(found, key=lambda question: (question.asked_at, question.id))


def question_of(question_id: str, args: Json, asked_at: float) -> Question:
    """The question that a durable question task asks."""
    return Question(id=question_id, asked_at=asked_at, **{key: value for key, value in args.items() if key != "dest"})


def _log_failure(showing: asyncio.Task[None]) -> None:
    if not showing.cancelled() and (error := showing.exception()) is not None:
        structlog.get_logger(__name__).error("a question could not be shown", exc_info=error)
