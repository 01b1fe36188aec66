"""Rows: jobs and firings as they stand in the file, read one by one, so that a damaged one is known for itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from aura_core.errors import ScheduleError
from aura_core.language.time_rules import check_cron, check_every, zone_of
from aura_core.scheduler.job import Firing, Job, described
from aura_core.scheduler.storable import storable
from aura_core.scheduler.triggers import At, Cron, Every, Trigger
from aura_core.scheduler.zones import check_moment

JobRow = tuple[str, str, float | None, float | None, str, str]
"""id, body, next_at, last_at, last_status, last_message."""
FiringRow = tuple[str, str, str]
"""id, job, body."""


class UnreadableRowError(Exception):
    """A row is not what it should be; says why."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that cannot be read; it stays in the file, and nothing runs because of it.

    Attributes:
        kind: what it was.
        id: its id.
        job: id of the job that it belongs to.
        reason: why it cannot be read.
    """

    kind: Literal["job", "firing"]
    id: str
    job: str
    reason: str

    def __str__(self) -> str:
        what = f"The job {self.id}" if self.kind == "job" else f"The firing {self.id}"
        return (
            f"{what} cannot be read ({self.reason}). It is set aside and does not run, the others do; "
            f"`aura schedule remove {self.job}` removes the job."
        )


def job_body(job: Job) -> str:
    """What was said of a job; what happens to it stands in columns of its own.

    Raises:
        ScheduleError: there are values in it that are no JSON.
    """
    return _body(_job(), described(job), f"The job {job.id}")


def firing_body(firing: Firing) -> str:
    """A firing as it is kept.

    Raises:
        ScheduleError: what happened cannot be told as JSON.
    """
    return _body(_firing(), firing, f"The firing {firing.id}")


def _body(kind: TypeAdapter[Any], value: Job | Firing, what: str) -> str:
    try:
        return json.dumps(storable(kind.dump_python(value, mode="json")), ensure_ascii=False, separators=(",", ":"))
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ScheduleError(f"{what} cannot be kept, there are values in it that are no JSON: {error}") from error


def job_of(row: JobRow) -> Job:
    """The job of a row.

    Raises:
        UnreadableRowError: it is none.
    """
    name, body, next_at, last_at, status, message = row
    try:
        job = _job().validate_json(body)
        _check(job.trigger)
        times = {"next_at": _moment(next_at), "last_at": _moment(last_at)}
    except (ValidationError, ScheduleError, TypeError, ValueError, OverflowError, OSError) as error:
        raise UnreadableRowError(_reason(error)) from error
    if job.id != name:
        raise UnreadableRowError(f"it says that it is {job.id[:80]!r}")
    return replace(job, **times, last_status=str(status), last_message=str(message))


def firing_of(row: FiringRow) -> Firing:
    """The firing of a row.

    Raises:
        UnreadableRowError: it is none.
    """
    name, job, body = row
    try:
        firing = _firing().validate_json(body)
        check_moment(firing.due)
    except (ValidationError, ScheduleError, TypeError, ValueError) as error:
        raise UnreadableRowError(_reason(error)) from error
    if (firing.id, firing.job) != (name, job) or firing.due.tzinfo is None:
        raise UnreadableRowError(f"it says that it is {firing.id[:80]!r} of {firing.job[:80]!r}, due {firing.due}")
    return firing


@cache
def _job() -> TypeAdapter[Job]:
    return TypeAdapter(Job)


@cache
def _firing() -> TypeAdapter[Firing]:
    return TypeAdapter(Firing)


def _check(trigger: Trigger) -> None:
    """Refuses a trigger that nobody could have added, and one whose time zone this machine does not know."""
    match trigger:
        case Cron(rule=rule, timezone=timezone):
            check_cron(rule)
            zone_of(timezone)
        case Every(seconds=seconds, anchor=moment):
            check_every(seconds)
            _check_aware(moment)
        case At(moment=moment):
            _check_aware(moment)
        case _:
            pass


def _check_aware(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ScheduleError(f"{moment} has no time zone")
    check_moment(moment)


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


def _moment(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    check_moment(moment)
    return moment
