"""Questions to the person: one durable task each, so that they survive a kill and hold no slot while they wait."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from dataclasses import dataclass, field

from agent.contracts import ExecutorRequest, ExecutorResponse, PlanStep, Question, RunRequest
from agent.errors import NotAllowedError
from agent.progress import QuestionAsked, QuestionClosed
from agent.transports import Channels
from aura_core.durable.protocol import Ctx, Engine, Json, Records, TaskRecord
from aura_core.errors import HomeNotWritableError
from aura_core.ground.events import EventBus
from aura_core.ground.logger import get_logger
from aura_core.tasklet import RunInfo

QUESTION_TASK = "question"
ANSWER_SIGNAL = "answer"
SHOWN = "shown"
"""Beside the question in the record of its showing: whether its channel took it; always, in older records."""
ASKED_BY = "asked_by"
"""In a question's arguments: the scope of the step or action inside a task that asks; missing in older records."""
_NOT_SHOWN = frozenset({"dest", ASKED_BY})
ALLOW, DENY = "Allow", "Don't allow"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds after which a question that could not be written down is tried again: at first, and at most."""


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
        asking: ids of questions that a YAML task of this process waits for.
    """

    engine: Engine
    events: EventBus
    channels: Channels
    on_change: Callable[[str], None] = field(default=lambda _: None)
    answered: set[str] = field(default_factory=set[str])
    waiting_inside: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    asking: set[str] = field(default_factory=set[str])

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
        """Questions that wait for an answer, of a session or a run: those that somebody waits for here, then others.

        Nobody waits here for a question of a task that was not resumed yet, or that asks something else since it was
        edited. Both kinds are in order of their age.
        """
        records = await open_records(self.engine, session_id, run_id)
        waiting = [record for record in records if record.id not in self.answered]
        waiting.sort(key=lambda record: not self._is_asked_here(record))
        return [_question_in(record) for record in waiting]

    async def answerable(self, session_id: str) -> list[Question]:
        """Questions of a session that a plain text may answer: those that somebody waits for here, if there are."""
        records = await open_records(self.engine, session_id)
        waiting = [record for record in records if record.id not in self.answered]
        return [_question_in(record) for record in [*filter(self._is_asked_here, waiting)] or waiting]

    def _is_asked_here(self, record: TaskRecord) -> bool:
        return record.parent is not None or record.id in self.asking

    async def close_left(self, run_id: str, inside: str = "") -> None:
        """Closes the questions that a run leaves behind: their steps ended without waiting for the answer.

        Args:
            run_id: the run.
            inside: only questions of tasks inside this step: its durable id.
        """
        for record in await open_records(self.engine, run_id=run_id):
            if record.id.startswith(f"{inside}/" if inside else ""):
                await self._close(record)

    async def _close(self, record: TaskRecord) -> None:
        self.answered.discard(record.id)
        if await self.engine.cancel(record.id):
            self.events.publish(QuestionClosed(record.args["run_id"], record.args["session_id"], record.id))

    async def ask(self, run: RunInfo, text: str, options: Sequence[str] = ()) -> str:
        """The `chat` service: asks from inside a YAML task and waits.

        A question that an attempt at the same durable step has asked before is not asked again, and its answer counts;
        a task that asks the same twice asks twice. When a step of a task that was edited asks something new, what the
        same step (or action) asked before and does not wait for is closed, so that an answer goes to what is shown;
        what a step asked that the edit took out is closed when the task ends. While nothing can be written down, the
        task waits. Implements `aura_core.services.ChatService`.

        Raises:
            NotAllowedError: the task runs for nobody who could be asked, such as one that was started early.
        """
        if not run.idempotency_key:
            raise NotAllowedError("Nobody is there to be asked: this task does not run for a person.")
        mark = hashlib.sha256(run.once_key("\0".join([text, *options])).encode()).hexdigest()[:12]
        log = get_logger(__name__)
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._ask(run, text, options, f"{run.idempotency_key}/ask:{mark}")
            except HomeNotWritableError as error:
                log.warning("a question waits until it can be written down", corr_id=run.corr_id, error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _ask(self, run: RunInfo, text: str, options: Sequence[str], wanted: str) -> str:
        """Asks, or goes on with what was asked, and waits.

        Raises:
            HomeNotWritableError: the question, or its answer, cannot be written down now.
        """
        question_id, is_new = await self._id(wanted)
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
            ASKED_BY: run.scope,
        }
        self.asking.add(question_id)
        try:
            if is_new:
                await self._close_forgotten(run)
            await self.engine.start(QUESTION_TASK, args, id=question_id)
            await self.engine.resume(question_id)
            with self.waiting(run.corr_id, run.idempotency_key):
                record = await self.engine.outcome(question_id)
        finally:
            self.asking.discard(question_id)
            self.answered.discard(question_id)
            self.on_change(run.corr_id)
        return str(record.result["text"])

    @contextlib.contextmanager
    def waiting(self, run_id: str, step: str) -> Generator[None]:
        """A step waits for its person inside a task, for the block.

        Args:
            run_id: the run.
            step: idempotency key of the step.
        """
        inside = self.waiting_inside.setdefault(run_id, Counter())
        inside[step] += 1
        self.on_change(run_id)
        try:
            yield
        finally:
            inside[step] -= 1
            if not inside[step]:
                del inside[step]
            self.on_change(run_id)

    async def _id(self, wanted: str) -> tuple[str, bool]:
        """The id of a question, and whether it was never asked; one that was closed is asked anew under another id."""
        number, question_id = 1, wanted
        while (record := await self.engine.get(question_id)) is not None and record.status == "cancelled":
            number += 1
            question_id = f"{wanted}~{number}"
        return question_id, record is None

    async def _close_forgotten(self, run: RunInfo) -> None:
        """Closes what the same step of a task asked before, other than what it waits for now."""
        for record in await open_records(self.engine, run_id=run.corr_id):
            asked_by = record.args.get(ASKED_BY, run.scope)
            inside = record.id.startswith(f"{run.idempotency_key}/")
            if inside and asked_by == run.scope and record.id not in self.asking:
                await self._close(record)


