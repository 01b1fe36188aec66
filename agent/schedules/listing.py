"""Listing: the jobs that are kept, those of plans that no bot or chat has seen yet, and why some of them wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from agent.schedules.plan_jobs import plan_jobs
from aura_core.errors import Problem
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
    """

    jobs: list[Job]
    problems: list[Problem]
    waiting: dict[str, str]


async def known_jobs(plans: PlanManager, book: JobBook) -> Listing:
    """Lists all jobs; nothing is added to those that are kept.

    Args:
        plans: what declares jobs.
        book: the kept jobs.
    """
    declared = await asyncio.to_thread(plan_jobs, plans, book)
    now, kept = book.now(), await book.jobs()
    names = {job.id for job in kept}
    fresh = [replace(job, next_at=next_after(job.trigger, now)) for job in declared.jobs if job.id not in names]
    jobs = sorted([*kept, *fresh], key=lambda job: (job.next_at is None, job.next_at or now))
    waiting = {job.id: _why(job) for job in kept if declared.held(job)}
    return Listing(jobs, declared.problems, waiting)


def _why(job: Job) -> str:
    plan = job.task.partition("/")[0]
    return f"the plan {plan} has mistakes; it runs, and makes up for what was missed, when they are mended (aura check)"
