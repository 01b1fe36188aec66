"""Door: what tasks of a case go through; it counts who is inside, and knows when each came in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter


class Door:
    """A service for the action `enter`, and the same work for bare contestants.

    Args:
        tags: per number, the resources that it holds while it is inside.
        work: what it does inside.

    Attributes:
        most: resource -> how many were inside at once, at most.
        entered: number -> when it came in, on the clock of `perf_counter`.
        first: set when anybody is inside.
    """

    def __init__(self, tags: Sequence[Sequence[str]], work: Callable[[int], Awaitable[object]]) -> None:
        self._tags = tags
        self._work = work
        self._inside: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.entered: dict[int, float] = {}
        self.first = asyncio.Event()

    async def enter(self, number: int) -> None:
        """Goes in, works, goes out."""
        self.entered[number] = perf_counter()
        self.first.set()
        tags = self._tags[number]
        for tag in tags:
            inside = self._inside[tag] = self._inside.get(tag, 0) + 1
            self.most[tag] = max(self.most.get(tag, 0), inside)
        try:
            await self._work(number)
        finally:
            for tag in tags:
                self._inside[tag] -= 1
