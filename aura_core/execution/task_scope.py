"""TaskScope: what a running task has around it, besides what all running code has."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aura_core.asynccontext import RunScope, current_scope, inside

if TYPE_CHECKING:
    from aura_core.execution.calls import Unfinished
    from aura_core.execution.gate import Gate
    from aura_core.execution.slots import Slots


@dataclass(slots=True, eq=False)
class TaskScope(RunScope):
    """The scope of a running task, and of what runs for it.

    Attributes:
        slots: its places; None beside the task (see `beside_the_task`).
        gate: where its steps are held; None if no interrupt may hold it.
        unfinished: calls that nobody waits for any more but that still run in a pool; its slots wait for them.
        snapshot: all plans as it began with them: also what it starts itself is looked up there.
    """

    slots: Final[Slots | None] = None
    gate: Final[Gate | None] = None
    unfinished: Final[Unfinished | None] = None
    snapshot: Final[object] = None


def task_scope() -> TaskScope:
    """The scope of the task that runs in this asynchronous context; an empty one outside any."""
    scope = current_scope.get()
    return (
        scope
        if isinstance(scope, TaskScope)
        else TaskScope(scope.plan, scope.settings, scope.trail, scope.zone, scope.ends)
    )


def beside_the_task() -> AbstractContextManager[None]:
    """Around what runs for a task without being one of its branches: the task's places and clocks do not apply."""
    return inside(task_scope().but(slots=None))


def given_up_calls(into: Unfinished) -> AbstractContextManager[None]:
    """For the block, calls that are given up are remembered in `into`, so that no slot waits for them."""
    return inside(task_scope().but(unfinished=into))
