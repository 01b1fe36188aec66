"""What the event bus carries about tasks: one event for every change of a task's status."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time
from typing import Literal

from aura_core.tasklet import TaskError

TaskPhase = Literal["queued", "planning", "running", "waiting", "success", "stopped", "error", "timeout", "cancelled"]
"""queued: waits for slots; planning: reaches its initial state; waiting: for a person; the rest as TaskStatus."""


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A tasklet has entered a phase.

    Attributes:
        task: full reference.
        corr_id: the run behind it.
        session_id: its chat session, or empty.
        phase: what it does now, or how it ended.
        error: set when it ended badly.
        at: seconds since the epoch.
    """

    task: str
    corr_id: str
    session_id: str
    phase: TaskPhase
    error: TaskError | None = None
    at: float = field(default_factory=time)
