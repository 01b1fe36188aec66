"""Deaths: a step under which the program ends again and again is given up, so that the program can start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.contracts import ExecutorRequest
from agent.errors import AgentError
from agent.questions.desk import waits_for_answer
from aura_core.durable.protocol import Records, StepJournal

MOST_DEATHS = 3
"""So often may the program die with a step, in lives that follow each other, before it is not begun once more."""
ALONE_SECONDS = 30.0
"""A step with which the program died more than once runs without any other such step for so long."""
KEY = "~deaths"


class DeadlyError(AgentError):
    """The program died with a step too often; the message says how often."""


@dataclass(frozen=True, slots=True)
class _Count:
    """What a step that goes on leaves for its next life.

    Attributes:
        deaths: lives that have ended with it since it last got further.
        entries: how far its journal had come when this life began.
    """

    deaths: int
    entries: int


class CrashLoopGuard:
    """Keeps in mind, for steps that go on after their program was ended, that they may be why.

    What ended the program twice in a row runs alone from then on, so that it takes nothing along that is innocent.

    Args:
        records: say what waits for a person.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def watched(self, request: ExecutorRequest, journal: StepJournal) -> AsyncGenerator[None]:
        """Around a task of a step.

        Work that has got further since the last life, waits for a person, or is broken off in good order, has harmed
        nobody.

        Args:
            request: the step.
            journal: what it has done so far.

        Raises:
            DeadlyError: the program has died with it too often; it does not begin.
        """
        if not journal.resumed or await waits_for_answer(self._records, request):
            yield
            return
        before = _Count(**(journal.recall(KEY) or {"deaths": 0, "entries": -1}))
        deaths = before.deaths + 1 if journal.length == before.entries else 1
        if deaths > MOST_DEATHS:
            step = request.step
            raise DeadlyError(
                f"Aura ended {deaths} times while {step.title or step.id} ({step.task or step.kind}) was running, so "
                f"it is not begun again. Does an action of it end the process, or need more memory than there is? An "
                f"action of kind `cpu` has a process of its own."
            )
        async with self._for_a_while_alone(deaths):
            await journal.record({KEY: {"deaths": deaths, "entries": journal.length}})
            try:
                yield
            except asyncio.CancelledError:
                await journal.record({KEY: {"deaths": before.deaths, "entries": journal.length}})
                raise

    @asynccontextmanager
    async def _for_a_while_alone(self, deaths: int) -> AsyncGenerator[None]:
        if deaths == 1:
            yield
            return
        await self._alone.acquire()
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._alone.release()

        timer = asyncio.get_running_loop().call_later(ALONE_SECONDS, release)
        try:
            yield
        finally:
            timer.cancel()
            release()
