"""Listener: hears the event bus while there are jobs that wait for events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

from aura_core.errors import CoreError
from aura_core.ground.events import EventBus, Subscription
from aura_core.ground.logger import get_logger
from aura_core.scheduler.topics import Happening, happening_of, matches


class Listener:
    """Hands on what happens, one after another, if a pattern means it.

    Args:
        events: the bus; subscribed to only while there are patterns.
        happened: told of each happening.
    """

    def __init__(self, events: EventBus, happened: Callable[[Happening], Awaitable[None]]) -> None:
        self._events = events
        self._happened = happened
        self._patterns: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None
        self._log = get_logger(__name__)

    async def listen(self, patterns: AbstractSet[str]) -> None:
        """From now on listens for these patterns and no others."""
        self._patterns = frozenset(patterns)
        if not patterns:
            await self.close()
        elif self._task is None:
            subscribed = asyncio.Event()
            self._task = asyncio.create_task(self._hear(subscribed), name="scheduler events")
            await subscribed.wait()

    async def close(self) -> None:
        """Stops listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _wanted(self, event: object) -> bool:
        happening = happening_of(event)
        return happening is not None and any(matches(pattern, happening) for pattern in self._patterns)

    async def _hear(self, subscribed: asyncio.Event) -> None:
        with self._events.subscribe(object, self._wanted) as events:
            subscribed.set()
            await self._hand_on(events)

    async def _hand_on(self, events: Subscription[object]) -> None:
        async for event in events:
            happening = happening_of(event)
            if happening is None:
                continue
            try:
                await self._happened(happening)
            except CoreError as error:
                self._log.error("event_not_taken", topic=happening.topic, reason=str(error))
            except Exception:  # noqa: BLE001 (logged; one event does not silence those after it)
                self._log.exception("event_not_taken", topic=happening.topic)
