"""Jobs in the agent: whose they are, what a run of one is, and how people and plans add them."""

from agent.schedules.desk import ScheduleDesk
from agent.schedules.keeper import JOBS_FILE, JobKeeper
from agent.schedules.listing import Listing, known_jobs
from agent.schedules.naming import new_name
from agent.schedules.orders import remove_job, run_job
from agent.schedules.owner import JobOwner, owner_of
from agent.schedules.runner import JobRunner
from agent.schedules.running import running_jobs
from agent.schedules.talk import schedule_answer

__all__ = [
    "JOBS_FILE",
    "JobKeeper",
    "JobOwner",
    "JobRunner",
    "Listing",
    "ScheduleDesk",
    "known_jobs",
    "new_name",
    "owner_of",
    "remove_job",
    "run_job",
    "running_jobs",
    "schedule_answer",
]
