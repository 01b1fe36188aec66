"""AbandonedCalls: keeps the places of a task while a call that nobody waits for still runs in a pool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aura_core.execution.calls import end_of

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import AsyncExitStack

    from aura_core.execution.calls import Unfinished, Work
    from aura_core.execution.slots import Slots
    from aura_core.submission.job import Job


class AbandonedCalls:
    """Whoever waits for the places of a task, or would end its plans, waits for its last call too."""

    def __init__(self) -> None:
        self._waits: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._waits)

    def follow(self, slots: Slots, work: Work) -> None:
        """A running task gave a call up: it counts as one more branch, so that a question gives no place back."""
        slots.split(2)
        self._begin(_end_branch(slots, work))

    def hold(self, job: Job) -> None:
        """Takes the places of a job that is ending, and gives them back when its unfinished calls have returned."""
        refcount = job.snapshot.refcount
        refcount.begin()
        self._begin(_give_back(job.slots.hand_over(), job.unfinished)).add_done_callback(lambda _wait: refcount.end())

    async def ended(self) -> None:
        """Waits until nothing is waited for any more."""
        while self._waits:
            await asyncio.wait(self._waits)

    async def end(self, grace: float) -> None:
        """Waits for the last calls, at most so many seconds, and gives the places back."""
        waits = list(self._waits)
        if waits:
            await asyncio.wait(waits, timeout=grace)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    def _begin(self, waiting: Coroutine[None, None, None]) -> asyncio.Task[None]:
        wait = asyncio.create_task(waiting)
        self._waits.add(wait)
        wait.add_done_callback(self._waits.discard)
        return wait


async def _end_branch(slots: Slots, work: Work) -> None:
    await end_of(work)
    await slots.end_branch()


async def _give_back(places: AsyncExitStack, unfinished: Unfinished) -> None:
    async with places:
        while unfinished:
            await asyncio.wait([end_of(work) for work in unfinished])
