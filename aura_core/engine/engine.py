"""ExecutionEngine: runs the steps of one task, one after the other, and follows jumps (seed 002)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from aura_core.engine import action, ask, conditional, for_, jump, parallel, run_task, set_, stop, while_
from aura_core.engine.failure import failure_of, task_error
from aura_core.engine.result import EngineResult
from aura_core.engine.signals import JumpSignal, StopTaskException
from aura_core.engine.so_far import results_so_far
from aura_core.errors import LoopLimitError, StepFailedError
from aura_core.execution.cancellation import being_ended
from aura_core.execution.system_exit import failure_for, is_from_outside
from aura_core.execution.task_scope import task_scope
from aura_core.language import steps as model

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.runtime import PlanRuntime
    from aura_core.execution.gate import Gate
    from aura_core.expressions import Template
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.registry import ActionDefinition

MAX_JUMPS = 10_000
"""`go_step` jumps of one task."""
BREATH = 127
"""After so many turns the event loop gets its own, so that no task can hold it; one less than a power of 2."""


class ExecutionEngine:
    """The interpreter of one task.

    Args:
        runtime: the plan whose task it runs.
        context: its variables.
        depth: how many `run_task` steps are above it.

    Attributes:
        gate: every step passes it first; None if no interrupt may hold the task.
        recorded: whether its actions are recorded (see `Recording`).
    """

    def __init__(self, runtime: PlanRuntime, context: Context, depth: int = 0) -> None:
        self.runtime = runtime
        self.context = context
        self.depth = depth
        self.turns = 0
        self.task: TaskDefinition | None = None
        self.steps: Sequence[model.StepBase] = ()
        self._step_map: dict[str, int] | None = None
        scope = task_scope()
        self.gate = scope.gate
        self.recorded = scope.trail is not None
        self.call_action: Callable[[ActionDefinition, Any, Context, Any], Awaitable[Any]] = (
            runtime.injector.call if self.gate is None else partial(_call_at_gate, self.gate, runtime.injector.call)
        )

    async def run(self, task: TaskDefinition, task_name: str = "") -> EngineResult:
        """Runs a task to its end, to a `go_task`, a `stop`, or an error.

        Args:
            task: the task.
            task_name: what errors call it; its reference if left out.

        Returns:
            How it ended. Only cancellation is raised.
        """
        result = await self.run_steps(task, task.steps, task_name or task.ref, self._outputs)
        if result.status != "stopped":
            return result
        return replace(result, outputs=results_so_far(_output_template(task), self.context.variables))

    async def run_steps(
        self,
        task: TaskDefinition,
        steps: Sequence[model.StepBase],
        name: str,
        result: Callable[[TaskDefinition], Any],
    ) -> EngineResult:
        """Runs top-level steps of `task`: its own, or those of its `on_failure`.

        Args:
            task: the task they belong to.
            steps: the steps; jumps stay among them.
            name: what errors call the task.
            result: computes the outputs after the last step.
        """
        self.task, self.steps, self._step_map = task, steps, None
        try:
            await self._run_from_top(steps)
            return EngineResult("success", outputs=result(task))
        except JumpSignal as signal:
            return EngineResult("go_task", next_task=signal.target, next_inputs=signal.inputs, plan=task.plan)
        except StopTaskException as stopped:
            return EngineResult("stopped", message=stopped.message)
        except Exception as error:
            if being_ended():
                raise asyncio.CancelledError from error
            return EngineResult("error", error=task_error(error, name))

    async def run_block(self, steps: Sequence[model.StepBase], context: Context) -> None:
        """Runs the steps of a block in `context`."""
        for step in steps:
            await self._execute_step_recursively(step, context)

    def fresh(self, runtime: PlanRuntime, context: Context, depth: int) -> Self:
        """An engine for another task, with a step map and counters of its own (seed 002).

        Args:
            runtime: the plan whose task it will run.
            context: its variables.
            depth: how many `run_task` steps are above it.
        """
        return type(self)(runtime, context, depth)

    @property
    def step_map(self) -> dict[str, int]:
        """Step id -> index of the top-level step that holds it; built once, when the first jump asks for it."""
        if self._step_map is None:
            self._step_map = self._build_step_map()
        return self._step_map

    async def _run_from_top(self, steps: Sequence[model.StepBase]) -> None:
        index, jumps, end, context = 0, 0, len(steps), self.context
        while index < end:
            try:
                await self._execute_step_recursively(steps[index], context)
            except JumpSignal as signal:
                if signal.kind == "go_task":
                    raise
                jumps += 1
                if jumps > MAX_JUMPS:
                    raise LoopLimitError(
                        f"The task jumped more than {MAX_JUMPS} times, the last time to step {signal.target!r}; "
                        "give it a way out."
                    ) from None
                index = self.step_map[signal.target]
            else:
                index += 1
            self.turns += 1
            if not self.turns & BREATH:
                await asyncio.sleep(0)

    async def _execute_step_recursively(self, step: model.StepBase, context: Context) -> None:
        if self.gate is not None:
            await self.gate.passed()
        try:
            if step.when is None or step.when.render(context.variables):
                await _EXECUTORS[type(step)](self, step, context)
        except (JumpSignal, StopTaskException, StepFailedError):
            raise
        except Exception as error:
            raise failure_of(self.task, step, error) from error
        except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
            if is_from_outside(error):
                raise
            raise failure_of(self.task, step, failure_for(error, "Something in this step")) from error

    def _build_step_map(self) -> dict[str, int]:
        return {
            inner.id: index for index, step in enumerate(self.steps) for inner in step.walk() if inner.id is not None
        }

    def _outputs(self, task: TaskDefinition) -> Any:
        template = _output_template(task)
        return True if template is None else template.render(self.context.variables)

    _execute_single_action_step = action.execute
    _execute_if_block = conditional.execute
    _execute_for_block = for_.execute
    _execute_while_block = while_.execute
    _run_sub_task = run_task.execute


def _output_template(task: TaskDefinition) -> Template | None:
    return task.outputs if task.outputs is not None else task.returns


_Executor = Callable[[ExecutionEngine, Any, "Context"], Awaitable[None]]
_EXECUTORS: dict[type[model.StepBase], _Executor] = {
    model.ActionStep: action.execute,
    model.IfStep: conditional.execute,
    model.ForStep: for_.execute,
    model.WhileStep: while_.execute,
    model.ParallelStep: parallel.execute,
    model.RunTaskStep: run_task.execute,
    model.GoStepStep: jump.execute_go_step,
    model.GoTaskStep: jump.execute_go_task,
    model.SetStep: set_.execute,
    model.StopStep: stop.execute,
    model.AskStep: ask.execute,
}


async def _call_at_gate(gate: Gate, call: Callable[..., Awaitable[Any]], *given: Any) -> Any:
    """Calls an action of a task that may be held: whoever holds the gate waits for it, but not for pauses before it."""
    await gate.passed()
    with gate.work():
        return await call(*given)
