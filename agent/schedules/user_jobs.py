"""UserJobs: the jobs of people: who may add which, how many, and that each sees and removes only their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agent.errors import NotAllowedError
from agent.schedules.owner import JobOwner, belongs_to
from aura_core.errors import NotFoundError, ScheduleError
from aura_core.ground.suggestions import hint, sentence
from aura_core.scheduler.book import JobBook
from aura_core.scheduler.job import Job, Missed
from aura_core.scheduler.triggers import OnEvent, Trigger

if TYPE_CHECKING:
    from aura_core.language.task import TaskDefinition

JOBS_FILE = "jobs.db"
"""In AURA_HOME."""
MOST_JOBS = 1000
"""Of one person: a task that adds jobs in a loop comes to an end."""


class UserJobs:
    """Adds, lists and removes jobs for people.

    Args:
        book: the jobs.

    Attributes:
        book: as given.
        check: raises if an owner may not run a task with inputs; gives the task. Set by the app, which knows profiles
            and tasks.
    """

    def __init__(self, book: JobBook) -> None:
        self.book = book
        self.check: Callable[[JobOwner, str, Mapping[str, Any]], TaskDefinition] = _nobody_may

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
        definition = self.check(owner, task, inputs)
        if len(await self.jobs_of(owner.person)) >= MOST_JOBS:
            raise ScheduleError(f"You have {MOST_JOBS} jobs already; remove some first.")
        kept = owner.model_dump(mode="json")
        priority = definition.meta.priority
        job = Job(name, definition.ref, trigger, inputs, title=title, missed=missed, priority=priority, owner=kept)
        return await self.book.add(job)

    async def jobs_of(self, person: str) -> list[Job]:
        """A person's jobs that will run again, the next one first."""
        own = [job for job in await self.book.jobs() if belongs_to(job, person)]
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
        return await self.book.remove(name)


def _nobody_may(_owner: JobOwner, task: str, _inputs: Mapping[str, Any]) -> TaskDefinition:
    raise NotAllowedError(f"Nobody says who may run {task}: no app is open.")
