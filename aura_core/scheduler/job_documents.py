"""Jobs as documents: each is one JSON value, read by itself, so that a damaged one stops no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from aura_core.errors import ScheduleError
from aura_core.language.time_rules import check_cron, check_every, zone_of
from aura_core.scheduler.job import Job
from aura_core.scheduler.storable import storable
from aura_core.scheduler.triggers import At, Cron, Every, Trigger
from aura_core.scheduler.zones import check_moment
from aura_core.storage.documents import Json

NAMESPACE = "jobs"
"""Of the documents; a job's key is its id."""


class UnreadableJobError(Exception):
    """A document is not a job; says why."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that should be a job and cannot be read; it stays where it is, and nothing runs because of it.

    Attributes:
        job: its key.
        reason: why it cannot be read.
    """

    job: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The job {self.job} cannot be read ({self.reason}). It is set aside and does not run, the others do; "
            f"`aura schedule remove {self.job}` removes it."
        )


def value_of(job: Job) -> Json:
    """The document of a job.

    Raises:
        ScheduleError: there are values in it that are not JSON.
    """
    try:
        return storable(_adapter().dump_python(job, mode="json"))
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ScheduleError(
            f"The job {job.id} cannot be kept, there are values in it that are not JSON: {error}"
        ) from error


def job_of(key: str, value: Json) -> Job:
    """The job of a document.

    Raises:
        UnreadableJobError: it is not a job, or not the one of this key.
    """
    try:
        job = _adapter().validate_python(value)
        _check(job.trigger)
        for moment in (job.next_at, job.last_at, *(firing.due for firing in job.queue)):
            if moment is not None:
                check_aware(moment)
    except (ValidationError, ScheduleError, ValueError, OverflowError) as error:
        raise UnreadableJobError(_reason(error)) from error
    if job.id != key:
        raise UnreadableJobError(f"it says that it is {job.id[:80]!r}")
    return job


@cache
def _adapter() -> TypeAdapter[Job]:
    return TypeAdapter(Job)


def _check(trigger: Trigger) -> None:
    """Refuses a trigger that nobody could have added, and one whose time zone this machine does not know."""
    match trigger:
        case Cron(rule=rule, timezone=timezone):
            check_cron(rule)
            zone_of(timezone)
        case Every(seconds=seconds, anchor=moment):
            check_every(seconds)
            check_aware(moment)
        case At(moment=moment):
            check_aware(moment)
        case _:
            pass


def check_aware(moment: datetime) -> None:
    """Checks that a moment has a zone and can be compared in every other one.

    Raises:
        ScheduleError: it has none, or is out of reach.
    """
    if moment.tzinfo is None:
        raise ScheduleError(f"{moment} has no time zone")
    check_moment(moment)


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first: Any = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
