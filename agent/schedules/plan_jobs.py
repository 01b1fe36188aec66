"""Plan jobs: what the plans declare at this moment, and which jobs must wait because their plan cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from aura_core.errors import Problem
from aura_core.model.plan_files import found_plans
from aura_core.model.plan_manager import PlanManager
from aura_core.scheduler import Job, JobBook, declared_jobs


@dataclass(frozen=True, slots=True)
class PlanJobs:
    """The jobs of plans, as the plans are now.

    Attributes:
        jobs: those that are declared.
        problems: what is wrong with other declarations.
        loaded: names of the plans that can be used.
        present: names of the plans that are in the folders; None if one of the folders is not there, so that nobody
            can tell.
        mistaken: ids of jobs whose declaration is wrong.
    """

    jobs: list[Job]
    problems: list[Problem]
    loaded: frozenset[str]
    present: frozenset[str] | None
    mistaken: frozenset[str]

    def held(self, job: Job) -> bool:
        """Whether a job must wait until its plan is mended; it stays due meanwhile."""
        plan = job.task.partition("/")[0]
        if plan in self.loaded:
            return job.id in self.mistaken
        return self.present is None or plan in self.present


def plan_jobs(plans: PlanManager, book: JobBook) -> PlanJobs:
    """What the plans declare. Reads folders: call it in a thread.

    Args:
        plans: the plans.
        book: has the clock.
    """
    loaded = plans.current
    declared = declared_jobs(loaded.tasks(), book.now())
    return PlanJobs(
        declared.jobs,
        declared.problems,
        frozenset(loaded.plans),
        frozenset(found_plans(plans.folders)) if all(folder.is_dir() for folder in plans.folders) else None,
        frozenset(declared.mistaken),
    )
