"""One unit of work for the ExecutionManager, and what comes back from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aura_core.ground.half_done import with_done
from aura_core.ground.secrets import mask, masked

if TYPE_CHECKING:
    from aura_core.ground.journal import Journal

ExecutionMode = Literal["async", "io", "cpu"]
TaskStatus = Literal["success", "stopped", "error", "timeout", "cancelled"]


FROM_OUTSIDE = "from outside"
"""In `RunInfo.marks`: what the task gives back holds words of strangers."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a task wants handed to the person.

    Attributes:
        path: absolute path of the file, inside the run's `files_folder`.
        caption: one line of text beside it; may be empty.
    """

    path: Path
    caption: str = ""


@dataclass(slots=True)
class RunInfo:
    """The run behind a task: who asked, where its files live. Reached in an action as `context.run`.

    Attributes:
        corr_id: correlation id that every log line and event of the run carries.
        session_id: the chat session; empty for a task without a chat.
        person: who asked, as `channel:id`; empty when nobody did.
        whose: whose personal data plans read and write: empty for the owner of this installation, on every channel,
            and where nobody asked; else the person.
        timezone: name of the time zone of the person's clock; empty for the machine's.
        dest: where answers go, as the channel of the person wrote it; empty when nowhere.
        files_folder: absolute folder where the session's files live; None when there is no session.
        source: who started it: "chat", "command", "schedule", "cli", "mcp".
        idempotency_key: the same for every attempt at the same durable step, so that an action with an outside
            effect can recognise a repetition after a crash. Empty when the run is not durable.
        journal: keeps what the actions of the run did, and the text of its tasks, so that a repetition after a crash
            takes the same steps and need not do it again; None where a run is not repeated.
        scope: which action or question of a recorded task looks at the run; empty in all others.
        untrusted: what the task works on holds words of strangers, or it brings some (see `Context.from_outside`).
        marks: what the actions of the run say of its result (see `Context.mark_from_outside`); shared by copies.
        attachments: files the task wants handed to the person, in order (see `Context.attach`).
        done: steps with effects that have succeeded, as `step (action)`, in order.
        calls: how often `once_key` was asked in this attempt, by name.
    """

    corr_id: str = ""
    session_id: str = ""
    person: str = ""
    whose: str = ""
    timezone: str = ""
    dest: Mapping[str, Any] = field(default_factory=dict[str, Any])
    files_folder: Path | None = None
    source: str = "cli"
    idempotency_key: str = ""
    journal: Journal | None = field(default=None, repr=False)
    scope: str = ""
    untrusted: bool = False
    marks: set[str] = field(default_factory=set[str])
    attachments: list[Attachment] = field(default_factory=list["Attachment"])
    done: list[str] = field(default_factory=list[str], repr=False)
    calls: dict[str, int] = field(default_factory=dict[str, int], repr=False)

    def apart(self, scope: str) -> RunInfo:
        """The run as work beside the task's own steps sees it: a check, a transition, an interrupt's handler.

        Nothing of it is recorded, for it need not happen again in the same way; what it counts, it counts for itself,
        so that the keys of the task's own effects stay what they are.

        Args:
            scope: tells this work from all others of the run.
        """
        return replace(self, journal=None, scope=scope, calls={})

    def once_key(self, name: str) -> str:
        """A key that an action stores beside its outside effect, to recognise the effect after a crash.

        The n-th call with the same `name` gets the same key in every attempt at a durable step, so that a loop
        which does the same thing twice on purpose still does it twice. In a recorded task each call of an action
        counts for itself, and every attempt of a step with `retry` gets the keys of the first.

        Args:
            name: what is done and to what, e.g. "notes/add:buy milk".

        Returns:
            Empty when the run is not durable: then nothing can be recognised.
        """
        if not self.idempotency_key:
            return ""
        self.calls[name] = self.calls.get(name, 0) + 1
        place = f"{self.idempotency_key}/{self.scope}" if self.scope else self.idempotency_key
        return f"{place}/{self.calls[name]}/{name}"


@dataclass(frozen=True, slots=True)
class Tasklet:
    """A task that shall run, with everything the ExecutionManager needs to decide when and how (seed 001).

    Attributes:
        task: full reference, `plan/task`.
        inputs: input values by name; validated against the task's own schema before anything runs.
        resources: further tags `name:limit` beside the task's own; limit 1 if left out.
        timeout: seconds for the whole task; None takes the task's own `timeout`, and that may be none.
        priority: higher goes first among waiters; None takes the task's own.
        mode: how the task as a whole is run; actions choose their pools themselves.
        run: the run behind it.
    """

    task: str
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    resources: tuple[str, ...] = ()
    timeout: float | None = None
    priority: int | None = None
    mode: ExecutionMode = "async"
    run: RunInfo = field(default_factory=RunInfo)


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why a task failed: the `error` variable of `on_failure` and of every report.

    Attributes:
        type: class name of the exception.
        message: what happened, where and what to do; fit for a person.
        task: full reference of the task, `plan/task`.
        step: id or name of the step, or its position as `steps[2]`; empty before the first step.
        location: `file:line:column` of the step; empty if unknown.
        attempts: how often the step was tried.
        done: steps with effects that had succeeded before, as `step (action)`, in order; the message names them, too.
    """

    type: str
    message: str
    task: str = ""
    step: str = ""
    location: str = ""
    attempts: int = 1
    done: tuple[str, ...] = ()

    def after(self, done: Sequence[str]) -> TaskError:
        """The same error of a task that had done something before."""
        return replace(self, message=with_done(self.message, done), done=tuple(done)) if done else self


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task ended.

    Attributes:
        status: success and stopped are good ends; the others carry `error`.
        result: the rendered `returns` (True if the task has none), the recovered result, what a stopped task had
            found so far, or None.
        error: set for error, timeout and cancelled.
        seconds: wall time from the start of running, waiting for slots not counted.
        message: the text of a `stop` step.
        attachments: files for the person, in the order in which the task attached them.
    """

    status: TaskStatus
    result: Any = None
    error: TaskError | None = None
    seconds: float = 0.0
    message: str = ""
    attachments: tuple[Attachment, ...] = ()

    @property
    def ok(self) -> bool:
        """True for success and stopped."""
        return self.status in ("success", "stopped")


def without_secrets(result: TaskResult) -> TaskResult:
    """How a task ended, with every secret of this process masked in what it gives and says."""
    error = result.error and replace(result.error, message=mask(result.error.message))
    files = tuple(replace(file, caption=mask(file.caption)) for file in result.attachments)
    return replace(result, result=masked(result.result), message=mask(result.message), error=error, attachments=files)
