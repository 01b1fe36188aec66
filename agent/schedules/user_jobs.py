"""UserJobs: the jobs of people: who may add which, how many, and that each sees and removes only their own."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from agent.config import AppConfig
from agent.dispatcher import Dispatcher
from agent.errors import NotAllowedError
from agent.schedules.owner import JobOwner, belongs_to, profile_of
from aura_core.errors import NotFoundError, ScheduleError
from aura_core.framework import Framework
from aura_core.ground.suggestions import hint, sentence
from aura_core.language.task import TaskDefinition
from aura_core.scheduler.job import Job, Missed
from aura_core.scheduler.jobs import Jobs
from aura_core.scheduler.triggers import OnEvent, Trigger

MOST_JOBS = 1000
"""Of one person: a task that adds jobs in a loop comes to an end."""
Check = Callable[[JobOwner, str, Mapping[str, Any]], TaskDefinition]


def name_for(key: str = "") -> str:
    """The id of a job: the same again for the same key, e.g. of a durable step; a new one if the key is empty."""
    return hashlib.sha256((key or uuid.uuid4().hex).encode()).hexdigest()[:8]


class UserJobs:
    """Adds, lists and removes jobs for people.

    Args:
        jobs: all jobs.
        check: raises if an owner may not run a task with inputs; gives the task.
    """

    def __init__(self, jobs: Jobs, check: Check) -> None:
        self.jobs = jobs
        self._check = check

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
        definition = self._check(owner, task, inputs)
        if len(await self.jobs_of(owner.person)) >= MOST_JOBS:
            raise ScheduleError(f"You have {MOST_JOBS} jobs already; remove some first.")
        kept = owner.model_dump(mode="json")
        priority = definition.meta.priority
        job = Job(name, definition.ref, trigger, inputs, title=title, missed=missed, priority=priority, owner=kept)
        return await self.jobs.add(job)

    async def jobs_of(self, person: str) -> list[Job]:
        """A person's jobs that will run again, the next one first."""
        own = [job for job in await self.jobs.upcoming() if belongs_to(job, person)]
        return [job for job in own if job.next_at is not None or isinstance(job.trigger, OnEvent)]

    async def remove_of(self, person: str, name: str) -> Job:
        """Removes one of a person's jobs.

        Raises:
            NotFoundError: the person has none of this id; names the nearest.
        """
        own = {job.id: job for job in await self.jobs_of(person)}
        if name not in own:
            advice = hint(name, own, what="yours are")
            raise NotFoundError(sentence(f"You have no job {name!r}", advice, "you have none"))
        return await self.jobs.remove(name)


def check_job(
    config: AppConfig, framework: Framework, owner: JobOwner, task: str, inputs: Mapping[str, Any]
) -> TaskDefinition:
    """The task of a job that somebody wants to add.

    Raises:
        NotAllowedError: it would be nobody's, or its owner's profile does not allow the task.
        NotFoundError: there is no such task.
        InputError: it does not take these inputs.
    """
    if not owner.person:
        raise NotAllowedError("A job needs somebody whose it is; this task runs for nobody.")
    card = Dispatcher(framework).card(task, profile_of(owner, config))
    definition = framework.plans.task(card.task)
    definition.validate_inputs(inputs)
    return definition
