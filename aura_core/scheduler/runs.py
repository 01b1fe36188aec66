"""Runs: the life of one firing: recorded, begun when its turn has come, and how it ended is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from aura_core.errors import NotFoundError, ScheduleStoreError
from aura_core.ground.events import EventBus
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of
from aura_core.scheduler.book import JobBook
from aura_core.scheduler.events import JobEnded, JobFired, JobSkipped
from aura_core.scheduler.job import Firing, FiringEnd, Job
from aura_core.scheduler.lines import Lines

Start = Callable[[Job, Firing], Awaitable[FiringEnd]]


class Runs:
    """Records firings before they run, runs them in line, and marks them when they have ended.

    Args:
        book: the jobs, and the clock.
        start: runs a job to its end.
        events: where `JobFired`, `JobEnded` and `JobSkipped` go.

    Attributes:
        jobs: those that this program runs, by id, as they were read last.
        behind: a firing could not be looked up, and is to be taken up again.
    """

    def __init__(self, book: JobBook, start: Start, events: EventBus) -> None:
        self.jobs: dict[str, Job] = {}
        self.behind = False
        self._book = book
        self._store = book.store
        self._start = start
        self._events = events
        self._lines = Lines(self._run, self._emptied)
        self._records = asyncio.Lock()
        self._log = get_logger(__name__)

    def busy(self, job: str) -> bool:
        """Whether a run of a job goes on."""
        return self._lines.busy(job)

    async def take_up(self, takes: Callable[[Job], bool]) -> None:
        """Reads the jobs anew, and puts into line what was recorded and has not ended.

        Args:
            takes: which jobs this program runs now.
        """
        async with self._records:
            self.behind = False
            self.jobs = {job.id: job for job in await asyncio.to_thread(self._store.jobs) if takes(job)}
            for firing in await asyncio.to_thread(self._store.unfinished):
                if firing.job in self.jobs and firing not in self._lines:
                    self._lines.put(self.jobs[firing.job], firing)

    async def fire(self, job: Job, firings: Sequence[Firing], next_at: datetime | None) -> None:
        """Records what a job is due for and when it is due next, and puts it into line.

        Args:
            job: as it is known here.
            firings: one at least.
            next_at: see `JobStore.fire`.
        """
        async with self._records:
            for firing in await asyncio.to_thread(self._store.fire, firings, next_at, was=job.next_at):
                self._lines.put(job, firing)

    async def ask(self, job: Job, firing: Firing) -> None:
        """Records a firing that no clock asked for, and puts it into line; nothing if its job was removed meanwhile."""
        async with self._records:
            with suppress(NotFoundError):
                self._lines.put(job, await self._book.ask(firing))

    async def close(self) -> None:
        """Cancels what runs; it is not marked as ended."""
        await self._lines.close()

    def _emptied(self, name: str) -> None:
        """Has a job looked at that stayed due while a run of it went on."""
        job = self.jobs.get(name)
        if job is not None and job.next_at is not None and job.next_at <= self._book.now():
            self._book.wake()

    async def _run(self, queued: Job, firing: Firing) -> None:
        """Runs a firing whose turn has come, if it still shall run, as its job is described now."""
        try:
            wanted = await asyncio.to_thread(self._store.begin, firing)
        except ScheduleStoreError as error:
            self._log.error("job_not_started", job=queued.id, corr_id=firing.id, reason=str(error))
            self.behind = True
            return
        job = self.jobs.get(queued.id, queued)
        if not wanted:
            self._log.info("job_removed_in_line", job=job.id, corr_id=firing.id)
            self._events.publish(JobSkipped(job, firing.due, "removed"))
            return
        self._events.publish(JobFired(job, firing))
        end = await self._end_of(job, firing)
        try:
            await self._keep(firing, end)
        except ScheduleStoreError as error:
            self._log.error("job_end_not_kept", job=job.id, corr_id=firing.id, reason=str(error))
        except Exception as error:  # noqa: BLE001 (logged; a firing that never ends would silence its job)
            self._log.exception("job_end_not_kept", job=job.id, corr_id=firing.id)
            end = FiringEnd("error", f"How it ended cannot be kept: {type(error).__name__}.")
            await self._keep(firing, end)
        self._events.publish(JobEnded(job, firing, end))

    async def _keep(self, firing: Firing, end: FiringEnd) -> None:
        async with self._records:
            await asyncio.to_thread(self._store.finish, firing, end, self._book.now())

    async def _end_of(self, job: Job, firing: Firing) -> FiringEnd:
        """Runs a firing to its end, however it breaks off."""
        try:
            return await self._start(job, firing)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._log.warning("job_cancelled", job=job.id, corr_id=firing.id)
            return FiringEnd("cancelled", "Its run was cancelled.")
        except Exception as error:  # noqa: BLE001 (logged, kept and said; the other jobs go on)
            self._log.exception("job_broke_off", job=job.id, corr_id=firing.id)
            return FiringEnd("error", reason_of(error))
