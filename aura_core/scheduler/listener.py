"""Listener: hears the event bus while there are jobs that wait for events, and lets no chain of them go round."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from aura_core.errors import AuraError
from aura_core.ground.events import EventBus, Subscription
from aura_core.ground.logger import get_logger
from aura_core.scheduler.events import JobSkipped
from aura_core.scheduler.job import Firing, Job
from aura_core.scheduler.topics import Happening, happening_of, matches
from aura_core.scheduler.triggers import OnEvent

LONGEST_CHAIN = 4
"""The most jobs that may follow from one another through events."""
REMEMBERED = 1000
"""Of how many runs, the latest ones, it is kept which jobs led to them: their last events come after their end."""


class Listener:
    """Fires the jobs that wait for an event when it happens, but none whose own run led to it.

    Args:
        events: the bus; subscribed to only while jobs wait for events. Takes `JobSkipped`.
        now: the clock.
        fire: fires a job.
    """

    def __init__(
        self, events: EventBus, now: Callable[[], datetime], fire: Callable[[Job, Firing], Awaitable[None]]
    ) -> None:
        self._events = events
        self._now = now
        self._fire = fire
        self._patterns: dict[str, tuple[Job, str]] = {}
        self._chains: dict[str, tuple[str, ...]] = {}
        self._task: asyncio.Task[None] | None = None
        self._log = get_logger(__name__)

    async def listen(self, jobs: Iterable[Job]) -> None:
        """From now on listens for what these jobs wait for, and for nothing else."""
        waiting = ((job, job.trigger) for job in jobs)
        self._patterns = {job.id: (job, trigger.pattern) for job, trigger in waiting if isinstance(trigger, OnEvent)}
        if not self._patterns:
            await self.close()
        elif self._task is None:
            subscribed = asyncio.Event()
            self._task = asyncio.create_task(self._hear(subscribed), name="scheduler events")
            await subscribed.wait()

    def remember(self, firing: Firing) -> None:
        """Says that the run of a firing begins: its events do not fire the jobs that led to it."""
        self._chains[firing.id] = (*firing.chain, firing.job)
        if len(self._chains) > REMEMBERED:
            del self._chains[next(iter(self._chains))]

    async def close(self) -> None:
        """Stops listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _wanted(self, event: object) -> bool:
        happening = happening_of(event)
        return happening is not None and any(matches(pattern, happening) for _, pattern in self._patterns.values())

    async def _hear(self, subscribed: asyncio.Event) -> None:
        with self._events.subscribe(object, self._wanted) as events:
            subscribed.set()
            await self._hand_on(events)

    async def _hand_on(self, events: Subscription[object]) -> None:
        async for event in events:
            happening = happening_of(event)
            if happening is None:
                continue
            for job, pattern in list(self._patterns.values()):
                if matches(pattern, happening):
                    await self._happened(job, happening)

    async def _happened(self, job: Job, happening: Happening) -> None:
        chain = self._chains.get(happening.corr_id, ())
        now = self._now()
        if job.id in chain or len(chain) >= LONGEST_CHAIN:
            self._events.publish(JobSkipped(job, now, "loop"))
            return
        try:
            await self._fire(job, Firing("", job.id, now, "event", happening.facts, chain))
        except AuraError as error:
            self._log.error("event_not_taken", job=job.id, topic=happening.topic, reason=str(error))
        except Exception:  # noqa: BLE001 (logged; one event does not silence those after it)
            self._log.exception("event_not_taken", job=job.id, topic=happening.topic)
