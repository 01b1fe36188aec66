"""Generations: the current one, the earlier ones that runs still need, and their end."""

from __future__ import annotations

import asyncio
from contextvars import Context
from functools import partial

from aura_core.generations.snapshot import Generation


class Generations:
    """Keeps each generation until the last run that began with it has ended; then what only it had is closed.

    Args:
        first: the one to begin with.

    Attributes:
        current: the one with which a run begins now.
    """

    def __init__(self, first: Generation) -> None:
        self.current = first
        self._earlier: list[Generation] = []
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def living(self) -> list[Generation]:
        """The current one, and those that runs still need."""
        return [*self._earlier, self.current]

    def take(self, generation: Generation) -> None:
        """Makes a generation the current one; runs in flight keep theirs."""
        earlier, self.current = self.current, generation
        if not earlier.codes:
            return
        self._earlier.append(earlier)
        earlier.refcount.when_idle = partial(self._left, earlier)
        if not earlier.refcount.count:
            self._left(earlier)

    async def settled(self) -> None:
        """Waits until everything that nobody needs any more has ended."""
        while self._ending:
            await asyncio.wait(self._ending)

    async def close(self) -> None:
        """Ends all of them; whatever still runs loses its services."""
        await self.settled()
        while self._earlier:
            await self._end(self._earlier[0])
        await self.current.services.close()
        for code in self.current.codes:
            code.unload()

    def _left(self, generation: Generation) -> None:
        """Nobody needs a generation any more; ended apart from whatever run was the last one."""
        task = asyncio.get_running_loop().create_task(self._end(generation), context=Context())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, generation: Generation) -> None:
        """Closes and unloads what no other living generation has; a second time finds nothing, or what came later."""
        if generation in self._earlier:
            self._earlier.remove(generation)
        living = self.living
        await generation.services.close(keep=[cell for one in living for cell in one.services.cells])
        needed = {id(code) for one in self.living for code in one.codes}
        for code in generation.codes:
            if id(code) not in needed:
                code.unload()
