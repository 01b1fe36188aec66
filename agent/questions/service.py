"""QuestionService: asks a person, shows the question, takes the answer, closes what nobody waits for any more.

A question is a durable task, so that it survives a kill and holds no slot while it waits. Its record says all: the
arguments what was asked, the signal `answer` what was answered, by whom and with which message.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from agent.config import AppConfig
from agent.contracts import Dest, Question, run_id_of
from agent.delivery import Channels
from agent.errors import NotAllowedError
from agent.progress import QuestionAsked, QuestionClosed
from agent.questions.fitting import check_answer
from agent.questions.records import (
    ALLOW,
    ANSWER_SIGNAL,
    ASKED_BY,
    DENY,
    OUTSIDE_OPTIONS,
    QUESTION_TASK,
    QUOTED,
    WANTED,
    answer_to,
    answer_value,
    is_approved,
    open_records,
    question_in,
    question_of,
    unfinished_records,
    without_secrets,
)
from agent.questions.waits import Waits
from agent.taint.questions import quoting
from aura_core.durable.protocol import UNFINISHED, Ctx, Engine, Json, TaskRecord
from aura_core.errors import HomeNotWritableError
from aura_core.ground.events import EventBus
from aura_core.ground.logger import get_logger
from aura_core.tasklet import FROM_OUTSIDE, RunInfo

MOST_ANSWERS = 1000
"""The latest ones, among which a message that comes again is looked for; channels repeat within a day."""
SHOWN = "shown"
"""Beside the question in the record of its showing: whether its channel took it; always, in older records."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds after which a question that could not be written down is tried again: at first, and at most."""


