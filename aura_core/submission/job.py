"""Job: a tasklet on its way through the ExecutionManager, its clock, and why it was asked to end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from aura_core.tasklet import TaskError, Tasklet, TaskResult

if TYPE_CHECKING:
    from aura_core.execution.calls import Unfinished
    from aura_core.execution.slots import Slots
    from aura_core.language.task import TaskDefinition
    from aura_core.submission.snapshot import Snapshot

EndReason = Literal["timeout", "cancelled", "shutdown"]
_WHY = {
    "cancelled": ".",
    "shutdown": ": Aura is shutting down.",
    None: " by code of its own; nobody else asked it to end.",
}


@dataclass(eq=False, slots=True)
class Job:
    """A tasklet that waits or runs.

    A job runs in an asyncio task of its own, so that what a plan's code does to that task (asyncio.TaskGroup leaves
    a cancellation request behind in Python 3.11 and 3.12) never reaches whoever submitted it.

    Attributes:
        tasklet: what was submitted.
        task: its definition.
        inputs: of the tasklet, as the task's schema has converted and completed them.
        slots: the places it needs.
        seconds: how long it may run; None: without limit.
        snapshot: the plans with which it began.
        ended: what whoever submitted it waits for.
        unfinished: calls that still run in a pool although nobody waits for them.
        work: the asyncio task it runs in.
        reason: why it was asked to end; None if it was not.
        started: when it began to run, on the clock of `perf_counter`; 0 before.
        result: how the task ended, as soon as that is known; hooks may still run then.
        abandoned: nobody waits for the work any more.
    """

    tasklet: Tasklet
    task: TaskDefinition
    inputs: dict[str, Any]
    slots: Slots
    seconds: float | None
    snapshot: Snapshot
    ended: asyncio.Future[None]
    unfinished: Unfinished
    work: asyncio.Task[TaskResult] | None = None
    reason: EndReason | None = None
    started: float = 0.0
    result: TaskResult | None = None
    abandoned: bool = False

    @property
    def begun(self) -> bool:
        """Whether it has had its places."""
        return self.started > 0

    def is_ending(self) -> bool:
        """Whether it was asked to end."""
        return self.reason is not None

    def end(self, reason: EndReason) -> None:
        """Asks the job to end; the first reason counts."""
        if self.work is not None and not self.work.done() and self.reason is None:
            self.reason = reason
            self.slots.ending = True
            self.work.cancel()

    def wake_submitter(self) -> None:
        """The last act of the work: whoever submitted it goes on in the next turn of the event loop."""
        if not self.ended.done():
            self.ended.set_result(None)

    def let_go(self) -> None:
        """Lets whoever submitted it go on, though the work does not end; asks the work once more."""
        if self.work is not None:
            self.work.cancel()
        self.abandoned = True
        self.wake_submitter()

    async def is_over(self) -> None:
        """Waits until the work has really ended or was let go, however often the waiter is cancelled meanwhile."""
        while self.work is not None and not self.work.done() and not self.abandoned:
            self.ended = asyncio.get_running_loop().create_future()
            try:
                await self.ended
            except asyncio.CancelledError:
                continue

    def has_ended(self, _work: asyncio.Task[TaskResult]) -> None:
        """The work has ended, also if it was cancelled before its first turn and could not say so itself."""
        self.snapshot.refcount.end()
        self.wake_submitter()

    def given_up(self) -> TaskResult:
        """The result of a job that was ended."""
        ref, still = self.task.ref, self._still_runs()
        elapsed = perf_counter() - self.started if self.started else 0.0
        if self.reason == "timeout":
            message = f"Task {ref} took longer than {self.seconds:g} s and was ended.{still}"
            return TaskResult("timeout", error=TaskError("TimeoutError", message, ref), seconds=elapsed)
        why = _WHY[self.reason]
        error = TaskError("CancelledError", f"Task {ref} was cancelled{why}{still}", ref)
        return TaskResult("cancelled", error=error, seconds=elapsed)

    def _still_runs(self) -> str:
        """What a person should know of calls that cannot be ended."""
        actions = self.unfinished.actions
        if not actions:
            return ""
        return (
            f" A call of {' and '.join(actions)} still runs in a thread, which cannot be ended, and keeps the task's "
            "places until it returns."
        )
