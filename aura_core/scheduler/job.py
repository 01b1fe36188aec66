"""Job: what shall run and when, with what has become of it; Firing: one time that it was due."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from aura_core.scheduler.triggers import Trigger

NEVER = datetime(1, 1, 1, tzinfo=UTC)
Missed = Literal["skip", "once", "all"]
Source = Literal["plan", "person"]
Reason = Literal["due", "event", "asked"]
EndStatus = Literal["ok", "error", "refused", "cancelled"]


@dataclass(frozen=True, slots=True)
class Firing:
    """One time that a job was due.

    Attributes:
        id: `job:<job>:<due>`, the same whenever this moment of this job is meant: the id of the run it starts.
        job: id of the job.
        due: the moment.
        reason: the clock, an event, or a person who asked for it.
        event: what happened, if it was an event.
        chain: ids of jobs whose runs led to it, by their events; the oldest first.
    """

    id: str
    job: str
    due: datetime
    reason: Reason = "due"
    event: dict[str, Any] = field(default_factory=dict[str, Any])
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FiringEnd:
    """How a firing ended.

    Attributes:
        status: ok, error, refused (it may not run any more), or cancelled.
        message: what went wrong, fit for a person.
    """

    status: EndStatus = "ok"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Something that runs by itself.

    Attributes:
        id: unique.
        task: reference of what runs, `plan/task`.
        trigger: when.
        inputs: what the task gets.
        title: one line for people; may be empty.
        missed: what becomes of moments at which nothing was there to run it: none, one run for all, or a run each.
        priority: of jobs that are due at the same moment, the higher one starts first.
        source: declared by a plan, or added by a person.
        deliver: who is told of a plan's job, as its plan names them.
        owner: whose job it is, as the embedder wrote it; handed back with every firing. JSON.
        created_at: when it was added.
        next_at: when it is due next; None if no clock knows, or never again.
        last_at: when it was last due.
        last_status: how its last run ended; empty before the first, "running" while one goes on, "asked" while nobody
            has begun the one that somebody asked for.
        last_message: what went wrong then.
        queue: what it was due for and has not ended; the first one runs, the others wait for it.
    """

    id: str
    task: str
    trigger: Annotated[Trigger, Field(discriminator="kind")]
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    title: str = ""
    missed: Missed = "once"
    priority: int = 0
    source: Source = "person"
    deliver: tuple[str, ...] = ()
    owner: dict[str, Any] = field(default_factory=dict[str, Any])
    created_at: datetime = NEVER
    next_at: datetime | None = None
    last_at: datetime | None = None
    last_status: str = ""
    last_message: str = ""
    queue: tuple[Firing, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether it was to run once and has, or was missed and is not made up for."""
        return self.trigger.kind == "at" and self.next_at is None and not self.queue


def firing_id(job: str, due: datetime) -> str:
    """The id of a job's firing at a moment."""
    utc = due.astimezone(UTC).replace(tzinfo=None)
    return f"job:{job}:{utc.isoformat()}Z"
