"""PrioritySemaphore: lets so many in at once; the highest priority goes first, then the oldest; nobody starves."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from itertools import count

Turn = asyncio.Future[None]
Waiter = tuple[int, int, Turn]
PATIENCE = 16
"""So many places in a row may go to waiters who came later but matter more; the next one is the oldest waiter's."""


class PrioritySemaphore:
    """A semaphore with priorities, fair among equals, and within `PATIENCE` fair to all.

    A released place is handed to the first waiter directly, so nobody who comes later can take it away.

    Args:
        limit: how many may hold it at once, 1 or more.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = limit
        self._waiters: list[Waiter] = []
        self._arrivals: deque[Turn] = deque()
        self._waiting = 0
        self._overtaken = 0
        self._order = count()

    @property
    def held(self) -> int:
        """How many places are taken now."""
        return self.limit - self._free

    @property
    def waiting(self) -> int:
        """How many wait for a place now."""
        return self._waiting

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
        self._arrivals.append(turn)
        self._waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            else:
                self._waiting -= 1
                self._forget_the_gone()
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

    def _hand_out(self) -> None:
        while self._free > 0 and (turn := self._next()) is not None:
            self._free -= 1
            self._waiting -= 1
            turn.set_result(None)

    def _next(self) -> Turn | None:
        """Whose turn it is; None if nobody waits."""
        arrivals = self._arrivals
        while arrivals and arrivals[0].done():
            arrivals.popleft()
        if not arrivals:
            return None
        oldest = arrivals[0]
        if self._overtaken == PATIENCE:
            first = oldest
            self._forget_the_gone()
        else:
            while (first := heapq.heappop(self._waiters)[2]).done():
                pass
        if first is oldest:
            self._overtaken = 0
            arrivals.popleft()
        else:
            self._overtaken += 1
            self._forget_the_gone()
        return first

    def _forget_the_gone(self) -> None:
        """Those who have gone are swept out when they are half of a queue, so that both queues stay in proportion."""
        most = 2 * self._waiting + 1
        if len(self._waiters) > most:
            self._waiters = [waiter for waiter in self._waiters if not waiter[2].done()]
            heapq.heapify(self._waiters)
        if len(self._arrivals) > most:
            self._arrivals = deque(turn for turn in self._arrivals if not turn.done())
