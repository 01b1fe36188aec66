"""Interpreter: what a step may use of the engine that runs it, so that steps and engine need not know each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.result import EngineResult
    from aura_core.engine.runtime import PlanRuntime
    from aura_core.execution.gate import Gate
    from aura_core.language.steps import StepBase
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.registry import ActionDefinition


class Interpreter(Protocol):
    """The engine, as a step sees it (see `ExecutionEngine`).

    Attributes:
        runtime: the plan whose task runs.
        context: the task's variables; a step gets the context of its own branch.
        depth: how many `run_task` steps are above the task.
        turns: steps and loop turns so far; a step that loops counts its own, and breathes.
        task: the task that runs.
        recorded: whether its actions are recorded.
        gate: where its steps are held while an interrupt's handler runs; None if nothing can hold them.
        call_action: calls an action: definition, params, context, engine.
    """

    runtime: PlanRuntime
    context: Context
    depth: int
    turns: int
    task: TaskDefinition | None
    recorded: bool
    gate: Gate | None
    call_action: Callable[[ActionDefinition, Any, Context, Any], Awaitable[Any]]

    @property
    def step_map(self) -> Mapping[str, int]:
        """Step id -> index of the top-level step that holds it."""
        ...

    async def run(self, task: TaskDefinition, task_name: str = "") -> EngineResult:
        """Runs a whole task."""
        ...

    async def run_steps(
        self,
        task: TaskDefinition,
        steps: Sequence[StepBase],
        name: str,
        result: Callable[[TaskDefinition], Any],
    ) -> EngineResult:
        """Runs top-level steps of a task."""
        ...

    async def run_block(self, steps: Sequence[StepBase], context: Context) -> None:
        """Runs the steps of a block in a context."""
        ...

    def fresh(self, runtime: PlanRuntime, context: Context, depth: int) -> Self:
        """An engine of the same kind for another task: a step map and a counter of its own."""
        ...
