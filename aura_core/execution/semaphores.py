"""PrioritySemaphore: lets so many in at once; among waiters the highest priority goes first, then the oldest."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import Self

Waiter = tuple[int, int, "asyncio.Future[None]"]


class PrioritySemaphore:
    """A semaphore with priorities, fair among equals.

    A released place is handed to the first waiter directly, so nobody who comes later can overtake it.

    Args:
        limit: how many may hold it at once, 1 or more.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = limit
        self._waiters: list[Waiter] = []
        self._given_up = 0
        self._order = count()

    @property
    def held(self) -> int:
        """How many places are taken now."""
        return self.limit - self._free

    @property
    def waiting(self) -> int:
        """How many wait for a place now."""
        return len(self._waiters) - self._given_up

    async def acquire(self, priority: int = 0) -> None:
        """Takes a place, waiting for one if need be.

        Args:
            priority: higher goes first.
        """
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (-priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            else:
                self._forget_one()
            raise

    def release(self) -> None:
        """Gives a place back: to the first waiter, or to whoever comes next."""
        self._free += 1
        self._hand_out()

    def resize(self, limit: int) -> None:
        """Changes the limit; a smaller one takes effect as places are given back."""
        self._free += limit - self.limit
        self.limit = limit
        self._hand_out()

    def at(self, priority: int) -> Place:
        """An asynchronous context manager that holds a place for the block."""
        return Place(self, priority)

    def _hand_out(self) -> None:
        while self._free > 0 and self._waiters:
            turn = heapq.heappop(self._waiters)[2]
            if turn.done():
                self._given_up -= 1
            else:
                self._free -= 1
                turn.set_result(None)

    def _forget_one(self) -> None:
        self._given_up += 1
        if self._given_up * 2 > len(self._waiters):
            self._waiters = [waiter for waiter in self._waiters if not waiter[2].done()]
            heapq.heapify(self._waiters)
            self._given_up = 0


class Place:
    """One place of a semaphore, held for a block."""

    __slots__ = ("_priority", "_semaphore")

    def __init__(self, semaphore: PrioritySemaphore, priority: int) -> None:
        self._semaphore = semaphore
        self._priority = priority

    async def __aenter__(self) -> Self:
        await self._semaphore.acquire(self._priority)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._semaphore.release()
