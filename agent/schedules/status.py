"""Status: all jobs, those of plans that no bot or chat has seen yet among them, and what is in the way of some."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Literal

from agent.schedules.owner import owner_of
from agent.schedules.plan_jobs import PlanJobs, plan_jobs
from aura_core.errors import Problem, ScheduleError
from aura_core.language.plan_manager import PlanManager
from aura_core.scheduler.job import Job
from aura_core.scheduler.jobs import Jobs, by_moment
from aura_core.scheduler.triggers import next_after

WHEN_MENDED = "it runs, and makes up for what was missed, when"
MEANWHILE = "a bot or chat that still has the version before them runs it meanwhile"
WHEN_IT_GOES = "it goes, too, when `aura bot` or `aura chat` takes that in"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What stands in a job's way.

    Attributes:
        kind: nothing; it waits, and stays due; or what it would run is gone.
        why: the reason, in words; empty if nothing is in its way.
    """

    kind: Literal["runs", "waits", "gone"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is of jobs.

    Attributes:
        jobs: all of them, the next one first.
        problems: what is wrong with those that plans declare.
        waiting: id of a job -> why it is not started now.
        gone: id of a job -> what it would run and is not there any more.
        unreadable: what cannot be read of the kept jobs, in words.
    """

    jobs: list[Job]
    problems: list[Problem]
    waiting: dict[str, str]
    gone: dict[str, str]
    unreadable: list[str]


async def known_jobs(plans: PlanManager, jobs: Jobs) -> Listing:
    """Lists all jobs; nothing is added to those that are kept.

    Args:
        plans: what declares jobs.
        jobs: the kept jobs.
    """
    declared = await asyncio.to_thread(plan_jobs, plans, jobs)
    kept = {job.id: job for job in await jobs.upcoming()}
    fresh = [replace(job, next_at=next_after(job.trigger, jobs.now())) for job in declared.jobs if job.id not in kept]
    statuses = {name: status_of(job, declared) for name, job in kept.items()}
    return Listing(
        jobs=by_moment([*kept.values(), *fresh]),
        problems=declared.problems,
        waiting={name: status.why for name, status in statuses.items() if status.kind == "waits"},
        gone={name: status.why for name, status in statuses.items() if status.kind == "gone"},
        unreadable=[str(one) for one in await jobs.unreadable()],
    )


def status_of(job: Job, declared: PlanJobs) -> JobStatus:
    """What stands in the way of a kept job.

    Args:
        job: as it is kept.
        declared: the plans as they are now.
    """
    try:
        owner_of(job.owner)
    except ScheduleError as error:
        return JobStatus("waits", str(error))
    if declared.held(job):
        return JobStatus("waits", _waits(job, declared))
    gone = _gone(job, declared)
    return JobStatus("gone", gone) if gone else JobStatus("runs")


def _waits(job: Job, declared: PlanJobs) -> str:
    plan = job.task.partition("/")[0]
    if plan in declared.present:
        return f"the plan {plan} has mistakes; {WHEN_MENDED} they are mended (aura check); {MEANWHILE}"
    folders = " and ".join(declared.away)
    return f"nobody can tell whether the plan {plan} is there, because {folders} is not; {WHEN_MENDED} the plan is"


def _gone(job: Job, declared: PlanJobs) -> str:
    plan = job.task.partition("/")[0]
    what = f"the plan {plan}" if plan not in declared.loaded else f"the task {job.task}"
    there = job.task in declared.tasks
    if job.source == "person":
        return "" if there else f"{what} is gone; its run will be refused"
    if there:
        declares = any(job.id == one.id for one in declared.jobs)
        return "" if declares else f"{what} does not declare it any more; {WHEN_IT_GOES}"
    return f"{what} is gone; {WHEN_IT_GOES}"
