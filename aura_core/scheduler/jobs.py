"""Jobs: adding, removing and listing jobs, and asking for one to run; whether or not a scheduler runs here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from aura_core.errors import NotFoundError, ScheduleError
from aura_core.ground.logger import get_logger
from aura_core.ground.suggestions import hint, sentence
from aura_core.scheduler.job import Firing, Job
from aura_core.scheduler.job_documents import NAMESPACE, Unreadable, UnreadableJobError, job_of, value_of
from aura_core.scheduler.job_queue import Moved, asked, redeclared
from aura_core.scheduler.triggers import OnEvent, next_after
from aura_core.storage.documents import Document, Documents, Json, change
from aura_core.storage.json_values import same

Now = Callable[[], datetime]
_log = get_logger(__name__)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def no_job(_job: Job) -> bool:
    """Of no job at all."""
    return False


class Jobs:
    """All jobs, each a document of its own that several programs may change.

    Every method raises HomeNotWritableError or DurableError when the store cannot be used. A job that cannot be read
    is logged and left out; it stops no other one.

    Args:
        documents: the store.
        now: the clock.
        timezone: of jobs that plans declare without naming one; empty takes the machine's.

    Attributes:
        timezone: as given.
        changed: set when something here changed, for the scheduler of this process.
    """

    def __init__(self, documents: Documents, now: Now = utc_now, timezone: str = "") -> None:
        self.now = now
        self.timezone = timezone
        self.changed = asyncio.Event()
        self._documents = documents
        self._said: set[Unreadable] = set()
        self._known: dict[str, tuple[int, Job]] = {}

    def wake(self) -> None:
        """Has the scheduler of this process look at the clock, the jobs and what it accepts at once."""
        self.changed.set()

    async def revision(self) -> int:
        """Another number after every change of a job, by whatever program."""
        return await self._documents.revision(NAMESPACE)

    async def by_id(self) -> dict[str, Job]:
        """Every job that can be read, by id; also those that ran and will not run again."""
        return (await self._read())[0]

    async def unreadable(self) -> list[Unreadable]:
        """Jobs that cannot be read, and why."""
        return (await self._read())[1]

    async def upcoming(self) -> list[Job]:
        """Jobs that may run again, the next one first; those that only events start come last."""
        return by_moment(job for job in (await self.by_id()).values() if not job.finished)

    async def get(self, name: str) -> Job:
        """One job that may run again.

        Raises:
            NotFoundError: there is none of this id; names the nearest.
        """
        jobs = {job.id: job for job in await self.upcoming()}
        if name not in jobs:
            advice = hint(name, jobs, what="there are")
            raise NotFoundError(sentence(f"There is no job {name!r}", advice, "there are no jobs at all"))
        return jobs[name]

    async def add(self, job: Job) -> Job:
        """Adds a job; a second one with the same id changes nothing.

        Returns:
            The job as it is kept.

        Raises:
            ScheduleError: it would never run, holds what is not JSON, or has the id of one that cannot be read.
        """
        kept = (await self.by_id()).get(job.id)
        if kept is not None:
            return kept
        planned = planned_from(job, self.now())
        if planned.next_at is None and planned.trigger.kind != "on_event":
            raise ScheduleError(f"The job {job.id} ({job.trigger}) would never run: its time has passed.")
        while await self._documents.put(NAMESPACE, job.id, value_of(planned), expected=0) is None:
            jobs, unreadable = await self._read()
            if job.id in jobs:
                return jobs[job.id]
            if job.id in {one.job for one in unreadable}:
                raise ScheduleError(
                    f"There is a job {job.id} already, which cannot be read; remove it: aura schedule remove {job.id}."
                )
        self.wake()
        return planned

    async def remove(self, name: str, *, declared: bool = True) -> Job:
        """Removes a job; a run of it that goes on is not ended, those that wait for it do not begin.

        Args:
            name: its id.
            declared: whether its plan still declares it, if it is a plan's.

        Returns:
            The job as it was; of one that cannot be read, all that is known: its id.

        Raises:
            NotFoundError: there is none.
            ScheduleError: a plan declares it, so that it would come back.
        """
        try:
            job = await self.get(name)
        except NotFoundError:
            if name not in {one.job for one in await self.unreadable()}:
                raise
            job = Job(name, "", OnEvent(""))
        if job.source == "plan" and declared:
            raise declared_in_plan(job)
        await self._documents.delete(NAMESPACE, name)
        self.wake()
        return job

    async def run_now(self, name: str) -> Firing:
        """Asks for a job to run at once, beside its usual times.

        Raises:
            NotFoundError: there is none.
            ScheduleError: too many of its runs wait already.
        """
        job = await self.get(name)
        moved = await self.move(job.id, partial(asked, firing=Firing("", job.id, self.now(), "asked")))
        if moved is None:
            raise NotFoundError(f"There is no job {name!r} any more.")
        self.wake()
        return moved[0].queue[-1]

    async def move(self, name: str, moved: Callable[[Job], Moved]) -> Moved | None:
        """Changes a job by a function of what it is at that moment.

        Args:
            name: its id.
            moved: gives the new job, and why it is skipped if it is; may be called several times.

        Returns:
            What the function gave; None if there is no such job that can be read, and then nothing was changed.
        """
        last: Moved | None = None

        def new_value(value: Json) -> Json:
            nonlocal last
            try:
                job = job_of(name, value)
            except UnreadableJobError:
                last = None
                return value
            last = moved(job)
            new = value_of(last[0])
            return value if same(new, value_of(job)) else new

        await change(self._documents, NAMESPACE, name, new_value)
        return last

    async def change(self, name: str, changed: Callable[[Job], Job]) -> Job | None:
        """Changes a job as `move` does, by a function that skips nothing; gives the new one."""
        moved = await self.move(name, lambda job: (changed(job), None))
        return None if moved is None else moved[0]

    async def forget(self, job: Job) -> None:
        """Forgets a job that was to run once and has."""
        await self._documents.delete(NAMESPACE, job.id)

    async def declare(self, declared: Iterable[Job], held: Callable[[Job], bool] = no_job) -> None:
        """Makes the jobs of plans be exactly these: new ones are added, changed ones replaced, others removed.

        Moments change only with the trigger: whatever else was edited, a job stays due when it was, and an interval
        counts on from where it began. A job that cannot be kept is logged and left out.

        Args:
            declared: the jobs of plans.
            held: which jobs cannot be declared now, because their plan cannot be read: they stay as they are.
        """
        wanted, now = {job.id: job for job in declared}, self.now()
        jobs, unreadable = await self._read()
        for name, job in jobs.items():
            if job.source == "plan" and name not in wanted and not held(job):
                await self._documents.delete(NAMESPACE, name)
        for name, job in wanted.items():
            try:
                if name in {one.job for one in unreadable}:
                    await self._documents.put(NAMESPACE, name, value_of(planned_from(job, now)))
                elif await self.change(name, partial(redeclared, declared=job, now=now)) is None:
                    await self.add(job)
            except ScheduleError as error:
                _log.error("job_not_declared", job=name, reason=str(error))
        self.wake()

    async def _read(self) -> tuple[dict[str, Job], list[Unreadable]]:
        known: dict[str, tuple[int, Job]] = {}
        unreadable: list[Unreadable] = []
        for document in await self._documents.list(NAMESPACE):
            revision, job = self._known.get(document.key, (0, None))
            if job is None or revision != document.revision:
                try:
                    job = _job(document)
                except UnreadableJobError as error:
                    unreadable.append(Unreadable(document.key, str(error)))
                    continue
            known[document.key] = document.revision, job
        self._known = known
        for one in unreadable:
            if one not in self._said:
                self._said.add(one)
                _log.error("job_unreadable", job=one.job, reason=str(one))
        return {key: job for key, (_, job) in known.items()}, unreadable


def _job(document: Document) -> Job:
    if document.damage:
        raise UnreadableJobError(document.damage)
    return job_of(document.key, document.value)


def planned_from(job: Job, now: datetime) -> Job:
    """A job that is added now."""
    return replace(job, created_at=now, next_at=next_after(job.trigger, now))


def declared_in_plan(job: Job) -> ScheduleError:
    """Why a job of a plan cannot be removed."""
    return ScheduleError(
        f"The job {job.id} is declared in the task {job.task}; take `schedule` or `on_event` out of its meta."
    )


def by_moment(jobs: Iterable[Job]) -> list[Job]:
    """Jobs in the order in which they are due, at the same moment the higher priority first; the others last."""
    return sorted(jobs, key=lambda job: (job.next_at is None, job.next_at or job.created_at, -job.priority, job.id))
