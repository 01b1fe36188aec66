"""Scheduler: starts work by itself: by cron, at an interval, at one moment, or when something happens (issue 4).

It knows jobs, moments and events; what a job's run is, the embedder's `start` decides.
"""

from aura_core.scheduler.book import JobBook
from aura_core.scheduler.declared import Declared, declared_jobs
from aura_core.scheduler.events import JobEnded, JobFired, JobSkipped
from aura_core.scheduler.job import Firing, FiringEnd, Job, Missed
from aura_core.scheduler.scheduler import Scheduler
from aura_core.scheduler.store import JobStore
from aura_core.scheduler.triggers import At, Cron, Every, OnEvent, Trigger
from aura_core.scheduler.when import trigger_of
from aura_core.scheduler.zones import machine_timezone, zone_of

__all__ = [
    "At",
    "Cron",
    "Declared",
    "Every",
    "Firing",
    "FiringEnd",
    "Job",
    "JobBook",
    "JobEnded",
    "JobFired",
    "JobSkipped",
    "JobStore",
    "Missed",
    "OnEvent",
    "Scheduler",
    "Trigger",
    "declared_jobs",
    "machine_timezone",
    "trigger_of",
    "zone_of",
]
