"""Limits: how many tasks of a queue run at once, at most one per resource, by priority among those who wait."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(order=True, slots=True)
class _Waiter:
    """Who waits; ordered by priority, higher first, then by the order of starting."""

    order: tuple[int, int]
    ready: asyncio.Future[None] = field(compare=False)


class WorkQueue:
    """Hands out slots: at most `limit` at once, and at most one for each resource.

    A slot goes to the first in order whose resource is free; who waits for a busy resource holds nobody else up.

    Args:
        name: for messages.
        limit: slots, at least 1.
    """

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self.running = 0
        self._busy: set[Hashable] = set()
        self._waiting: dict[Hashable, list[_Waiter]] = {}
        self._heads: list[tuple[tuple[int, int], int, Hashable]] = []
        self._entries = 0

    async def acquire(self, resource: str | None, order: tuple[int, int]) -> None:
        """Waits for a slot.

        Args:
            resource: at most one holder at a time; None shares with all.
            order: lower goes first.
        """
        waiter = _Waiter(order, asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting.setdefault(resource, []), waiter)
        self._offer(resource)
        self._grant()
        try:
            await waiter.ready
        except asyncio.CancelledError:
            if waiter.ready.done() and not waiter.ready.cancelled():
                self.release(resource)
            raise

    def release(self, resource: str | None) -> None:
        """Gives a slot back, and to whoever is next."""
        self.running -= 1
        self._busy.discard(resource)
        self._offer(resource)
        self._grant()

    def _offer(self, resource: Hashable) -> None:
        """Lets the first waiter of a free resource compete for the next slot."""
        waiters = self._waiting.get(resource)
        while waiters and waiters[0].ready.cancelled():
            heapq.heappop(waiters)
        if not waiters:
            self._waiting.pop(resource, None)
        elif resource not in self._busy:
            self._entries += 1
            heapq.heappush(self._heads, (waiters[0].order, self._entries, resource))

    def _grant(self) -> None:
        """Gives free slots away. An entry of `_heads` that is out of date is dropped: a newer one stands for it."""
        while self.running < self.limit and self._heads:
            order, _, resource = heapq.heappop(self._heads)
            waiters = self._waiting.get(resource, [])
            if resource in self._busy or not waiters or waiters[0].order != order:
                continue
            if not waiters[0].ready.cancelled():
                waiter = heapq.heappop(waiters)
                self.running += 1
                if resource is not None:
                    self._busy.add(resource)
                waiter.ready.set_result(None)
            self._offer(resource)


class Slot:
    """One task's place in its queue: taken while its own code runs, given back while it waits for others."""

    def __init__(self, queue: WorkQueue | None, resource: str | None, order: tuple[int, int]) -> None:
        self._queue = queue
        self._resource = resource
        self._order = order
        self._held = False

    async def take(self) -> None:
        """Waits until the task may run."""
        if self._queue is not None and not self._held:
            await self._queue.acquire(self._resource, self._order)
            self._held = True

    def give_back(self) -> None:
        """Lets the next one run; harmless if nothing is held."""
        if self._queue is not None and self._held:
            self._held = False
            self._queue.release(self._resource)
