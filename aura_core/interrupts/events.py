"""What the event bus carries about interrupts."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time
from typing import Literal

from aura_core.tasklet import TaskError


@dataclass(frozen=True, slots=True)
class InterruptFired:
    """The condition of an interrupt holds and its handler begins, or the handler has ended.

    Attributes:
        interrupt: `plan/name`.
        handler: full reference of the task that handles it.
        phase: what has happened; a handler that was ended with its task has failed.
        mode: whether the running task is held meanwhile.
        task: full reference of the running task; empty for an interrupt that watches over all.
        corr_id: the run behind the handler.
        session_id: its chat session, or empty.
        error: set when the handler failed.
        at: seconds since the epoch.
    """

    interrupt: str
    handler: str
    phase: Literal["began", "done", "failed"]
    mode: Literal["pause", "beside"]
    task: str = ""
    corr_id: str = ""
    session_id: str = ""
    error: TaskError | None = None
    at: float = field(default_factory=time)
