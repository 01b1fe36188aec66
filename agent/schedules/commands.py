"""Commands: removing and running a job by its id, with words for one whose plan is broken, away or gone."""

from __future__ import annotations

import asyncio

from agent.schedules.plan_jobs import PlanJobs, plan_jobs
from agent.schedules.runner import EVENT_INPUT
from agent.schedules.status import status_of
from aura_core.errors import NotFoundError, ScheduleError
from aura_core.language.plan_manager import PlanManager
from aura_core.scheduler.job import Firing, Job
from aura_core.scheduler.jobs import Jobs, declared_in_plan


async def remove_job(plans: PlanManager, jobs: Jobs, name: str) -> Job:
    """Removes a job, also one of a plan that is gone.

    Args:
        plans: what declares jobs.
        jobs: the kept jobs.
        name: its id.

    Returns:
        The job as it was.

    Raises:
        NotFoundError: there is none.
        ScheduleError: a plan declares it, or may do so for all that can be told.
    """
    declared = await asyncio.to_thread(plan_jobs, plans, jobs)
    kept = (await jobs.by_id()).get(name)
    if kept is None or kept.source == "person":
        return await _remove_kept(jobs, name, declared)
    status = status_of(kept, declared)
    if status.kind == "waits":
        raise ScheduleError(f"The job {name} is of a plan and cannot be removed by itself: {status.why}.")
    return await jobs.remove(name, declared=status.kind == "runs")


async def _remove_kept(jobs: Jobs, name: str, declared: PlanJobs) -> Job:
    """Removes what is kept under an id, also what cannot be read; a job that a plan declares may not be kept yet."""
    try:
        return await jobs.remove(name)
    except NotFoundError:
        for job in declared.jobs:
            if job.id == name:
                raise declared_in_plan(job) from None
        raise


async def run_job(plans: PlanManager, jobs: Jobs, name: str) -> tuple[Firing, str]:
    """Asks for a job to run at once, also one of a plan that no bot or chat has seen yet.

    Args:
        plans: what declares jobs.
        jobs: the kept jobs.
        name: its id.

    Returns:
        What was asked for, and why it has to wait; empty if it has not.

    Raises:
        NotFoundError: there is none.
        ScheduleError: what it would run is gone, or needs an event, or too many of its runs wait already.
    """
    declared = await asyncio.to_thread(plan_jobs, plans, jobs)
    for job in declared.jobs:
        if job.id == name:
            await jobs.add(job)
    job = await jobs.get(name)
    status = status_of(job, declared)
    if status.kind == "gone":
        raise ScheduleError(f"The job {name} cannot run: {status.why}.")
    if status.kind == "runs" and _needs_event(job, plans):
        raise ScheduleError(
            f"The job {name} cannot be run by hand: its task needs the event that starts it; "
            f"`aura run {job.task} {EVENT_INPUT}=…` runs the task."
        )
    return await jobs.run_now(name), status.why


def _needs_event(job: Job, plans: PlanManager) -> bool:
    """Whether a job's task has to be told what happened."""
    required = plans.task(job.task).input_schema().get("required", [])
    return job.trigger.kind == "on_event" and EVENT_INPUT in required and EVENT_INPUT not in job.inputs
