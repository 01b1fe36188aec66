"""Control flow as exceptions: a jump or a stop leaves any depth of loops and branches at once (seed 002)."""

from __future__ import annotations

from typing import Any, Literal


class JumpSignal(Exception):  # noqa: N818 (the seed's name: it signals, it is no error)
    """Raised by `go_step` and `go_task`; only `ExecutionEngine.run` catches it. Never raise it from an action.

    Attributes:
        kind: go_step stays in this task, go_task leaves it.
        target: id of a step, or reference of a task.
        inputs: inputs of that task.
    """

    def __init__(self, kind: Literal["go_step", "go_task"], target: str, inputs: dict[str, Any] | None = None) -> None:
        super().__init__(f"{kind} {target}")
        self.kind = kind
        self.target = target
        self.inputs = inputs or {}


class StopTaskException(Exception):  # noqa: N818 (the seed's name)
    """Raised by `stop`: the task ends as stopped, which is not a failure.

    Attributes:
        message: text for the person.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
