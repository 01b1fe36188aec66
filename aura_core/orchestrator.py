"""Orchestrator: runs the tasks of one plan and answers for the plan's data and files (seed 000)."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import trace

from aura_core.asynccontext import code_of, plan_context
from aura_core.config import ConfigService
from aura_core.data.file_reading import read_beneath, resolve_readable
from aura_core.engine import EngineResult, ExecutionEngine, PlanRuntime
from aura_core.engine.failure import task_error
from aura_core.engine.on_failure import run_failure_handler
from aura_core.engine.so_far import results_so_far
from aura_core.errors import CoreError, InputError, LoopLimitError
from aura_core.execution.refcount import RefCount
from aura_core.execution.system_exit import contained
from aura_core.expressions import compile_template
from aura_core.language.time_rules import zone_of
from aura_core.plugins.registry import ActionDefinition, find_action
from aura_core.tasklet import RunInfo, TaskResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aura_core.execution.pools import Pools
    from aura_core.language.task import TaskDefinition

MAX_CHAIN = 100
"""Tasks that follow each other through `go_task`."""

_tracer = trace.get_tracer("aura.core")


class Orchestrator:
    """The coordinator of one plan: ExecutionManager above it, ExecutionEngine below.

    Args:
        runtime: the plan, ready to run.
        folder: the plan's folder.
        config: settings of all plans.
        pools: where file access runs, beside the event loop.
        refcount: told when it begins and ends to work, so that what it needs stays so long.
    """

    def __init__(
        self,
        runtime: PlanRuntime,
        folder: Path,
        config: ConfigService,
        pools: Pools,
        *,
        refcount: RefCount | None = None,
    ) -> None:
        self.plan_name = runtime.plan
        self.runtime = runtime
        self.folder = folder
        self._config = config
        self._pools = pools
        self._refcount = refcount or RefCount()

    async def execute_task(
        self, task_name_in_plan: str, inputs: Mapping[str, Any] | None = None, *, run: RunInfo | None = None
    ) -> TaskResult:
        """Runs a task, and the tasks it goes on with, to the end.

        Args:
            task_name_in_plan: name inside this plan, or a full reference.
            inputs: by name; checked against the task's schema first.
            run: the run behind it.

        Returns:
            How the last task of the chain ended; `result` is its rendered `returns`, or True if it has none.

        Raises:
            NotFoundError: no such task.
            InputError: the inputs are refused; nothing has run.
        """
        task = self.runtime.find_task(task_name_in_plan)
        return await self.execute(task, task.validate_inputs(inputs or {}), run or RunInfo())

    async def execute(self, task: TaskDefinition, inputs: dict[str, Any], run: RunInfo) -> TaskResult:
        """The same for a task that was looked up, with inputs that its schema has seen.

        Raises:
            CoreError: something of a plan, say a value in an expression, tried to end the program, or raised
                CancelledError by itself.
        """
        self._refcount.begin()
        try:
            with code_of(self.plan_name, self._config, _zone(run)), contained(f"Something in task {task.ref}"):
                return await self._run_chain(task, inputs, run)
        finally:
            self._refcount.end()

    async def perform_condition_check(self, condition_data: Mapping[str, Any], *, run: RunInfo | None = None) -> bool:
        """Runs one read-only action outside any task, in a context of its own.

        Args:
            condition_data: `{action: name, params: {…}}`; params may hold expressions on `state`.
            run: the run behind it.

        Returns:
            Whether it succeeded with something true.

        Raises:
            InputError: the action is not read-only, or `params` is wrong.
            NotFoundError: no such action.
        """
        action = self.condition_action(condition_data)
        if action.spec.effects != "read":
            raise InputError(
                f"Action {action.ref} has effects {action.spec.effects!r} and cannot be a condition; "
                "only an action with effects 'read' can."
            )
        self._refcount.begin()
        try:
            with code_of(self.plan_name, self._config), contained(f"Something in the check {action.ref}"):
                context = await self.runtime.contexts.create(self.plan_name, run or RunInfo(), {})
                params = compile_template(condition_data.get("params") or {}).render(context.variables)
                result = await self.runtime.injector.call(action, params, context)
                return bool(result) and bool(getattr(result, "found", True))
        finally:
            self._refcount.end()

    def condition_action(self, condition_data: Mapping[str, Any]) -> ActionDefinition:
        """The action that `perform_condition_check` calls.

        Raises:
            NotFoundError: no such action.
        """
        return find_action(dict(self.runtime.actions), str(condition_data.get("action", "")), self.plan_name)

    async def get_persistent_context_data(self) -> dict[str, Any]:
        """The plan's persistent data as it stands on disk; a copy, which may be changed."""
        state = self.runtime.contexts.state(self.plan_name)
        await state.refresh()
        return copy.deepcopy(dict(state))

    async def get_file_content(self, relative_path: str) -> str:
        """The text of a file of the plan, read beside the event loop.

        Raises:
            ForbiddenPathError: the path leaves the plan's folder, or is not a plain file.
            NotFoundError: no such file.
            InputError: it is too large, or no UTF-8 text.
        """
        data = await self.get_file_content_bytes(relative_path)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"The file {relative_path!r} of plan {self.plan_name} is no UTF-8 text: {error}."
            ) from error

    async def get_file_content_bytes(self, relative_path: str) -> bytes:
        """The bytes of a file of the plan; raises as `get_file_content`."""
        return cast("bytes", await self._pools.run_io(lambda: self._read(relative_path)))

    def _read(self, relative_path: str) -> bytes:
        return read_beneath(self.folder, self._validate_path(relative_path))

    def _validate_path(self, relative_path: str) -> Path:
        """The absolute path of a file of the plan; refuses whatever leaves the plan's folder."""
        return resolve_readable(self.folder, relative_path)

    async def _run_chain(self, task: TaskDefinition, inputs: dict[str, Any], run: RunInfo) -> TaskResult:
        current_task: TaskDefinition | None = task
        result, length = EngineResult("success"), 0
        while current_task is not None:
            this, length = current_task, length + 1
            result = await self._run_one(this, inputs, run)
            try:
                current_task = self._next(result, this, length)
                if current_task is not None:
                    inputs = current_task.validate_inputs(result.next_inputs)
            except CoreError as error:
                result, current_task = EngineResult("error", error=task_error(error, this.ref)), None
        status = "success" if result.status == "go_task" else result.status
        attachments = tuple(run.attachments)
        return TaskResult(status, result.outputs, result.error, message=result.message, attachments=attachments)

    def _next(self, result: EngineResult, task: TaskDefinition, length: int) -> TaskDefinition | None:
        """The task that follows, if the last one ended with `go_task`.

        Raises:
            LoopLimitError: the chain is too long.
        """
        if result.next_task is None:
            return None
        if length >= MAX_CHAIN:
            raise LoopLimitError(
                f"More than {MAX_CHAIN} tasks followed each other through go_task, the last one was {task.ref}; "
                "end the chain."
            )
        return self.runtime.runtime_of(result.plan).find_task(result.next_task)

    async def _run_one(self, task: TaskDefinition, inputs: dict[str, Any], run: RunInfo) -> EngineResult:
        """One task of the chain, in a context and an engine of its own."""
        runtime = self.runtime if task.plan == self.plan_name else self.runtime.runtime_of(task.plan)
        async with plan_context(task.plan):
            try:
                context = await runtime.contexts.create(task.plan, run, inputs)
            except CoreError as error:  # the plan's data cannot be read, so no block of the task can run
                return EngineResult("error", error=task_error(error, task.ref))
            engine = ExecutionEngine(runtime, context)
            if not runtime.injector.traced:
                return await self._run_and_finish(engine, task)
            attributes = {"aura.task": task.ref, "aura.run": run.corr_id}
            with _tracer.start_as_current_span(f"task {task.ref}", attributes=attributes):
                return await self._run_and_finish(engine, task)

    async def _run_and_finish(self, engine: ExecutionEngine, task: TaskDefinition) -> EngineResult:
        """Runs the steps, renders `returns` with the variables at the end; after a failure, runs `on_failure`."""
        result = await engine.run(task)
        if result.status == "stopped" and task.outputs is not None:
            result = replace(result, outputs=results_so_far(task.returns, engine.context.variables))
        if result.status == "success" and task.outputs is not None:
            try:
                returns = True if task.returns is None else task.returns.render(engine.context.variables)
                result = EngineResult("success", outputs=returns)
            except Exception as error:  # noqa: BLE001 (every failure becomes the task's error)
                result = EngineResult("error", error=task_error(error, task.ref))
        return await self._run_failure_handler(engine, task, result)

    async def _run_failure_handler(
        self, engine: ExecutionEngine, task: TaskDefinition, result: EngineResult
    ) -> EngineResult:
        """Runs the task's `on_failure` in an isolated context with `error` (see `run_failure_handler`)."""
        return await run_failure_handler(engine, task, result)


def _zone(run: RunInfo) -> tzinfo | None:
    """The time zone of the person behind a run; None is the machine's."""
    return zone_of(run.timezone) if run.timezone else None
