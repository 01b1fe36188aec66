"""Every exception of the core; imports no sibling, so that every module may import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class AuraError(Exception):
    """Root of everything that Aura raises on purpose. Its text is fit to be shown to a person."""


class CoreError(AuraError):
    """Root of what plans and tasks raise on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a plan, where it stands and what to do about it.

    Attributes:
        path: the file, as the author would name it.
        line: 1-based line; 0 if the whole file is meant.
        column: 1-based column; 0 if the whole line is meant.
        message: what is wrong.
        hint: what to do, e.g. "did you mean 'output_to'?"; may be empty.
        task: full reference of the task, if the mistake is inside one.
        step: id or position of the step, e.g. `steps[2].then[0]`.
        severity: an error keeps its plan from being used; a warning is for the author to look at.
    """

    path: str
    line: int
    column: int
    message: str
    hint: str = ""
    task: str = ""
    step: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """`file:line:column: message (hint)`, as compilers and editors write it."""
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        inside = " ".join(
            part for part in (self.task and f"task {self.task}", self.step and f"step {self.step}") if part
        )
        text = f"{place}: {self.message}"
        if inside:
            text += f" [{inside}]"
        return f"{text}: {self.hint}" if self.hint else text


class DefinitionError(CoreError):
    """A plan or task file is wrong; carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class NotFoundError(CoreError):
    """A name that does not exist: plan, task, action or service. The message names the nearest one that does."""


class InputError(CoreError):
    """Inputs of a task or action that its schema refuses. Raised before anything runs."""


class ExpressionError(CoreError):
    """An expression that cannot be compiled or evaluated.

    Attributes:
        offset: characters from the beginning of the template to the mistake; 0 if unknown.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class ActionError(CoreError):
    """Raise it in an action to fail the step with a message for the person. Any other exception fails it too."""


class IncompleteTextError(ActionError):
    """A language model stopped before the end of its text, at a bound or by a filter. Never keep `text` as a whole one.

    Attributes:
        text: what there is of it; may be empty.
    """

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class CallStillRunsError(ActionError):
    """An action was not called again: an earlier call of it was given up and still runs in a thread."""


class StepFailedError(CoreError):
    """A step failed after its last attempt, and `continue_on_failure` was not set.

    Attributes:
        step: id, name or position of the step.
        location: `file:line:column`.
        attempts: how often it was tried.
        cause_type: class name of the original exception.
    """

    def __init__(self, message: str, *, step: str, location: str, attempts: int, cause_type: str) -> None:
        super().__init__(message)
        self.step = step
        self.location = location
        self.attempts = attempts
        self.cause_type = cause_type


class ForbiddenPathError(CoreError):
    """A file path that leaves the folder it must stay in, or names something that is not a plain file."""


class PlanStateError(CoreError):
    """A plan's persistent data could not be stored, or was damaged and nobody has seen that yet."""


class WorkerDiedError(CoreError):
    """A process of the CPU pool died while an action ran in it; the pool has been replaced."""


class UnsuccessfulResultError(CoreError):
    """An action returned False, or an object whose `.found` is false: the attempt failed (seed 002)."""


class LoopLimitError(CoreError):
    """A loop, a chain of jumps or of sub-tasks went on past its bound."""


class StatePlanningError(CoreError):
    """The state a task requires could not be reached; the task did not run (seed 001)."""


class ShutDownError(CoreError):
    """Work was submitted to something that is shut down or not started."""


class ScheduleError(CoreError):
    """A job that can never run as it is written: a cron rule, time zone, interval, time or event that is none."""


class HomeInUseError(AuraError):
    """Another program works on this AURA_HOME."""


class HomeNotWritableError(AuraError):
    """AURA_HOME cannot be written: read-only, full, somebody else's, or blocked by another program."""


class DurableError(AuraError):
    """The durable store is damaged or used against its rules."""


class RunNotFoundError(AuraError):
    """There is no run, or other durable task, of this id."""


class TaskCancelledError(DurableError):
    """The durable task was cancelled before it ended."""


class TaskFailedError(DurableError):
    """A durable task's function raised; the text is the original error."""
