"""Places: how many calls of one model run at once, and what may only run while there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Places:
    """Calls run side by side up to a bound, in the order in which they came; other work waits until nobody calls.

    Args:
        at_once: how many calls may run side by side.
    """

    def __init__(self, at_once: int) -> None:
        self._calls = asyncio.Semaphore(at_once)
        self._at_once = at_once
        self._wanted = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._lowest = asyncio.Lock()

    @asynccontextmanager
    async def call(self) -> AsyncGenerator[None]:
        """One place, for the block; waits for it, and at most for one piece of the work that runs when nobody calls."""
        self._wanted += 1
        self._quiet.clear()
        try:
            async with self._calls:
                yield
        finally:
            self._wanted -= 1
            if not self._wanted:
                self._quiet.set()

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """All places, for one short piece of work of the lowest priority: it begins when no call runs or waits."""
        async with self._lowest:
            while self._wanted:
                await self._quiet.wait()
            for _ in range(self._at_once):
                await self._calls.acquire()
            try:
                yield
            finally:
                for _ in range(self._at_once):
                    self._calls.release()
