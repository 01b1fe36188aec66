"""Running jobs: the scheduler of a program that stays open; plans that are edited meanwhile bring their jobs along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agent.schedules.plan_jobs import plan_jobs
from agent.schedules.runner import JobRunner
from aura_core.framework import Framework
from aura_core.generations.events import PlansReloaded
from aura_core.ground.events import Subscription
from aura_core.ground.logger import get_logger
from aura_core.scheduler.jobs import Jobs
from aura_core.scheduler.scheduler import Scheduler


@asynccontextmanager
async def running_jobs(jobs: Jobs, runner: JobRunner, framework: Framework) -> AsyncGenerator[None]:
    """Runs jobs when they are due, for the block.

    Args:
        jobs: those that people added, and those of plans as they were last time.
        runner: runs them.
        framework: says what its plans declare; jobs that cannot be are added to its problems.

    Raises:
        AuraError: the jobs cannot be read or written.
    """
    declared = await asyncio.to_thread(plan_jobs, framework.plans, jobs)
    framework.problems.extend(declared.problems)
    scheduler = Scheduler(jobs, runner.start, events=framework.events, accepts=runner.accepts)
    await scheduler.start(declared.jobs, declared.held)
    with framework.events.subscribe(PlansReloaded) as reloads:
        follower = asyncio.create_task(_follow(reloads, scheduler, framework), name="jobs of edited plans")
        try:
            yield
        finally:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
            await scheduler.stop()


async def _follow(reloads: Subscription[PlansReloaded], scheduler: Scheduler, framework: Framework) -> None:
    log = get_logger("agent.schedules")
    async for _ in reloads:
        declared = await asyncio.to_thread(plan_jobs, framework.plans, scheduler.jobs)
        for problem in declared.problems:
            log.warning("job left out", reason=str(problem))
        scheduler.declare(declared.jobs, declared.held)
