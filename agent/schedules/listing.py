"""Listing: the jobs that are kept, those of plans that no bot or chat has seen yet, and why some of them wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from agent.schedules.plan_jobs import plan_jobs
from agent.schedules.status import standing_of
from aura_core.errors import Problem
from aura_core.language.plan_manager import PlanManager
from aura_core.scheduler.book import JobBook
from aura_core.scheduler.job import Job
from aura_core.scheduler.triggers import next_after

STOPPED = ("waits", "gone")


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is of jobs.

    Attributes:
        jobs: all of them, the next one first.
        problems: what is wrong with those that plans declare.
        waiting: id of a job -> why it is not started now.
        gone: id of a job -> what it would run and is not there any more.
        unreadable: what in the file of jobs cannot be read, in words.
    """

    jobs: list[Job]
    problems: list[Problem]
    waiting: dict[str, str]
    gone: dict[str, str]
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
    standings = {job.id: standing_of(job, declared) for job in kept}
    waiting, gone = ({name: one.why for name, one in standings.items() if one.kind == kind} for kind in STOPPED)
    return Listing(jobs, declared.problems, waiting, gone, list(map(str, damaged)))
