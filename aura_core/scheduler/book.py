"""JobBook: adding, removing and listing jobs, and asking for one to run; whether or not a scheduler runs here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aura_core.errors import NotFoundError, ScheduleError, ScheduleStoreError
from aura_core.ground.suggestions import hint, sentence
from aura_core.scheduler.job import Firing, Job, described, firing_id
from aura_core.scheduler.rows import Unreadable
from aura_core.scheduler.storable import storable
from aura_core.scheduler.store import JobStore
from aura_core.scheduler.triggers import Every, OnEvent, Trigger, next_after

Now = Callable[[], datetime]
TICK = timedelta(microseconds=1)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def no_job(_job: Job) -> bool:
    """Of no job at all."""
    return False


class JobBook:
    """What may be done with jobs.

    Args:
        store: the file of jobs, open.
        now: the clock.

    Attributes:
        changed: set when something here changed, for the scheduler of this process.
        held: which jobs are not started now although they may be due; see `declare`.
        behind: what was declared could not be kept, and is to be declared again.
    """

    def __init__(self, store: JobStore, now: Now = utc_now) -> None:
        self.store = store
        self.now = now
        self.changed = asyncio.Event()
        self.held: Callable[[Job], bool] = no_job
        self.behind = False
        self._declared: dict[str, Job] | None = None
        self._declaring = asyncio.Lock()

    def wake(self) -> None:
        """Has the scheduler of this process look at the clock, the file and what it accepts at once."""
        self.changed.set()

    async def jobs(self) -> list[Job]:
        """Jobs that may run again, the next one first; those that only events start come last."""
        jobs = [job for job in await asyncio.to_thread(self.store.jobs) if not job.finished]
        return sorted(jobs, key=lambda job: (job.next_at is None, job.next_at or self.now(), -job.priority, job.id))

    async def job(self, name: str) -> Job:
        """One job.

        Raises:
            NotFoundError: there is none of this id; names the nearest.
        """
        jobs = {job.id: job for job in await self.jobs()}
        if name not in jobs:
            advice = hint(name, jobs, what="there are")
            raise NotFoundError(sentence(f"There is no job {name!r}", advice, "there are no jobs at all"))
        return jobs[name]

    async def known(self, name: str) -> Job | None:
        """The job of an id, also one that has run and will not run again; None if there is none."""
        return {job.id: job for job in await asyncio.to_thread(self.store.jobs)}.get(name)

    async def unreadable(self) -> list[Unreadable]:
        """Jobs and firings that cannot be read, and why."""
        return await asyncio.to_thread(self.store.unreadable)

    async def add(self, job: Job) -> Job:
        """Adds a job; a second one with the same id changes nothing.

        Returns:
            The job as it is kept.

        Raises:
            ScheduleError: it would never run.
            ScheduleStoreError: it cannot be stored.
        """
        kept = await self.known(job.id)
        if kept is not None:
            return kept
        now = self.now()
        planned = replace(job, created_at=now, next_at=next_after(job.trigger, now))
        if planned.next_at is None and planned.trigger.kind != "on_event":
            raise ScheduleError(f"The job {job.id} ({job.trigger}) would never run: its time has passed.")
        if await asyncio.to_thread(self.store.add, planned):
            self.wake()
            return planned
        return await self.known(job.id) or planned

    async def remove(self, name: str, *, declared: bool = True) -> Job:
        """Removes a job; a run of it that goes on is not ended, one that waits in line does not begin.

        Args:
            name: its id.
            declared: whether its plan still declares it, if it is a plan's.

        Returns:
            The job as it was; of one that cannot be read, all that is known: its id.

        Raises:
            NotFoundError: there is none.
            ScheduleError: a plan declares it, so that it would come back.
        """
        job = await self._removable(name)
        if job.source == "plan" and declared:
            raise declared_in_plan(job)
        await asyncio.to_thread(self.store.remove, name)
        self.wake()
        return job

    async def _removable(self, name: str) -> Job:
        try:
            return await self.job(name)
        except NotFoundError:
            if ("job", name) not in {(one.kind, one.id) for one in await self.unreadable()}:
                raise
        return Job(name, "", OnEvent(""))

    async def run_now(self, name: str) -> Firing:
        """Asks for a job to run at once, beside its usual times.

        Raises:
            NotFoundError: there is none.
        """
        job = await self.job(name)
        return await self.ask(Firing(id="", job=job.id, due=self.now(), reason="asked"))

    async def ask(self, firing: Firing) -> Firing:
        """Records a firing that no clock asked for, under an id of its own; gives it as it is kept."""
        firing, due = replace(firing, event=storable(firing.event)), firing.due
        while True:
            named = replace(firing, id=firing_id(firing.job, due), due=due)
            if await asyncio.to_thread(self.store.ask, named):
                self.wake()
                return named
            if not await asyncio.to_thread(self.store.recorded, named.id):
                raise NotFoundError(f"There is no job {firing.job!r} any more.")
            due += TICK

    async def declare(self, declared: Iterable[Job], held: Callable[[Job], bool] = no_job) -> None:
        """Makes the jobs of plans be exactly these: new ones are added, changed ones replaced, others removed.

        Moments change only with the trigger: whatever else was edited, a job stays due when it was, and an interval
        counts on from where it began.

        Args:
            declared: the jobs of plans.
            held: which jobs can neither be declared nor started now, because their plan cannot be read: they stay as
                they are, and are due, until `declare` is told otherwise.

        Raises:
            ScheduleStoreError: the file cannot be used now; the scheduler of this process makes up for it.
        """
        self.held = held
        self._declared = {job.id: job for job in declared}
        try:
            await self.declare_again()
        finally:
            self.wake()

    async def declare_again(self) -> None:
        """Puts the jobs of plans into a file that is another one now, or could not be used when they were declared.

        If nothing was declared here, those in the file stay.

        Raises:
            ScheduleStoreError: the file cannot be used now.
        """
        async with self._declaring:
            self.behind = False
            try:
                await self._declare(self._declared, self.held)
            except ScheduleStoreError:
                self.behind = True
                raise

    async def _declare(self, wanted: Mapping[str, Job] | None, held: Callable[[Job], bool]) -> None:
        if wanted is None:
            return
        known = {job.id: job for job in await asyncio.to_thread(self.store.jobs) if job.source == "plan"}
        damaged = {one.id for one in await self.unreadable() if one.kind == "job"}
        for name in known.keys() - wanted.keys():
            if not held(known[name]):
                await asyncio.to_thread(self.store.remove, name)
        for name, job in wanted.items():
            if name in known:
                await self._redeclare(known[name], job)
            elif name in damaged:
                await self._mend(job)
            else:
                await self.add(job)

    async def _redeclare(self, before: Job, job: Job) -> None:
        fresh = replace(job, created_at=before.created_at)
        if not same_trigger(before.trigger, job.trigger):
            await asyncio.to_thread(self.store.replace, replace(fresh, next_at=next_after(job.trigger, self.now())))
            return
        fresh = replace(fresh, trigger=before.trigger)
        if fresh != described(before):
            await asyncio.to_thread(self.store.describe, fresh)

    async def _mend(self, job: Job) -> None:
        """Puts what a plan declares in the place of what cannot be read; if it can, the job stays due when it was."""
        await asyncio.to_thread(self.store.describe, replace(job, created_at=self.now()))
        if await self.known(job.id) is None:
            await asyncio.to_thread(self.store.remove, job.id)
            await self.add(job)


def declared_in_plan(job: Job) -> ScheduleError:
    """Why a job of a plan cannot be removed."""
    return ScheduleError(
        f"The job {job.id} is declared in the task {job.task}; take `schedule` or `on_event` out of its meta."
    )


def same_trigger(before: Trigger, now: Trigger) -> bool:
    """Whether two triggers mean the same moments; where an interval began to count is not said in a plan."""
    if isinstance(before, Every) and isinstance(now, Every):
        return before.seconds == now.seconds
    return before == now


def by_start(jobs: Sequence[Job]) -> list[Job]:
    """Jobs that are due, in the order in which they start: by moment, then the higher priority first."""
    return sorted(jobs, key=lambda job: (job.next_at is None, job.next_at or job.created_at, -job.priority, job.id))
