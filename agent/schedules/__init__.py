"""Jobs in the agent: whose they are, what a run of one is, and how people and plans add them."""

from agent.schedules.desk import JOBS_FILE, ScheduleDesk, new_name
from agent.schedules.listing import Listing, known_jobs
from agent.schedules.owner import JobOwner, owner_of
from agent.schedules.runner import JobRunner
from agent.schedules.running import running_jobs

__all__ = [
    "JOBS_FILE",
    "JobOwner",
    "JobRunner",
    "Listing",
    "ScheduleDesk",
    "known_jobs",
    "new_name",
    "owner_of",
    "running_jobs",
]