async def open_questions(records: Records, session_id: str = "", run_id: str = "") -> list[Question]:
    """Questions without a recorded answer, oldest first.

    Args:
        records: the durable store.
        session_id: only of this session; empty for all.
        run_id: only of this run; empty for all.
    """
    return [_question_in(record) for record in await open_records(records, session_id, run_id)]


async def open_records(records: Records, session_id: str = "", run_id: str = "") -> list[TaskRecord]:
    """The durable tasks of questions without a recorded answer, oldest first; see `open_questions`."""
    waiting = await records.list(task=QUESTION_TASK, statuses=["pending", "waiting"], limit=1000)
    found = [
        record
        for record in waiting
        if session_id in ("", record.args["session_id"]) and run_id in ("", record.args["run_id"])
    ]
    return sorted(found, key=lambda record: (record.created_at, record.id))


async def waits_for_answer(records: Records, request: ExecutorRequest) -> bool:
    """Whether a step has asked something that has no answer yet."""
    asked = await open_records(records, run_id=request.run_id)
    return any(record.id.startswith(f"{request.idempotency_key}/") for record in asked)


def _question_in(record: TaskRecord) -> Question:
    return question_of(record.id, record.args, record.created_at)


def question_of(question_id: str, args: Json, asked_at: float) -> Question:
    """The question that a durable question task asks."""
    return Question(
        id=question_id, asked_at=asked_at, **{key: value for key, value in args.items() if key not in _NOT_SHOWN}
    )


def _log_failure(showing: asyncio.Task[None]) -> None:
    if not showing.cancelled() and (error := showing.exception()) is not None:
        get_logger(__name__).error("a question could not be shown", exc_info=error)
