"""EngineResult: how the steps of one task ended, and what the Orchestrator shall do next (seed 002)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from aura_core.tasklet import TaskError

EngineStatus = Literal["success", "go_task", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class EngineResult:
    """How the steps of a task ended.

    Attributes:
        status: success, go_task, stopped or error.
        next_task: reference of the task to go on with, for go_task.
        next_inputs: its inputs.
        error: what failed, for error.
        outputs: the rendered `outputs`, else `returns`, else True; of a stopped task what of it is known, else None.
        message: the text of the `stop` step.
        plan: the plan in which `next_task` is to be looked up.
    """

    status: EngineStatus
    next_task: str | None = None
    next_inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    error: TaskError | None = None
    outputs: Any = None
    message: str = ""
    plan: str = ""
