"""The event bus inside one process: whoever draws progress subscribes, whoever works publishes."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

EventT = TypeVar("EventT")
DEFAULT_BACKLOG = 1000


class Subscription(Generic[EventT]):
    """The events one subscriber has not read yet; iterate it with `async for`.

    A subscriber that falls more than `backlog` events behind loses the oldest ones (`lost` counts them):
    progress is a picture, never the record; the record is in the durable store.
    """

    def __init__(self, kind: type[EventT], wanted: Callable[[EventT], bool] | None, backlog: int) -> None:
        self._kind = kind
        self._wanted = wanted
        self._queue: asyncio.Queue[EventT] = asyncio.Queue(backlog)
        self.lost = 0

    def offer(self, event: object) -> None:
        """Takes an event if it is of the wanted kind; drops the oldest one when full."""
        if not isinstance(event, self._kind) or (self._wanted is not None and not self._wanted(event)):
            return
        if self._queue.full():
            self._queue.get_nowait()
            self.lost += 1
        self._queue.put_nowait(event)

    async def next(self) -> EventT:
        """Waits for the next event."""
        return await self._queue.get()

    def pending(self) -> list[EventT]:
        """Takes out all events that are there now, without waiting."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    async def __aiter__(self) -> AsyncIterator[EventT]:
        while True:
            yield await self._queue.get()


class EventBus:
    """Hands each published event to every subscription, in order, without ever waiting."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription[object]] = []

    @property
    def has_subscribers(self) -> bool:
        """Whether anybody listens; whoever publishes often need not make events for nobody."""
        return bool(self._subscriptions)

    def publish(self, event: object) -> None:
        """Offers `event` to every subscription. Costs nothing when nobody listens."""
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def subscribe(
        self,
        kind: type[EventT],
        wanted: Callable[[EventT], bool] | None = None,
        *,
        backlog: int = DEFAULT_BACKLOG,
    ) -> Generator[Subscription[EventT]]:
        """Subscribes for the block.

        Args:
            kind: class of events to receive; `object` for all.
            wanted: further condition on an event.
            backlog: how many unread events are kept.
        """
        subscription = Subscription(kind, wanted, backlog)
        self._subscriptions.append(subscription)  # pyright: ignore[reportArgumentType] (`offer` narrows by kind)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)  # pyright: ignore[reportArgumentType] (the one added above)
