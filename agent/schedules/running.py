"""Running jobs: the scheduler of a program that stays open."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agent.schedules.runner import JobRunner
from aura_core.framework import Framework
from aura_core.scheduler import JobBook, Scheduler, declared_jobs


@asynccontextmanager
async def running_jobs(book: JobBook, runner: JobRunner, framework: Framework) -> AsyncGenerator[None]:
    """Runs jobs when they are due, for the block.

    Args:
        book: those that people added, and those of plans as they were last time.
        runner: runs them.
        framework: says what its plans declare; jobs that cannot be are added to its problems.

    Raises:
        ScheduleStoreError: the file of jobs cannot be used.
    """
    declared = declared_jobs(framework.plans.tasks(), book.now())
    framework.problems.extend(declared.problems)
    scheduler = Scheduler(book, runner.start, events=framework.events, accepts=runner.accepts)
    await scheduler.start(declared.jobs)
    try:
        yield
    finally:
        await scheduler.stop()
