"""Scheduler: sleeps until a job is due, and has it run, once per moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

from aura_core.errors import AuraError, HomeNotWritableError, ScheduleError
from aura_core.ground.events import EventBus
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of
from aura_core.scheduler.events import JobEnded, JobFired
from aura_core.scheduler.job import NEVER, Firing, FiringEnd, Job
from aura_core.scheduler.job_queue import Moved, asked, begun, corrected, ended, fired
from aura_core.scheduler.jobs import Jobs, by_moment, no_job
from aura_core.scheduler.listener import Listener

KEPT = timedelta(days=7)
"""How long a job for one moment is remembered after it ran, so that a step that is repeated finds the one it added."""
Start = Callable[[Job, Firing], Awaitable[FiringEnd]]


class Scheduler:
    """Starts jobs when they are due.

        jobs = Jobs(documents)
        async with Scheduler(jobs, start, events=bus):
            await jobs.add(Job("tea", "kitchen/tea", Every(3600, datetime.now(UTC))))

    What is due is put into its job's queue before it runs, in the same write that plans the next moment, and taken out
    when it has ended. After a kill, what the queues hold is given to `start` again, so that must be idempotent by
    `firing.id`; then nothing is lost and nothing runs twice, also when a clock that was put back comes to a moment
    again.

    Args:
        jobs: the jobs, and the clock.
        start: runs a job to its end, or finds that the run of this firing has ended.
        events: where events come from and where `JobFired`, `JobEnded` and `JobSkipped` go.
        accepts: whether this process can run a job now; others stay due until one can. Asked anew after `Jobs.wake`.
        look_seconds: how often to look for changes by another program, and of the clock.
    """

    def __init__(
        self,
        jobs: Jobs,
        start: Start,
        *,
        events: EventBus,
        accepts: Callable[[Job], bool] = lambda _: True,
        look_seconds: float = 2.0,
    ) -> None:
        self.jobs = jobs
        self._start = start
        self._events = events
        self._accepts = accepts
        self._look_seconds = look_seconds
        self._listener = Listener(events, jobs.now, self._fire_event)
        self._held: Callable[[Job], bool] = no_job
        self._declared: tuple[Job, ...] | None = None
        self._mine: dict[str, Job] = {}
        self._revision: int | None = None
        self._looked_at = datetime.max.replace(tzinfo=UTC)
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._clock: asyncio.Task[None] | None = None
        self._log = get_logger(__name__)

    async def __aenter__(self) -> Self:
        """See `start`."""
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """See `stop`."""
        await self.stop()

    async def start(self, declared: Iterable[Job] | None = None, held: Callable[[Job], bool] = no_job) -> None:
        """Begins to run jobs.

        Args:
            declared: the jobs of plans, exactly; None leaves those of last time.
            held: which jobs can neither be declared nor started now; see `declare`.

        Raises:
            AuraError: the jobs cannot be declared.
        """
        if declared is not None:
            self._held = held
            await self.jobs.declare(declared, held)
        self._clock = asyncio.create_task(self._watch_clock(), name="scheduler")

    def declare(self, declared: Iterable[Job], held: Callable[[Job], bool] = no_job) -> None:
        """Has the jobs of plans be exactly these, at once, or as soon as the store can be written.

        Args:
            declared: the jobs of plans.
            held: which jobs can neither be declared nor started now, because their plan cannot be read: they stay as
                they are, and due, until other ones are held.
        """
        self._held, self._declared = held, tuple(declared)
        self.jobs.wake()

    async def stop(self) -> None:
        """Stops; runs are cancelled here and stay in their queues, so that they go on after the next start."""
        if self._clock is not None:
            await _cancel([self._clock])
            self._clock = None
        await self._listener.close()
        await _cancel(list(self._runs.values()))

    async def _watch_clock(self) -> None:
        while True:
            try:
                await self._look()
            except AuraError as error:
                self._log.error("jobs_not_started", reason=str(error))
                self._revision = None
            except Exception:  # noqa: BLE001 (logged; one mistake does not end all jobs)
                self._log.exception("jobs_not_started")
                self._revision = None
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_sleep()):
                    await self.jobs.changed.wait()

    def _seconds_to_sleep(self) -> float:
        """Until the next moment of a job, but not longer than until the next look."""
        now = self.jobs.now()
        moments = [job.next_at for job in self._mine.values() if job.next_at is not None]
        waits = [(moment - now).total_seconds() for moment in moments if moment > self._looked_at]
        return max(0.0, min([self._look_seconds, *waits]))

    async def _look(self) -> None:
        """Takes in what was changed, here or by another program, fires what is due, and runs what is queued."""
        woken, now = self.jobs.changed.is_set(), self.jobs.now()
        self.jobs.changed.clear()
        if (declared := self._declared) is not None:
            await self.jobs.declare(declared, self._held)
            self._declared = None if self._declared is declared else self._declared
        put_back = now < self._looked_at
        revision = await self.jobs.revision()
        if woken or put_back or revision != self._revision:
            await self._read(now, put_back=put_back)
            self._revision = revision
        self._looked_at = now
        due = [job for job in self._mine.values() if job.next_at is not None and job.next_at <= now]
        for job in by_moment(due):
            await self._fire_due(job, now)
        for job in self._mine.values():
            self._run_queue(job)

    async def _read(self, now: datetime, *, put_back: bool) -> None:
        jobs = await self.jobs.by_id()
        for job in list(jobs.values()):
            if job.finished and (job.last_at or NEVER) < now - KEPT:
                await self.jobs.forget(job)
                del jobs[job.id]
            elif put_back and corrected(job, now) != job:
                jobs[job.id] = await self.jobs.change(job.id, partial(corrected, now=now)) or job
        self._mine = {name: job for name, job in jobs.items() if not self._held(job) and self._accepts(job)}
        await self._listener.listen(self._mine.values())

    async def _fire_due(self, job: Job, now: datetime) -> None:
        try:
            await self._move(job, partial(fired, now=now))
        except ScheduleError as error:
            self._log.error("job_stays_due", job=job.id, reason=str(error))

    async def _fire_event(self, job: Job, firing: Firing) -> None:
        await self._move(job, partial(asked, firing=firing))

    async def _move(self, job: Job, step: Callable[[Job], Moved]) -> None:
        """Changes a job as it is kept, and has it run if something is in its queue then."""
        moved = await self.jobs.move(job.id, step)
        if moved is None:
            return  # removed meanwhile
        kept, skipped = moved
        if job.id in self._mine:
            self._mine[job.id] = kept
        if skipped is not None:
            self._events.publish(skipped)
        self._run_queue(kept)

    def _run_queue(self, job: Job) -> None:
        if job.queue and job.id not in self._runs:
            self._runs[job.id] = asyncio.create_task(self._work_off(job.id), name=f"job {job.id}")

    async def _work_off(self, name: str) -> None:
        """Runs what is in a job's queue, one after another, each as the job is described by then."""
        try:
            while (job := await self.jobs.change(name, begun)) is not None and job.queue:
                await self._run(job, job.queue[0])
            self.jobs.wake()  # it may have stayed due
        except AuraError as error:
            self._log.error("job_not_run", job=name, reason=str(error))
        except Exception:  # noqa: BLE001 (logged; its queue is taken up again at the next look)
            self._log.exception("job_not_run", job=name)
        finally:
            del self._runs[name]

    async def _run(self, job: Job, firing: Firing) -> None:
        self._listener.remember(firing)
        self._events.publish(JobFired(job, firing))
        end = await self._end_of(job, firing)
        await self.jobs.change(job.id, partial(ended, firing=firing, end=end))
        self._events.publish(JobEnded(job, firing, end))

    async def _end_of(self, job: Job, firing: Firing) -> FiringEnd:
        """Runs a firing to its end, however it breaks off.

        Raises:
            HomeNotWritableError: its run is not ended by that; it stays in the queue, and goes on when there is room.
        """
        try:
            return await self._start(job, firing)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._log.warning("job_cancelled", job=job.id, corr_id=firing.id)
            return FiringEnd("cancelled", "Its run was cancelled.")
        except HomeNotWritableError:
            raise
        except Exception as error:  # noqa: BLE001 (logged, kept and said; the other jobs go on)
            self._log.exception("job_broke_off", job=job.id, corr_id=firing.id)
            return FiringEnd("error", reason_of(error))


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
