"""Snapshot: all plans as a run sees them, from its first step to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from aura_core.config import ConfigService
    from aura_core.execution.refcount import RefCount
    from aura_core.language.task import TaskDefinition
    from aura_core.tasklet import RunInfo, TaskResult


class Snapshot(Protocol):
    """What the ExecutionManager needs of the plans; a reload makes another one for the runs that begin after it."""

    @property
    def refcount(self) -> RefCount:
        """Who needs it; `when_idle` is set once there is a newer one."""
        ...

    @property
    def config(self) -> ConfigService:
        """The settings of the plans."""
        ...

    def as_begun(self, ref: str, run: RunInfo) -> Snapshot:
        """The plans in which a task goes on that a run has begun before; this snapshot for one that begins.

        Raises:
            DefinitionError: the task as it began needs something that the plans no longer have.
        """
        ...

    def task(self, ref: str) -> TaskDefinition:
        """The task of a full reference.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def resources_of(self, task: TaskDefinition) -> Collection[str]:
        """The tags of the resources that a run of the task may need, whatever task it leads to."""
        ...

    async def execute(self, task: TaskDefinition, inputs: dict[str, Any], run: RunInfo) -> TaskResult:
        """Runs a task, with inputs that its schema has seen, through the Orchestrator of its plan."""
        ...
