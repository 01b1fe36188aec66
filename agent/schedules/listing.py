"""Listing: the jobs that are kept, and those of plans that no bot or chat has seen yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aura_core.errors import Problem
from aura_core.model.task import TaskDefinition
from aura_core.scheduler import Job, JobBook, declared_jobs
from aura_core.scheduler.triggers import next_after


async def known_jobs(tasks: Iterable[TaskDefinition], book: JobBook) -> tuple[list[Job], list[Problem]]:
    """All jobs, the next one first, and what is wrong with those that plans declare.

    Args:
        tasks: all tasks.
        book: the kept jobs; nothing is added to them.
    """
    now = book.now()
    kept, declared = await book.jobs(), declared_jobs(tasks, now)
    names = {job.id for job in kept}
    fresh = [replace(job, next_at=next_after(job.trigger, now)) for job in declared.jobs if job.id not in names]
    return sorted([*kept, *fresh], key=lambda job: (job.next_at is None, job.next_at or now)), declared.problems
