"""Standing: whether a job runs when it is due, waits for its plan, or belongs to something that is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.schedules.owner import owner_of
from agent.schedules.plan_jobs import PlanJobs
from aura_core.errors import ScheduleError
from aura_core.scheduler.job import Job

WHEN_MENDED = "it runs, and makes up for what was missed, when"
MEANWHILE = "a bot or chat that still has the version before them runs it meanwhile"
WHEN_IT_GOES = "it goes, too, when `aura bot` or `aura chat` takes that in"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in a job's way.

    Attributes:
        kind: nothing; it waits, and stays due; or what it would run is gone.
        why: the reason, in words; empty if nothing is in its way.
    """

    kind: Literal["runs", "waits", "gone"]
    why: str = ""


def standing_of(job: Job, declared: PlanJobs) -> Standing:
    """How a kept job stands.

    Args:
        job: as it is kept.
        declared: the plans as they are now.
    """
    try:
        owner_of(job.owner)
    except ScheduleError as error:
        return Standing("waits", str(error))
    if declared.held(job):
        return Standing("waits", _waits(job, declared))
    gone = _gone(job, declared)
    return Standing("gone", gone) if gone else Standing("runs")


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
