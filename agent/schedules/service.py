"""UserScheduleService: the service `schedule`: what a running task may do with the jobs of the person behind it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.contracts import Dest
from agent.schedules.owner import JobOwner, belongs_to, owner_of
from agent.schedules.user_jobs import UserJobs, name_for
from aura_core.errors import ScheduleError
from aura_core.scheduler.job import Job, Missed
from aura_core.scheduler.triggers import At, Cron
from aura_core.scheduler.when import trigger_of
from aura_core.scheduler.zones import machine_timezone, zone_of
from aura_core.services import ScheduledJob

if TYPE_CHECKING:
    from datetime import datetime

    from aura_core.tasklet import RunInfo


class UserScheduleService:
    """Implements `aura_core.services.ScheduleService`.

    Args:
        user_jobs: the jobs of people.

    Attributes:
        user_jobs: as given.
        jobs: all jobs.
    """

    def __init__(self, user_jobs: UserJobs) -> None:
        self.user_jobs = user_jobs
        self.jobs = user_jobs.jobs

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

        A durable step that is repeated finds the job that it added, also when its time has passed meanwhile.

        Raises:
            NotAllowedError: the person's profile does not allow the task.
        """
        said = json.dumps([task, inputs, cron, every, on_event, title], sort_keys=True, default=str)
        key = run.once_key(f"schedule:{said}")
        name = name_for(key)
        known = (await self.jobs.by_id()).get(name) if key else None
        if known is not None and belongs_to(known, run.person):
            return view(known, run.timezone)
        now = self.jobs.now()
        timezone = timezone or run.timezone or None
        trigger = trigger_of(now=now, cron=cron, every=every, at=at, on_event=on_event, timezone=timezone)
        dest = Dest(dict(run.dest)).lasting.root
        owner = JobOwner(person=run.person, session_id=run.session_id, dest=dest, untrusted=run.untrusted)
        put = self.user_jobs.put(name, task, dict(inputs), trigger, owner=owner, missed=missed, title=title)
        return view(await put, run.timezone)

    async def list(self, run: RunInfo, task: str = "") -> list[ScheduledJob]:
        """The person's jobs; see the protocol."""
        return [view(job, run.timezone) for job in await self.user_jobs.jobs_of(run.person) if task in ("", job.task)]

    async def remove(self, run: RunInfo, id: str) -> ScheduledJob:  # noqa: A002 (the protocol's word)
        """Removes one of the person's jobs; see the protocol."""
        return view(await self.user_jobs.remove_of(run.person, id), run.timezone)


def view(job: Job, timezone: str = "") -> ScheduledJob:
    """A job as plans see it; what they do with its inputs is their own.

    Args:
        job: the job.
        timezone: of the person whose it is; empty for the machine's.
    """
    try:
        untrusted = owner_of(job.owner).untrusted
    except ScheduleError:
        untrusted = True
    zone = job.trigger.timezone if isinstance(job.trigger, Cron) else timezone or machine_timezone()
    return ScheduledJob(
        id=job.id,
        task=job.task,
        when=str(job.trigger),
        timezone=zone,
        next_at=job.next_at.astimezone(zone_of(zone)) if job.next_at else None,
        inputs=copy.deepcopy(job.inputs),
        title=job.title,
        repeats=not isinstance(job.trigger, At),
        from_outside=untrusted,
    )
