"""Jobs: all tasklets that wait or run, and how they are brought to an end when nothing is taken any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from aura_core.submission.job import Job

ENDING_SECONDS = 1.0
"""What is cancelled may take so long to end, however short the grace period is."""

_log = get_logger(__name__)


class Jobs:
    """The jobs whose submitters wait."""

    def __init__(self) -> None:
        self._jobs: set[Job] = set()
        self._idle = asyncio.Event()
        self._deaf: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """One more waits or runs."""
        self._jobs.add(job)

    def discard(self, job: Job) -> None:
        """Its submitter has its result."""
        self._jobs.discard(job)
        if not self._jobs:
            self._idle.set()

    async def end(self, grace: float) -> None:
        """Ends all: what has not begun at once, what runs after the grace period.

        What has not ended after a second one, of a second at least, is let go: it ignores that it was cancelled, or a
        hook after its end hangs. When this returns, every submitter has a result.

        Args:
            grace: seconds.
        """
        self._end_all(job for job in self._jobs if not job.begun)
        if await self._drained(grace):
            return
        self._end_all(self._jobs)
        grace = max(grace, ENDING_SECONDS)
        if await self._drained(grace):
            return
        _log.error("tasks_ignore_cancellation", tasks=sorted(job.task.ref for job in self._jobs))
        for job in self._jobs:
            self._let_go(job)
        await self._drained(grace)

    def _end_all(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            job.end("shutdown")

    def _let_go(self, job: Job) -> None:
        if job.work is not None:
            self._deaf.add(job.work)
            job.work.add_done_callback(self._deaf.discard)
        job.let_go()

    async def _drained(self, seconds: float) -> bool:
        """Waits until no job is left, at most so many seconds; False if some are."""
        self._idle.clear()
        if not self._jobs:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
