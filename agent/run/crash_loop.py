"""CrashLoopGuard: a step with which the program crashes again and again is given up, so that the program can start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.contracts import ExecutorRequest
from agent.errors import AgentError
from agent.questions.records import waits_for_answer
from aura_core.durable.protocol import Records, StepJournal

MOST_CRASHES = 3
"""After so many crashes in a row a step is not begun again."""
ALONE_SECONDS = 30.0
"""For this long a step runs alone, without other suspects beside it, after it crashed twice in a row."""
KEY = "~deaths"
"""The entry in the journal; this name and those of `_Count` are in the stores of people."""


class CrashLoopError(AgentError):
    """The program crashed with a step too often; the message says how often."""


@dataclass(frozen=True, slots=True)
class _Count:
    """What a step that goes on leaves for its next life.

    Attributes:
        deaths: crashes in a row since it last got further.
        entries: how far its journal had come when this life of the program began.
    """

    deaths: int
    entries: int


class CrashLoopGuard:
    """Counts, for each step that goes on after its program was killed, how often that happened in a row.

    After the second time the step runs alone for a while: if it is the culprit, it no longer stops others beside it.

    Args:
        records: say what waits for a person.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def watched(self, request: ExecutorRequest, journal: StepJournal) -> AsyncGenerator[None]:
        """Around a task of a step.

        A step is not suspected if it got further since the last crash, waits for a person, or is cancelled.

        Args:
            request: the step.
            journal: what it has done so far.

        Raises:
            CrashLoopError: the program crashed with it too often; it does not begin.
        """
        if not journal.resumed or await waits_for_answer(self._records, request):
            yield
            return
        before = _Count(**(journal.recall(KEY) or {"deaths": 0, "entries": -1}))
        deaths = before.deaths + 1 if journal.length == before.entries else 1
        if deaths > MOST_CRASHES:
            step = request.step
            raise CrashLoopError(
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
