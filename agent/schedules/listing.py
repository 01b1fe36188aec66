"""Listing: the jobs that are kept, those of plans that no bot or chat has seen yet, and why some of them wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from agent.schedules.owner import owner_of
from agent.schedules.plan_jobs import PlanJobs, plan_jobs
from aura_core.errors import Problem, ScheduleError
from aura_core.model.plan_manager import PlanManager
from aura_core.scheduler import Job, JobBook
from aura_core.scheduler.triggers import next_after


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is of jobs.

    Attributes:
        jobs: all of them, the next one first.
        problems: what is wrong with those that plans declare.
        waiting: id of a job -> why it is not started now.
        unreadable: what in the file of jobs cannot be read, in words.
    """

    jobs: list[Job]
    problems: list[Problem]
    waiting: dict[str, str]
    unreadable: list[str]


async def known_jobs(plans: PlanManager, book: JobBook) -> Listing:
    """Lists all jobs; nothing is added to those that are kept.

    Args:
        plans: what declares jobs.
        book: the kept jobs.
    """
    declared = await asyncio.to_thread(plan_jobs, plans, book)
    damaged = await book.unreadable()
    now, kept = book.now(), await book.jobs()
    names = {job.id for job in kept}
    fresh = [replace(job, next_at=next_after(job.trigger, now)) for job in declared.jobs if job.id not in names]
    jobs = sorted([*kept, *fresh], key=lambda job: (job.next_at is None, job.next_at or now))
    waiting = {job.id: why for job in kept if (why := _why(job, declared))}
    return Listing(jobs, declared.problems, waiting, list(map(str, damaged)))


def _why(job: Job, declared: PlanJobs) -> str:
    """Why a job is not started now; empty if nothing is in its way."""
    try:
        owner_of(job.owner)
    except ScheduleError as error:
        return str(error)
    if not declared.held(job):
        return ""
    plan = job.task.partition("/")[0]
    return f"the plan {plan} has mistakes; it runs, and makes up for what was missed, when they are mended (aura check)"
