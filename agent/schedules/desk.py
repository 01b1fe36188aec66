"""ScheduleDesk: where plans and people add, list and remove jobs; the service `schedule`."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.errors import NotAllowedError
from agent.schedules.owner import JobOwner, belongs_to
from aura_core.errors import NotFoundError, ScheduleError
from aura_core.nearest import hint, sentence
from aura_core.scheduler import At, Cron, Job, JobBook, Missed, OnEvent, Trigger, machine_timezone, trigger_of, zone_of
from aura_core.services import ScheduledJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aura_core.tasklet import RunInfo

JOBS_FILE = "jobs.db"
MOST_JOBS = 1000
"""Of one person: a task that adds jobs in a loop comes to an end."""


class ScheduleDesk:
    """Implements `aura_core.services.ScheduleService`.

    Args:
        book: the jobs.

    Attributes:
        check: raises if an owner may not run a task with inputs; gives the task's full reference. Set by the app,
            which knows profiles and tasks.
    """

    def __init__(self, book: JobBook) -> None:
        self.book = book
        self.check: Callable[[JobOwner, str, Mapping[str, Any]], str] = _nobody_may

    async def add(
        self,
        run: RunInfo,
        task: str,
        inputs: Mapping[str, Any],
        *,
        cron: str | None = None,
        every: float | None = None,
        at: datetime | None = None,
        on_event: str | None = None,
        timezone: str | None = None,
        missed: Missed = "once",
        title: str = "",
    ) -> ScheduledJob:
        """Adds a job for the person behind a run; see the protocol.

        Raises:
            NotAllowedError: the person's profile does not allow the task.
        """
        now = self.book.now()
        trigger = trigger_of(now=now, cron=cron, every=every, at=at, on_event=on_event, timezone=timezone)
        owner = JobOwner(person=run.person, session_id=run.session_id, dest=dict(run.dest))
        said = json.dumps([task, inputs, cron, every, on_event, title], sort_keys=True, default=str)
        name = _name(run.once_key(f"schedule:{said}"))
        return view(await self.put(name, task, dict(inputs), trigger, owner=owner, missed=missed, title=title))

    async def put(
        self,
        name: str,
        task: str,
        inputs: dict[str, Any],
        trigger: Trigger,
        *,
        owner: JobOwner,
        missed: Missed,
        title: str,
    ) -> Job:
        """Adds a job under an id, if its owner may run it; one that is there already stays as it is.

        Raises:
            NotAllowedError: the owner's profile does not allow the task.
            CoreError: there is no such task, it does not take these inputs, or it would never run.
        """
        ref = self.check(owner, task, inputs)
        if len(await self._jobs_of(owner.person)) >= MOST_JOBS:
            raise ScheduleError(f"You have {MOST_JOBS} jobs already; remove some first.")
        kept = owner.model_dump(mode="json")
        return await self.book.add(Job(name, ref, trigger, inputs, title=title, missed=missed, owner=kept))

    async def list(self, run: RunInfo, task: str = "") -> list[ScheduledJob]:
        """The person's jobs; see the protocol."""
        return [view(job) for job in await self._jobs_of(run.person) if task in ("", job.task)]

    async def remove(self, run: RunInfo, id: str) -> ScheduledJob:  # noqa: A002 (the protocol's word)
        """Removes one of the person's jobs; see the protocol."""
        own = {job.id: job for job in await self._jobs_of(run.person)}
        if id not in own:
            raise NotFoundError(sentence(f"You have no job {id!r}", hint(id, own, what="yours are"), "you have none"))
        return view(await self.book.remove(id))

    async def _jobs_of(self, person: str) -> list[Job]:
        jobs = await self.book.jobs()
        own = [job for job in jobs if belongs_to(job, person)]
        return [job for job in own if job.next_at is not None or isinstance(job.trigger, OnEvent)]


def view(job: Job) -> ScheduledJob:
    """A job as plans and people see it."""
    zone = _timezone(job.trigger)
    return ScheduledJob(
        id=job.id,
        task=job.task,
        when=str(job.trigger),
        timezone=zone,
        next_at=job.next_at.astimezone(zone_of(zone)) if job.next_at else None,
        inputs=job.inputs,
        title=job.title,
        repeats=not isinstance(job.trigger, At),
    )


def new_name() -> str:
    """An id for a new job."""
    return _name("")


def _name(key: str) -> str:
    return hashlib.sha256((key or uuid.uuid4().hex).encode()).hexdigest()[:8]


def _timezone(trigger: Trigger) -> str:
    return trigger.timezone if isinstance(trigger, Cron) else machine_timezone()


def _nobody_may(_owner: JobOwner, task: str, _inputs: Mapping[str, Any]) -> str:
    raise NotAllowedError(f"Nobody says who may run {task}: no app is open.")
