"""Scheduler: sleeps until a job is due or something happens, and starts its run, once per moment (issue 4)."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Self

import structlog

from aura_core.errors import NotFoundError, ScheduleError, ScheduleStoreError
from aura_core.events import EventBus
from aura_core.reasons import reason_of
from aura_core.scheduler.book import JobBook, by_start, no_job
from aura_core.scheduler.events import JobEnded, JobFired, JobSkipped
from aura_core.scheduler.job import PREFIX, Firing, FiringEnd, Job, firing_id
from aura_core.scheduler.lines import Lines
from aura_core.scheduler.listener import Listener
from aura_core.scheduler.missed import moments_to_run
from aura_core.scheduler.topics import Happening, matches
from aura_core.scheduler.triggers import Cron, Every, OnEvent, next_after

Start = Callable[[Job, Firing], Awaitable[FiringEnd]]
GRACE = timedelta(minutes=1)
"""What is noticed later than this was missed: the program was away, or the machine asleep."""
LONGEST_SLEEP = 60.0
"""Seconds; so a clock that was changed, or a machine that slept, is noticed."""
LONGEST_CHAIN = 4
"""So many jobs may follow from one another through events."""
KEPT = timedelta(days=7)
"""How long ended firings are remembered, so that no change of the clock runs one twice."""


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
        accepts: whether this process can run a job now; others stay due until one can. Asked anew after `wake`.
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
        self._start = start
        self._events = events
        self._now = book.now
        self._accepts = accepts
        self._look = min(look_seconds, LONGEST_SLEEP)
        self._jobs: dict[str, Job] = {}
        self._due: list[tuple[datetime, int, str]] = []
        self._lines = Lines(self._run, self._emptied)
        self._records = asyncio.Lock()
        self._listener = Listener(events, self._happened)
        self._version: tuple[int, int] | None = None
        self._file = 0
        self._looked_at = book.now()
        self._doubtful = True
        self._loop: asyncio.Task[None] | None = None
        self._log = structlog.get_logger(__name__)

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
        await asyncio.to_thread(self._store.prune, self._now() - KEPT)
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
        await self._listener.close()
        await self._lines.close()

    def wake(self) -> None:
        """Looks at the clock, the file and `accepts` at once: call it when one of them has changed."""
        self.book.changed.set()

    async def _run_loop(self) -> None:
        while True:
            try:
                await self._reload()
                await self._fire_due()
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
        if version == self._version and not self._doubtful and not self.book.changed.is_set():
            return
        self.book.changed.clear()
        if version[0] != self._file:
            await self.book.declare_again()
            self._file = version[0]
        if self._doubtful:
            await self._correct_times(now)
            self._doubtful = False
        async with self._records:
            self._jobs = {job.id: job for job in await asyncio.to_thread(self._store.jobs) if self._takes(job)}
            for firing in await asyncio.to_thread(self._store.unfinished):
                if firing.job in self._jobs and firing not in self._lines:
                    self._lines.put(self._jobs[firing.job], firing)
        self._version = version
        self._due = [(job.next_at, -job.priority, job.id) for job in self._jobs.values() if job.next_at is not None]
        heapq.heapify(self._due)
        await self._listener.listen({str(pattern) for pattern in map(_pattern, self._jobs.values()) if pattern})

    def _look_at_clock(self) -> datetime:
        now = self._now()
        self._doubtful = self._doubtful or now < self._looked_at - GRACE
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
            due.append(self._jobs[heapq.heappop(self._due)[2]])
        for job in by_start(due):
            await self._fire(job, now)

    async def _fire(self, job: Job, now: datetime) -> None:
        """Records and runs what a job is due for, unless its former run goes on."""
        first, busy = job.next_at or now, self._lines.busy(job.id) and job.missed != "all"
        if busy and job.missed == "once" and now - first > GRACE:
            return  # missed, and to be made up for: it stays due, see `_emptied`
        try:
            next_at = next_after(job.trigger, now)
            moments = [] if busy else moments_to_run(job.trigger, job.missed, first, now, GRACE)
        except ScheduleError as error:
            self._log.error("job_stays_due", job=job.id, reason=str(error))
            return
        if not moments:
            await asyncio.to_thread(self._store.postpone, job.id, next_at, was=job.next_at)
            self._events.publish(JobSkipped(job, first, "still running" if busy else "missed"))
        else:
            firings = [Firing(firing_id(job.id, moment), job.id, moment) for moment in moments]
            async with self._records:
                for firing in await asyncio.to_thread(self._store.fire, firings, next_at, was=job.next_at):
                    self._lines.put(job, firing)
        self._jobs[job.id] = replace(job, next_at=next_at)
        if next_at is not None:
            heapq.heappush(self._due, (next_at, -job.priority, job.id))

    def _emptied(self, name: str) -> None:
        """Looks again at a job that stayed due while a run of it went on."""
        job = self._jobs.get(name)
        if job is not None and job.next_at is not None and job.next_at <= self._now():
            self.book.changed.set()

    async def _happened(self, happening: Happening) -> None:
        """Starts the jobs that wait for an event, but none whose own run led to it."""
        chain = await self._chain(happening.corr_id)
        for job in list(self._jobs.values()):
            pattern = _pattern(job)
            if pattern is None or not matches(pattern, happening):
                continue
            now = self._now()
            if job.id in chain or len(chain) >= LONGEST_CHAIN:
                self._events.publish(JobSkipped(job, now, "loop"))
            elif self._lines.busy(job.id) and job.missed != "all":
                self._events.publish(JobSkipped(job, now, "still running"))
            else:
                await self._begin(job, happening, chain)

    async def _begin(self, job: Job, happening: Happening, chain: tuple[str, ...]) -> None:
        asked = Firing("", job.id, self._now(), "event", happening.facts, chain)
        async with self._records:
            with suppress(NotFoundError):  # it was removed meanwhile
                self._lines.put(job, await self.book.ask(asked))

    async def _chain(self, corr_id: str) -> tuple[str, ...]:
        """The jobs whose runs led to a run; empty if it was not a job's."""
        firing = await asyncio.to_thread(self._store.firing, corr_id) if corr_id.startswith(PREFIX) else None
        return () if firing is None else (*firing.chain, firing.job)

    async def _run(self, queued: Job, firing: Firing) -> None:
        """Runs a firing whose turn has come, if it still shall run, as its job is described now."""
        try:
            wanted = await asyncio.to_thread(self._store.begin, firing)
        except ScheduleStoreError as error:
            self._log.error("job_not_started", job=queued.id, corr_id=firing.id, reason=str(error))
            self._version = None  # it is taken up again when the file can be read
            return
        job = self._jobs.get(queued.id, queued)
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
            await asyncio.to_thread(self._store.finish, firing, end, self._now())

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


def _pattern(job: Job) -> str | None:
    return job.trigger.pattern if isinstance(job.trigger, OnEvent) else None
