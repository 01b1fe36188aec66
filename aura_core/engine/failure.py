"""Failures of steps as people read them: exception -> StepFailedError -> TaskError."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aura_core.errors import CoreError, StepFailedError
from aura_core.ground.reasons import text_of
from aura_core.tasklet import TaskError

if TYPE_CHECKING:
    from aura_core.language.steps import StepBase
    from aura_core.language.task import TaskDefinition


class SubTaskError(CoreError):
    """A task that a `run_task` step ran has failed.

    Attributes:
        error: its error.
    """

    def __init__(self, error: TaskError) -> None:
        place = ", ".join(part for part in (error.step and f"step {error.step}", error.location) if part)
        super().__init__(f"{error.message} [in task {error.task}{place and ', '}{place}]")
        self.error = error


def failure_of(task: TaskDefinition | None, step: StepBase, error: Exception, attempts: int = 1) -> StepFailedError:
    """The failure of a step.

    Args:
        task: the task it belongs to; knows where the step stands in the file.
        step: the step.
        error: what went wrong.
        attempts: how often it was tried.
    """
    return StepFailedError(
        explain(error),
        step=step.label,
        location="" if task is None else task.location(step.place),
        attempts=attempts,
        cause_type=error.error.type if isinstance(error, SubTaskError) else type(error).__name__,
    )


def task_error(error: Exception, task: str) -> TaskError:
    """The `error` variable of `on_failure` and of every report.

    Args:
        error: what ended the task.
        task: reference of the task.
    """
    if isinstance(error, StepFailedError):
        return TaskError(error.cause_type, str(error), task, error.step, error.location, error.attempts)
    return TaskError(type(error).__name__, explain(error), task)


def explain(error: Exception) -> str:
    """What happened, in words: an error made for people as it is, any other with its type and the action's name."""
    text = text_of(error)
    if text is None:
        text = "what it says cannot be shown"
    noted: object = getattr(error, "__notes__", None)
    notes = "; ".join(map(str, cast("list[object]", noted))) if isinstance(noted, list) else ""
    if text and not notes and isinstance(error, CoreError | TimeoutError):
        return text
    named = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{named} [{notes}]" if notes else named
