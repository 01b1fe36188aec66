"""StatePlanner: one journey per plan at a time, in the slots of the task that asked for it (seed 001)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aura_core.engine.time_limit import within
from aura_core.errors import StatePlanningError
from aura_core.execution.task_scope import task_scope
from aura_core.state_planner.limits import PlanningLimits
from aura_core.state_planner.routes import Routes
from aura_core.state_planner.sensing import RunTask, Sensing
from aura_core.state_planner.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aura_core.language.task import TaskDefinition
    from aura_core.orchestrator import Orchestrator
    from aura_core.tasklet import RunInfo, TaskResult


class StatePlanner:
    """Reaches the states that tasks require.

    Two tasks of one plan never plan at the same time, so that their transitions do not mix. What happens to the
    state while a task runs is not watched: tasks that must not disturb each other share a resource.

    Args:
        orchestrator: plan name -> its Orchestrator, which knows the plan's states and runs its tasks.
        limits: how long and how often it tries.
    """

    def __init__(self, orchestrator: Callable[[str], Orchestrator], limits: PlanningLimits | None = None) -> None:
        self._orchestrator = orchestrator
        self._limits = limits or PlanningLimits()
        self._locks: dict[str, asyncio.Lock] = {}

    async def reach(self, task: TaskDefinition, run: RunInfo) -> None:
        """Brings the plan into `task.meta.requires_initial_state`, if the task requires a state.

        Checks and transitions run in the slots of the task, plan no states themselves, and are not recorded: after a
        crash the state is looked for anew.

        Args:
            task: the task that will run.
            run: the run behind it.

        Raises:
            StatePlanningError: the state was not reached; says where the plan is, what was tried, and what to do.
        """
        required = task.meta.requires_initial_state
        if required is None:
            return
        owner, _, target = required.rpartition("/")
        orchestrator = self._orchestrator(owner or task.plan)
        states = orchestrator.runtime.states
        if states is None or target not in states.states:
            raise StatePlanningError(
                f"Task {task.ref} requires the state {target!r}, which plan {orchestrator.plan_name} does not have; "
                "describe it in states.yaml."
            )
        beside = run.apart(f"state:{required}")
        limits = self._limits
        sensing = Sensing(
            orchestrator.plan_name, states.states, _runner(orchestrator, beside, limits.check_seconds, "check")
        )
        travel = _runner(orchestrator, beside, limits.transition_seconds, "transition")
        journey = Transitions(
            task.ref,
            orchestrator.plan_name,
            states=states,
            routes=Routes(states),
            sensing=sensing,
            travel=travel,
            limits=limits,
        )
        async with self._turn(orchestrator.plan_name):
            await journey.reach(target)

    @asynccontextmanager
    async def _turn(self, plan: str) -> AsyncGenerator[None]:
        """One journey per plan; its task keeps its places even while a transition asks a person.

        Whoever gave its places back here could not get them again: the next one takes them, and waits for its turn.
        """
        slots = task_scope().slots
        if slots is not None:
            slots.split(2)
        try:
            async with self._locks.setdefault(plan, asyncio.Lock()):
                yield
        finally:
            if slots is not None:
                await slots.end_branch()


def _runner(orchestrator: Orchestrator, run: RunInfo, seconds: float, what: str) -> RunTask:
    """Runs tasks of a plan outside the ExecutionManager: no slots, no state planning, no interrupts."""

    def run_task(ref: str) -> Awaitable[TaskResult]:
        task = orchestrator.runtime.find_task(ref)
        work = orchestrator.execute_task(ref, run=run)
        return within(task.meta.timeout or seconds, work, f"{what} {task.ref}")

    return run_task
