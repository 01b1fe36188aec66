"""The step kind `run_task`: runs another task in a fork, with an engine of its own (seed 002: `_run_sub_task`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aura_core.asynccontext import plan_context
from aura_core.engine.failure import SubTaskError
from aura_core.engine.on_failure import run_failure_handler
from aura_core.engine.recording import along, call_label, here
from aura_core.engine.signals import JumpSignal
from aura_core.engine.time_limit import within
from aura_core.errors import InputError, LoopLimitError

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.engine.result import EngineResult
    from aura_core.language.steps import RunTaskStep
    from aura_core.language.task import TaskDefinition

MAX_DEPTH = 32
"""Tasks inside tasks."""


async def execute(engine: Interpreter, step: RunTaskStep, context: Context) -> None:
    """Runs the task; its `outputs` are the result, its `go_task` travels up, its slots are the caller's.

    Raises:
        JumpSignal: the task ended with `go_task`.
        SubTaskError: it failed, and its own `on_failure` did not recover it.
        LoopLimitError: tasks run tasks too deeply.
    """
    if engine.depth >= MAX_DEPTH:
        raise LoopLimitError(f"Tasks run each other more than {MAX_DEPTH} deep; does {step.run_task} run itself?")
    task = engine.runtime.find_task(step.run_task)
    given = step.pass_params.render(context.variables)
    if not isinstance(given, dict):
        raise InputError(f"`pass_params` must be a mapping of names to values, not {given!r}.")
    inputs = task.validate_inputs(given)  # pyright: ignore[reportUnknownArgumentType] (values of YAML)
    runtime = engine.runtime if task.plan == engine.runtime.plan else engine.runtime.runtime_of(task.plan)
    child_context = await runtime.contexts.sub_context(context, task.plan, inputs)
    child = engine.fresh(runtime, child_context, engine.depth + 1)
    async with plan_context(task.plan):
        run, seconds = _run(child, task), task.meta.timeout
        if engine.recorded:
            run = along(here().inside(call_label(engine, step)), run)
        result = await (run if seconds is None else within(seconds, run, f"task {task.ref}"))
    if result.status == "go_task":
        raise JumpSignal("go_task", result.next_task or "", result.next_inputs)
    if result.error is not None:
        raise SubTaskError(result.error)
    context.last = result.outputs
    if step.output_to is not None:
        context.variables[step.output_to] = result.outputs


async def _run(child: Interpreter, task: TaskDefinition) -> EngineResult:
    result = await child.run(task)
    return await run_failure_handler(child, task, result)
