"""Replies: a plain text that may be the answer to the only open question of its session, decided once per message."""

from __future__ import annotations

import hashlib
import uuid
from typing import Protocol

from agent.questions.desk import QuestionDesk
from aura_core.durable.protocol import Ctx, Engine, Json

REPLY_TASK = "reply"


class Answer(Protocol):
    """Hands an answer over (see `App.answer`)."""

    async def __call__(self, question_id: str, text: str, *, person: str, key: str = "") -> bool:
        """Whether it was taken."""
        ...


class Replies:
    """Takes plain texts.

    Args:
        engine: remembers what a message was.
        desk: knows what is asked.
        answer: takes an answer.
    """

    def __init__(self, engine: Engine, desk: QuestionDesk, answer: Answer) -> None:
        self._engine = engine
        self._desk = desk
        self._answer = answer
        engine.task(REPLY_TASK, self._reply)

    async def take(self, session_id: str, text: str, *, person: str, key: str) -> bool:
        """Whether a text is an answer; see `App.reply`."""
        args = {"session_id": session_id, "text": text, "person": person}
        reply_id = f"reply-{digest(key)}"
        await self._engine.start(REPLY_TASK, args, id=reply_id)
        await self._engine.resume(reply_id)
        record = await self._engine.outcome(reply_id)
        return record.result is True

    async def _reply(self, ctx: Ctx, args: Json) -> Json:
        async def find() -> Json:
            questions = await self._desk.answerable(args["session_id"])
            return questions[0].id if len(questions) == 1 else None

        async def give(question_id: str) -> Json:
            if await self._answer(question_id, args["text"], person=args["person"], key=ctx.id):
                return True
            record = await self._engine.get(question_id)
            return record is not None and record.status == "done" and record.result.get("key") == ctx.id

        question_id = await ctx.step("find", find)
        return question_id is not None and await ctx.step("give", give, question_id)


def digest(key: str) -> str:
    """What stands for the key of a message in an id; by chance, if it has none."""
    return hashlib.sha256(key.encode()).hexdigest()[:16] if key else uuid.uuid4().hex[:12]
