"""A task's `on_failure`: runs its steps in an isolated context with `error`, and decides whether the task recovers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from aura_core.engine.result import EngineResult
from aura_core.errors import PlanStateError
from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.task import TaskDefinition

_log = get_logger(__name__)


async def run_failure_handler(failed: Interpreter, task: TaskDefinition, result: EngineResult) -> EngineResult:
    """Runs the task's `on_failure`, if it has one and the task failed (seed 000: `_run_failure_handler`).

    The steps see the task's inputs, the plan's data and `error`; not the variables of the failed steps.

    Args:
        failed: the engine that ran the task.
        task: the task.
        result: how it ended.

    Returns:
        `result`; with `recover: true` a success whose outputs are the result of the block's last step that has one
        (True if none has); the block's `go_task` if it ended so.
    """
    handler = task.on_failure
    if result.status != "error" or result.error is None or handler is None:
        return result
    failed_context = failed.context
    try:
        context = await failed.runtime.contexts.create(
            task.plan, failed_context.run, failed_context.inputs, error=asdict(result.error)
        )
    except PlanStateError:
        return result
    engine = failed.fresh(failed.runtime, context, failed.depth)
    handled = await engine.run_steps(task, handler.steps, task.ref, lambda _task: context.last)
    if handled.status == "go_task" or (handled.status == "stopped" and handler.recover):
        return handled
    if handled.error is not None:
        _log.warning("on_failure_failed", task=task.ref, step=handled.error.step, reason=handled.error.message)
        return result
    if not handler.recover:
        return result
    return EngineResult("success", outputs=True if handled.outputs is None else handled.outputs)
