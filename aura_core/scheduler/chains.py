"""Chains: events start jobs, whose runs lead to further events; none goes round."""

from __future__ import annotations

import asyncio

from aura_core.ground.events import EventBus
from aura_core.scheduler.book import JobBook
from aura_core.scheduler.events import JobSkipped
from aura_core.scheduler.job import PREFIX, Firing, Job
from aura_core.scheduler.listener import Listener
from aura_core.scheduler.runs import Runs
from aura_core.scheduler.topics import Happening, matches
from aura_core.scheduler.triggers import OnEvent

LONGEST_CHAIN = 4
"""So many jobs may follow from one another through events."""


class EventChains:
    """Starts the jobs that wait for an event, but none whose own run led to it.

    Args:
        book: the jobs, and the clock.
        runs: runs them, and knows which there are.
        events: where events come from and where `JobSkipped` goes.
    """

    def __init__(self, book: JobBook, runs: Runs, events: EventBus) -> None:
        self._book = book
        self._runs = runs
        self._events = events
        self._listener = Listener(events, self._happened)

    async def listen(self) -> None:
        """From now on listens for what the jobs wait for that there are now."""
        patterns = map(_pattern, self._runs.jobs.values())
        await self._listener.listen({pattern for pattern in patterns if pattern is not None})

    async def close(self) -> None:
        """Stops listening."""
        await self._listener.close()

    async def _happened(self, happening: Happening) -> None:
        chain = await self._chain(happening.corr_id)
        for job in list(self._runs.jobs.values()):
            pattern = _pattern(job)
            if pattern is None or not matches(pattern, happening):
                continue
            now = self._book.now()
            if job.id in chain or len(chain) >= LONGEST_CHAIN:
                self._events.publish(JobSkipped(job, now, "loop"))
            elif self._runs.busy(job.id) and job.missed != "all":
                self._events.publish(JobSkipped(job, now, "still running"))
            else:
                await self._runs.ask(job, Firing("", job.id, now, "event", happening.facts, chain))

    async def _chain(self, corr_id: str) -> tuple[str, ...]:
        """The jobs whose runs led to a run; empty if it was not a job's."""
        if not corr_id.startswith(PREFIX):
            return ()
        firing = await asyncio.to_thread(self._book.store.firing, corr_id)
        return () if firing is None else (*firing.chain, firing.job)


def _pattern(job: Job) -> str | None:
    return job.trigger.pattern if isinstance(job.trigger, OnEvent) else None
