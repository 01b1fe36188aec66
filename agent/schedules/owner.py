"""JobOwner: whose job it is and where its results go; kept with the job, and handed back when it is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from agent.config import AppConfig
from agent.contracts import Contract, Profile
from aura_core.errors import ScheduleError
from aura_core.scheduler.job import Job

PLAN_SESSION = "schedule"
"""Where the files and turns of jobs are kept that plans declare."""
PLAN_PROFILE = "owner"
"""Whoever installed a plan wants its jobs to run."""


class JobOwner(Contract):
    """Whose job it is.

    Attributes:
        person: as `channel:id`; empty for a job that a plan declares.
        session_id: the session whose files it works on.
        dest: where its results go; empty when nowhere.
        untrusted: words of strangers are in it: it was made while they were worked on.
    """

    person: str = ""
    session_id: str = PLAN_SESSION
    dest: dict[str, Any] = Field(default_factory=dict)
    untrusted: bool = False

    @property
    def channel(self) -> str:
        """The channel that delivers its results; empty if none does."""
        return str(self.dest.get("channel", ""))


def owner_of(kept: Mapping[str, Any]) -> JobOwner:
    """The owner as it was kept with a job.

    Raises:
        ScheduleError: it cannot be read; then the job is nobody's, and nobody's permissions are its own.
    """
    try:
        return JobOwner.model_validate(dict(kept))
    except ValidationError as error:
        raise ScheduleError("Whose job it is cannot be read; remove it with `aura schedule remove`.") from error


def profile_of(owner: JobOwner, config: AppConfig) -> Profile:
    """The profile under which a job runs."""
    return config.profile_of(owner.person) if owner.person else config.profile(PLAN_PROFILE)


def belongs_to(job: Job, person: str) -> bool:
    """Whether a job is a person's own."""
    try:
        return job.source == "person" and owner_of(job.owner).person == person
    except ScheduleError:
        return False
