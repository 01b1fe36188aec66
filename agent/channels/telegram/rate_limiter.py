"""How fast the bot may speak: Telegram's limits per chat and overall, with room kept for what must arrive."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls in any `seconds`, of which `kept` are only for calls that must arrive."""

    count: int
    seconds: float
    kept: int


PRIVATE_LIMITS = (Limit(3, 3, 1),)
GROUP_LIMITS = (Limit(3, 3, 1), Limit(19, 60, 8))
OVERALL_LIMITS = (Limit(28, 1, 10),)


class Window:
    """Calls of the last seconds, and when the next one may come."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._calls: deque[float] = deque()

    def delay(self, now: float, *, urgent: bool) -> float:
        """Seconds until a call may come; 0 is now.

        Args:
            now: seconds on any clock that never goes back.
            urgent: whether it may use the room that is kept.
        """
        while self._calls and self._calls[0] <= now - self._limit.seconds:
            self._calls.popleft()
        allowed = self._limit.count if urgent else self._limit.count - self._limit.kept
        if len(self._calls) < allowed:
            return 0.0
        return self._calls[len(self._calls) - allowed] + self._limit.seconds - now

    def note(self, now: float) -> None:
        """Counts a call."""
        self._calls.append(now)


class RateLimiter:
    """Gives turns to calls. What must arrive waits for its turn; what is merely nice is dropped when there is none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._overall = [Window(limit) for limit in OVERALL_LIMITS]
        self._chats: dict[int, list[Window]] = {}
        self._held: dict[int, float] = {}

    def delay(self, chat_id: int, *, urgent: bool = True) -> float:
        """Seconds until a call to the chat may be made."""
        now = self._clock()
        held = self._held.get(chat_id, 0.0) - now
        return max(0.0, held, *(window.delay(now, urgent=urgent) for window in self._windows(chat_id)))

    def spare(self, chat_id: int) -> bool:
        """Takes a turn if there is one to spare right now."""
        if self.delay(chat_id, urgent=False) > 0:
            return False
        self._note(chat_id)
        return True

    async def turn(self, chat_id: int) -> None:
        """Waits for a turn, the kept room included."""
        while (delay := self.delay(chat_id)) > 0:  # noqa: ASYNC110 (time is what is waited for)
            await asyncio.sleep(delay)
        self._note(chat_id)

    def is_held(self, chat_id: int) -> bool:
        """Whether Telegram asked for silence in the chat."""
        return self._held.get(chat_id, 0.0) > self._clock()

    def hold(self, chat_id: int, seconds: float) -> None:
        """No call to the chat for so long: Telegram's retry_after."""
        self._held[chat_id] = max(self._held.get(chat_id, 0.0), self._clock() + seconds)

    def _windows(self, chat_id: int) -> list[Window]:
        if chat_id not in self._chats:
            limits = GROUP_LIMITS if chat_id < 0 else PRIVATE_LIMITS
            self._chats[chat_id] = [Window(limit) for limit in limits]
        return [*self._chats[chat_id], *self._overall]

    def _note(self, chat_id: int) -> None:
        now = self._clock()
        for window in self._windows(chat_id):
            window.note(now)
