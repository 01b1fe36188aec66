"""Lingering: keeps the places of tasks that have ended while a thread or process still works for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aura_core.execution.job import Job


class Lingering:
    """Whoever waits for the places, or would end the plans, of a task that has ended waits for its last call too."""

    def __init__(self) -> None:
        self._holders: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._holders)

    def hold(self, job: Job) -> None:
        """Takes the places of a job that is ending, and gives them back when its unfinished calls have returned."""
        places, usage = job.slots.hand_over(), job.world.usage

        async def wait() -> None:
            async with places:
                while job.unfinished:
                    ends = [asyncio.wrap_future(work) for work in list(job.unfinished)]
                    await asyncio.gather(*ends, return_exceptions=True)

        holder = asyncio.create_task(wait())
        self._holders.add(holder)
        holder.add_done_callback(self._holders.discard)
        usage.begin()
        holder.add_done_callback(lambda _holder: usage.end())

    async def ended(self) -> None:
        """Waits until no place is kept any more."""
        while self._holders:
            await asyncio.wait(self._holders)

    async def end(self, grace: float) -> None:
        """Waits for the last calls, at most so many seconds, and gives the places back."""
        holders = list(self._holders)
        if holders:
            await asyncio.wait(holders, timeout=grace)
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)