class QuestionService:
    """Questions from `ask_user` steps, approvals and YAML tasks. Implements `aura_core.services.ChatService`.

    Args:
        config: says who is the owner, who may answer everything.
        engine: where questions live.
        events: where they are announced.
        channels: where they are shown.
        waits: told what waits for an answer in this process.
    """

    def __init__(self, config: AppConfig, engine: Engine, events: EventBus, channels: Channels, waits: Waits) -> None:
        self._config = config
        self._engine = engine
        self._events = events
        self._channels = channels
        self._waits = waits
        engine.task(QUESTION_TASK, self._run)

    async def open(self, session_id: str = "", run_id: str = "") -> list[Question]:
        """Questions that wait for an answer, of a session or a run: those that somebody waits for here, then others.

        Nobody waits here for a question of a task that was not resumed yet, or whose Python asks something else since
        an edit. Both kinds are in order of their age.
        """
        records = await open_records(self._engine, session_id, run_id)
        return [question_in(record) for record in sorted(records, key=lambda record: not self._is_asked_here(record))]

    async def answer(self, question_id: str, text: str, *, person: str, key: str = "", untrusted: bool = False) -> bool:
        """Answers a question; answering twice is harmless. See `App.answer`.

        Raises:
            AnswerMisfitError: the question cannot take this answer, and stays open.
        """
        record = await self._engine.get(question_id)
        if record is None or record.task != QUESTION_TASK:
            return False
        run = await self._engine.get(record.args["run_id"])
        if not self._may_answer(person, run):
            return False
        if record.status in UNFINISHED:
            if run is not None and run.status in UNFINISHED:
                await self._engine.resume(run.id)
            value = answer_value(record, text, person=person, key=key, untrusted=untrusted)
            if await answer_to(self._engine, record) is None:
                check_answer(question_in(record), record.args.get(WANTED, ()), value["text"])
            if await self._engine.signal(question_id, ANSWER_SIGNAL, value):
                if self._waits.inside(_answer_of(question_id)):  # else a channel may wait for this while it shows it
                    await self._waits.until(lambda: not self._waits.inside(question_id))
                return True
        answer = (await self._engine.signals(question_id)).get(ANSWER_SIGNAL)
        return bool(key) and answer is not None and answer.get("key") == key

    async def reply(self, session_id: str, text: str, *, person: str, key: str = "", untrusted: bool = False) -> bool:
        """Takes a plain text as the answer to the only open question of the session; see `App.reply`.

        A message that comes again is what it was: the request whose run has its id, or the answer that bears its key.
        """
        if key:
            run_id = run_id_of(key)
            if await self._engine.get(run_id) is not None:
                return False
            if await self._was_taken(session_id, {key, run_id.replace("run-", "reply-")}):
                return True
        records = await open_records(self._engine, session_id)
        records = [*filter(self._is_asked_here, records)] or records
        return len(records) == 1 and await self.answer(records[0].id, text, person=person, key=key, untrusted=untrusted)

    async def ask(self, run: RunInfo, text: str, options: Sequence[str] = (), *, strict: bool = False) -> str:
        """The `chat` service: asks from inside a YAML task and waits.

        A question that an attempt at the same durable step has asked before is not asked again, and its answer counts;
        a task that asks the same twice asks twice. When an action whose Python was edited asks something new, what the
        same step asked before and does not wait for is closed, so that an answer goes to what is shown. While nothing
        can be written down, the task waits.

        Raises:
            NotAllowedError: the task runs for nobody who could be asked, such as one that was started early.
        """
        answer = await self._asked(run, quoting(text, ()) if run.untrusted else text, options, "input", strict=strict)
        if answer.get("untrusted"):
            run.marks.add(FROM_OUTSIDE)
        return str(answer["text"])

    async def allows(self, run: RunInfo, text: str) -> bool:
        """Asks whether something may be done that a step is about to do; see `ask`.

        Raises:
            NotAllowedError: nobody is there to be asked.
        """
        return is_approved(await self._asked(run, text, (ALLOW, DENY), "approval", strict=False))

    async def _asked(
        self, run: RunInfo, text: str, options: Sequence[str], purpose: str, *, strict: bool
    ) -> dict[str, Json]:
        if not run.idempotency_key:
            raise NotAllowedError("Nobody is there to be asked: this task does not run for a person.")
        from agent.retrying import AsyncRetryingCaller  # noqa: PLC0415 (only a question needs it)

        mark = hashlib.sha256(run.once_key("\0".join([text, *options])).encode()).hexdigest()[:12]

        def has_no_room(error: Exception) -> bool:
            if isinstance(error, HomeNotWritableError):
                log = get_logger(__name__)
                log.warning("a question waits until it can be written down", corr_id=run.corr_id, error=str(error))
            return isinstance(error, HomeNotWritableError)

        forever = AsyncRetryingCaller(None, None, wait_initial=FIRST_PAUSE, wait_max=LONGEST_PAUSE).on(has_no_room)
        ask = partial(self._ask, run, text, options, strict=strict, purpose=purpose)
        return await forever(ask, f"{run.idempotency_key}/ask:{mark}")

    async def close_left(self, run_id: str, inside: str = "") -> None:
        """Closes the questions that a run leaves behind: their steps ended without waiting for the answer.

        Args:
            run_id: the run.
            inside: only questions of tasks inside this step: its durable id.
        """
        for record in await unfinished_records(self._engine, run_id=run_id):
            if record.id.startswith(f"{inside}/" if inside else ""):
                await self._close(record)

    async def _run(self, ctx: Ctx, args: Json) -> Json:
        """The durable task: shows the question once, waits for the answer, returns it."""

        async def show() -> Json:
            question = question_of(ctx.id, args, time.time())
            shown = await self._channels.send_now(dest, lambda transport: transport.send_question(dest.root, question))
            return {**question.model_dump(mode="json"), SHOWN: shown}

        dest = Dest(args["dest"])
        with self._waits.waiting(ctx.id):
            record = dict(await ctx.step("show", show))
            shown = record.pop(SHOWN, True)
            question = Question.model_validate(record)
            self._events.publish(QuestionAsked(question.run_id, question.session_id, question))
            async with contextlib.nullcontext() if shown else self._showing(ctx, dest, question):
                with self._waits.waiting(_answer_of(ctx.id)):
                    answer = await ctx.wait_signal(ANSWER_SIGNAL)
        self._events.publish(QuestionClosed(question.run_id, question.session_id, question.id, str(answer["text"])))
        return answer

    @contextlib.asynccontextmanager
    async def _showing(self, ctx: Ctx, dest: Dest, question: Question) -> AsyncGenerator[None]:
        """Shows a question whose channel was away as soon as that is back, while the block waits for the answer."""

        async def show() -> None:
            if ctx.journal.recall(SHOWN) is None:
                await self._channels.send_when_there(
                    dest, lambda transport: transport.send_question(dest.root, question)
                )
                await ctx.journal.record({SHOWN: True})

        showing = asyncio.create_task(show())
        showing.add_done_callback(_log_failure)
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.wait([showing])

    async def _ask(
        self, run: RunInfo, text: str, options: Sequence[str], wanted: str, *, strict: bool, purpose: str
    ) -> dict[str, Json]:
        """Asks, or goes on with what was asked, and waits.

        Raises:
            HomeNotWritableError: the question, or its answer, cannot be written down now.
        """
        question_id, is_new = await self._id(wanted)
        args: dict[str, Json] = {
            "run_id": run.corr_id,
            "step_id": run.idempotency_key.rsplit(":", 1)[-1],
            "session_id": run.session_id,
            "dest": dict(run.dest),
            "text": text,
            "options": list(options),
            "strict": strict,
            "purpose": purpose,
            ASKED_BY: run.scope,
            QUOTED: run.untrusted,
            OUTSIDE_OPTIONS: list(options) if run.untrusted and purpose == "input" else [],
        }
        with self._waits.waiting(_asker_of(question_id)):
            if is_new:
                await self._close_forgotten(run)
            await self._engine.start(QUESTION_TASK, without_secrets(args), id=question_id)
            await self._engine.resume(question_id)
            record = await self._engine.outcome(question_id)
        return record.result

    async def _id(self, wanted: str) -> tuple[str, bool]:
        """The id of a question, and whether it was never asked; one that was closed is asked anew under another id."""
        number, question_id = 1, wanted
        while (record := await self._engine.get(question_id)) is not None and record.status == "cancelled":
            number += 1
            question_id = f"{wanted}~{number}"
        return question_id, record is None

    async def _close_forgotten(self, run: RunInfo) -> None:
        """Closes what the same step of a task asked before, other than what it waits for now."""
        for record in await unfinished_records(self._engine, run_id=run.corr_id):
            asked_by = record.args.get(ASKED_BY, run.scope)
            inside = record.id.startswith(f"{run.idempotency_key}/")
            if inside and asked_by == run.scope and not self._is_asked_here(record):
                await self._close(record)

    async def _close(self, record: TaskRecord) -> None:
        if await self._engine.cancel(record.id):
            self._events.publish(QuestionClosed(record.args["run_id"], record.args["session_id"], record.id))

    def _is_asked_here(self, record: TaskRecord) -> bool:
        return record.parent is not None or self._waits.inside(_asker_of(record.id))

    def _may_answer(self, person: str, run: TaskRecord | None) -> bool:
        asker = "" if run is None else run.args["incoming"]["person"]
        return person == asker or self._config.profile_of(person).name == "owner"

    async def _was_taken(self, session_id: str, keys: set[str]) -> bool:
        """Whether an answer in the session bears the key of a message, or what an older Aura made of it."""
        done = await self._engine.list(task=QUESTION_TASK, statuses=["done"], limit=MOST_ANSWERS)
        answers = [record.result for record in done if record.args["session_id"] == session_id]
        answers += [await answer_to(self._engine, it) for it in await unfinished_records(self._engine, session_id)]
        return any(answer is not None and answer.get("key") in keys for answer in answers)


def _answer_of(question_id: str) -> str:
    """What is waited for inside a question once it was shown."""
    return f"{question_id}/{ANSWER_SIGNAL}"


def _asker_of(question_id: str) -> str:
    """The code that asks from inside a task, also before its question is there for the person."""
    return f"asker of {question_id}"


def _log_failure(showing: asyncio.Task[None]) -> None:
    if not showing.cancelled() and (error := showing.exception()) is not None:
        get_logger(__name__).error("a question could not be shown", exc_info=error)
