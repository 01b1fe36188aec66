"""Plan jobs: what the plans declare at this moment, and which jobs must wait because their plan cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from aura_core.errors import Problem
from aura_core.language.plan_files import found_plans
from aura_core.language.plan_manager import PlanManager
from aura_core.scheduler.declared import declared_jobs
from aura_core.scheduler.job import Job
from aura_core.scheduler.jobs import Jobs


@dataclass(frozen=True, slots=True)
class PlanJobs:
    """The jobs of plans, as the plans are now.

    Attributes:
        jobs: those that are declared.
        problems: what is wrong with other declarations.
        loaded: names of the plans that can be used.
        present: names of the plans that are in the folders.
        away: folders of plans that are not there, so that nobody can tell which plans are in them.
        tasks: references of the tasks that can be run.
        mistaken: ids of jobs whose declaration is wrong.
    """

    jobs: list[Job]
    problems: list[Problem]
    loaded: frozenset[str]
    present: frozenset[str]
    away: tuple[str, ...]
    tasks: frozenset[str]
    mistaken: frozenset[str]

    def held(self, job: Job) -> bool:
        """Whether a job must wait until its plan is mended; it stays due meanwhile."""
        plan = job.task.partition("/")[0]
        if plan in self.loaded:
            return job.id in self.mistaken
        return plan in self.present or bool(self.away)


def plan_jobs(plans: PlanManager, jobs: Jobs) -> PlanJobs:
    """What the plans declare. Reads folders: call it in a thread.

    Args:
        plans: the plans.
        jobs: has the clock, and knows its time zone.
    """
    loaded = plans.current
    tasks = list(loaded.tasks())
    declared = declared_jobs(tasks, jobs.now(), jobs.timezone)
    return PlanJobs(
        declared.jobs,
        declared.problems,
        loaded=frozenset(loaded.plans),
        present=frozenset(found_plans(plans.folders)),
        away=tuple(str(folder) for folder in plans.folders if not folder.is_dir()),
        tasks=frozenset(task.ref for task in tasks),
        mistaken=frozenset(declared.mistaken),
    )
