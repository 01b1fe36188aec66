"""What the event bus carries about jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aura_core.scheduler.job import Firing, FiringEnd, Job


@dataclass(frozen=True, slots=True)
class JobFired:
    """A job's run begins, or goes on after a restart."""

    job: Job
    firing: Firing


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job's run has ended."""

    job: Job
    firing: Firing
    end: FiringEnd


@dataclass(frozen=True, slots=True)
class JobSkipped:
    """A job was due and does not run.

    Attributes:
        job: the job.
        due: the moment.
        reason: its former run still goes on; the moment was missed and the job skips those; or its run would go back
            to a run of its own through events.
    """

    job: Job
    due: datetime
    reason: Literal["still running", "missed", "loop"]
