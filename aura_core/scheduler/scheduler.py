"""Scheduler: sleeps until a job is due, and has it run, once per moment (issue 4)."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Self

from aura_core.errors import ScheduleError, ScheduleStoreError
from aura_core.ground.events import EventBus
from aura_core.ground.logger import get_logger
from aura_core.scheduler.book import JobBook, by_start, no_job
from aura_core.scheduler.chains import EventChains
from aura_core.scheduler.events import JobSkipped
from aura_core.scheduler.forgetting import Forgetting
from aura_core.scheduler.job import Firing, Job, firing_id
from aura_core.scheduler.missed import moments_to_run
from aura_core.scheduler.runs import Runs, Start
from aura_core.scheduler.triggers import Cron, Every, next_after

GRACE = timedelta(minutes=1)
"""What is noticed later than this was missed: the program was away, or the machine asleep."""
LONGEST_SLEEP = 60.0
"""Seconds; so a clock that was changed, or a machine that slept, is noticed."""


class Scheduler:
    """Starts jobs when they are due.

        book = JobBook(JobStore(Path("jobs.db")))
        async with Scheduler(book, start, events=bus):
            await book.add(Job("tea", "kitchen/tea", Every(3600, datetime.now(UTC))))

    Each firing is recorded before it runs and marked when it has ended. After a kill, those that were recorded and
    have not ended are given to `start` again, so that must be idempotent by `firing.id`; then none is lost and none
    runs twice.

    Args:
        book: the jobs, and the clock.
        start: runs a job to its end.
        events: where events come from and where `JobFired`, `JobEnded` and `JobSkipped` go.
        accepts: whether this process can run a job now; others stay due until one can. Asked anew after `JobBook.wake`.
        look_seconds: how often the file is looked at for changes by another program.
    """

    def __init__(
        self,
        book: JobBook,
        start: Start,
        *,
        events: EventBus,
        accepts: Callable[[Job], bool] = lambda _: True,
        look_seconds: float = 2.0,
    ) -> None:
        self.book = book
        self._store = book.store
        self._events = events
        self._now = book.now
        self._accepts = accepts
        self._look = min(look_seconds, LONGEST_SLEEP)
        self._due: list[tuple[datetime, int, str]] = []
        self._runs = Runs(book, start, events)
        self._chains = EventChains(book, self._runs, events)
        self._forgetting = Forgetting(book)
        self._version: tuple[int, int] | None = None
        self._file = 0
        self._looked_at = book.now()
        self._doubtful = True
        self._loop: asyncio.Task[None] | None = None
        self._log = get_logger(__name__)

    async def __aenter__(self) -> Self:
        """See `start`."""
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """See `stop`."""
        await self.stop()

    async def start(self, declared: Iterable[Job] | None = None, held: Callable[[Job], bool] = no_job) -> None:
        """Opens the file and begins to run jobs.

        Args:
            declared: the jobs of plans, exactly; None leaves those of last time.
            held: which jobs cannot be started now; see `JobBook.declare`.

        Raises:
            ScheduleStoreError: the file cannot be used.
        """
        await asyncio.to_thread(self._store.open)
        await self._forgetting.at_once()
        if declared is not None:
            await self.book.declare(declared, held)
        self._file, _ = await asyncio.to_thread(self._store.version)
        self._version, self._doubtful = None, True
        self._loop = asyncio.create_task(self._run_loop(), name="scheduler")

    async def stop(self) -> None:
        """Stops; runs are cancelled here and not marked as ended, so that they go on after the next start."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        await self._chains.close()
        await self._runs.close()

    async def _run_loop(self) -> None:
        while True:
            try:
                await self._reload()
                await self._fire_due()
                await self._forgetting.daily()
                seconds = self._seconds_to_sleep()
            except ScheduleStoreError as error:
                self._log.error("jobs_not_started", reason=str(error))
                seconds = self._begin_anew()
            except Exception:  # noqa: BLE001 (logged; one mistake does not end all jobs)
                self._log.exception("jobs_not_started")
                seconds = self._begin_anew()
            await self._sleep(seconds)

    def _begin_anew(self) -> float:
        """Forgets what was read of the jobs; seconds until they are read again."""
        self._version, self._due = None, []
        self.book.changed.clear()
        return self._look

    def _seconds_to_sleep(self) -> float:
        if not self._due:
            return self._look
        return min(self._look, max(0.0, (self._due[0][0] - self._now()).total_seconds()))

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.book.changed.wait()

    async def _reload(self) -> None:
        """Reads the jobs anew if they were changed, here or by another program, and takes up unfinished firings."""
        version = await asyncio.to_thread(self._store.version)
        now = self._look_at_clock()
        same = version == self._version and not self._runs.behind
        if same and not self._doubtful and not self.book.changed.is_set():
            return
        self.book.changed.clear()
        if version[0] != self._file or self.book.behind:
            await self.book.declare_again()
            self._file = version[0]
        if self._doubtful:
            await self._correct_times(now)
            self._doubtful = False
        await self._runs.take_up(self._takes)
        self._version = version
        jobs = self._runs.jobs.values()
        self._due = [(job.next_at, -job.priority, job.id) for job in jobs if job.next_at is not None]
        heapq.heapify(self._due)
        await self._chains.listen()

    def _look_at_clock(self) -> datetime:
        now = self._now()
        self._doubtful = self._doubtful or now < self._looked_at
        self._looked_at = now
        return now

    def _takes(self, job: Job) -> bool:
        return not self.book.held(job) and self._accepts(job)

    async def _correct_times(self, now: datetime) -> None:
        """Plans anew what was planned while the clock was ahead of the truth: it would wait for that future.

        A true clock has no moment of a job between now and the planned one. A moment that comes a second time is
        known by its firing. What has no moment although its rule gives one is planned, too.
        """
        for job in await asyncio.to_thread(self._store.jobs):
            planned = job.next_at
            if not isinstance(job.trigger, Cron | Every) or (planned is not None and planned <= now):
                continue
            next_at = next_after(job.trigger, now)
            if next_at is not None and (planned is None or next_at < planned):
                await asyncio.to_thread(self._store.postpone, job.id, next_at, was=planned)

    async def _fire_due(self) -> None:
        if self.book.changed.is_set():
            return  # read first what was changed meanwhile
        now = self._look_at_clock()
        due: list[Job] = []
        while self._due and self._due[0][0] <= now:
            due.append(self._runs.jobs[heapq.heappop(self._due)[2]])
        for job in by_start(due):
            await self._fire(job, now)

    async def _fire(self, job: Job, now: datetime) -> None:
        """Records and runs what a job is due for, unless its former run goes on."""
        first, busy = job.next_at or now, self._runs.busy(job.id) and job.missed != "all"
        if busy and job.missed == "once" and now - first > GRACE:
            return  # missed, and to be made up for: it stays due until that run has ended
        try:
            next_at = next_after(job.trigger, now)
            moments = [] if busy else moments_to_run(job.trigger, job.missed, first, now, GRACE)
        except ScheduleError as error:
            self._log.error("job_stays_due", job=job.id, reason=str(error))
            return
        if not moments:
            await asyncio.to_thread(self._store.postpone, job.id, next_at, was=job.next_at)
            if not (busy and await asyncio.to_thread(self._store.recorded, firing_id(job.id, first))):
                self._events.publish(JobSkipped(job, first, "still running" if busy else "missed"))
        else:
            firings = [Firing(firing_id(job.id, moment), job.id, moment) for moment in moments]
            await self._runs.fire(job, firings, next_at)
        self._runs.jobs[job.id] = replace(job, next_at=next_at)
        if next_at is not None:
            heapq.heappush(self._due, (next_at, -job.priority, job.id))
