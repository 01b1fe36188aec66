"""Framework: the whole core wired together: plans, services, hooks, orchestrators, execution."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aura_core.config import ConfigService
from aura_core.context import ContextManager
from aura_core.errors import Problem
from aura_core.execution.pools import Pools
from aura_core.execution.task_scope import task_scope
from aura_core.execution_manager import ExecutionLimits, ExecutionManager, StatePlanner
from aura_core.generations.events import ReloadReport
from aura_core.generations.generations import Generations
from aura_core.generations.plan_loading import load_plans
from aura_core.generations.reading import LOAD_SECONDS
from aura_core.generations.reloader import Reloader
from aura_core.generations.snapshot import Generation, SharedRuntime
from aura_core.ground.events import EventBus
from aura_core.interrupts import InterruptService
from aura_core.language.environment import settings_of
from aura_core.language.plan_manager import PlanManager
from aura_core.language.plan_set import PlanSet
from aura_core.orchestrator import Orchestrator
from aura_core.plugins.hooks import HookManager
from aura_core.tasklet import without_secrets

if TYPE_CHECKING:
    from aura_core.language.consequences import Consequences
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.middleware import Middleware
    from aura_core.storage.losses import Losses
    from aura_core.tasklet import RunInfo, Tasklet, TaskResult


class Framework:
    """Loads plans and runs their tasks.

        async with Framework([Path("plans")], Path("data")) as framework:
            result = await framework.submit(Tasklet("notes/add", {"text": "milk"}))

    Args:
        plan_folders: folders of plans; of two plans of one name, the first one counts.
        data_folder: where plans keep their data; created when needed.
        settings: plan name -> settings that override its config.yaml; the environment overrides both.
        services: services of the embedder by name, injectable in every plan: `llm`, `chat`, …
        limits: how much runs at once.
        events: the bus to publish on; a new one if left out.
        middleware: further links of the chain around every action call, outermost first.
        state_planner: reaches the states that tasks require; left out, states.yaml of the plans is followed.
        losses: keeps what plans' data was damaged until a person has seen it.
        load_seconds: how long one plan may take to load, mostly for what its Python files do when they are imported;
            past it, it is a broken plan like any other.

    Attributes:
        plans: the plans that loaded, and their tasks.
        problems: what is wrong with the others; filled when the framework is entered.
        events: the bus.
        hooks: the registered hooks; more may be added.
        execution_manager: decides when and how tasks run.
        generations: the plans as runs see them: those that begin now, and those in flight.
        reloader: takes edits in; there once the framework is entered.
    """

    def __init__(
        self,
        plan_folders: Sequence[Path],
        data_folder: Path,
        *,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        services: Mapping[str, object] | None = None,
        limits: ExecutionLimits | None = None,
        events: EventBus | None = None,
        middleware: Sequence[Middleware] = (),
        state_planner: StatePlanner | None = None,
        losses: Losses | None = None,
        load_seconds: float = LOAD_SECONDS,
    ) -> None:
        self._load_seconds = load_seconds
        self._settings = settings or {}
        self.events = events or EventBus()
        self.plans = PlanManager(plan_folders, services=list(services or {}))
        self.problems: list[Problem] = []
        limits = limits or ExecutionLimits()
        pools = Pools(limits.threads, limits.processes)
        self.hooks = HookManager(pools.run_io)
        self._shared = SharedRuntime(
            settings=lambda plan: (self._settings.get(plan, {}), settings_of(plan, os.environ)),
            provided=services or {},
            contexts=ContextManager(data_folder, self.events, losses),
            hooks=self.hooks,
            pools=pools,
            middleware=middleware,
        )
        self.generations = Generations(Generation(PlanSet(), self._shared))
        self._interrupts = InterruptService(lambda: self.plans.plans, self.orchestrator, self.events)
        self.execution_manager = ExecutionManager(
            self._snapshot,
            pools=pools,
            hooks=self.hooks,
            events=self.events,
            limits=limits,
            state_planner=state_planner,
            interrupts=self._interrupts,
        )

    async def __aenter__(self) -> Self:
        """Loads the plans and starts the pools. Problems of plans are in `problems`; the other plans work."""
        self.problems = await load_plans(self.plans, self._load_seconds)
        generation = Generation(self.plans.current, self._shared)
        self.problems.extend(generation.problems)
        self._take(generation)
        self.reloader = Reloader(
            self.plans,
            self.problems,
            make=self._next_generation,
            take=self._take,
            events=self.events,
            seconds=self._load_seconds,
        )
        await self.execution_manager.startup()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Ends running tasks, closes services in reverse order, forgets the plans' modules."""
        try:
            await self.execution_manager.shutdown()
            await self._interrupts.close()
        finally:
            await self.generations.close()

    @property
    def config(self) -> ConfigService:
        """Settings of all plans, as a run that begins now sees them."""
        return self.generations.current.config

    def orchestrator(self, plan: str) -> Orchestrator:
        """The Orchestrator of a plan: inside a running task as the task began with it, else as it is now.

        Raises:
            NotFoundError: no such plan is loaded.
        """
        return self._snapshot().orchestrator(plan)

    def task(self, ref: str, run: RunInfo | None = None) -> TaskDefinition:
        """A task as `submit` would run it.

        Args:
            ref: full reference, `plan/task`.
            run: the run behind it; one that goes on with the task has it as it was when it began.

        Raises:
            NotFoundError: there is none.
            DefinitionError: the task as it began needs something that the plans no longer have.
        """
        return self._as_begun(ref, run).task(ref)

    def consequences(self, ref: str, run: RunInfo | None = None) -> Consequences:
        """What may come of a task as `submit` would run it; raises as `task`."""
        generation = self._as_begun(ref, run)
        return generation.consequences_of(generation.task(ref))

    def outlook(self) -> list[tuple[TaskDefinition, Consequences]]:
        """Every task with which a run may begin now, by reference, and what may come of it."""
        now = self.generations.current
        return [(task, now.consequences_of(task)) for task in now.plans.tasks()]

    async def submit(self, tasklet: Tasklet) -> TaskResult:
        """Runs a task; see `ExecutionManager.submit`. No secret that this process holds is in what comes back."""
        return without_secrets(await self.execution_manager.submit(tasklet))

    async def reload(self, plans: Collection[str] = ()) -> ReloadReport:
        """Reloads plans that were edited, added or removed, for the runs that begin after it; see `Reloader.reload`.

        Args:
            plans: names of plans to reload although nothing in them was edited.

        Raises:
            NotFoundError: there is no plan of such a name.
        """
        known = self.reloader.problems
        report = await self.reloader.reload(plans)
        self.problems = [*self.reloader.problems, *(problem for problem in self.problems if problem not in known)]
        return report

    def _next_generation(self, plans: PlanSet) -> Generation:
        return Generation(plans, self._shared, self.generations.current)

    def _as_begun(self, ref: str, run: RunInfo | None) -> Generation:
        snapshot = self._snapshot()
        return snapshot if run is None else snapshot.as_begun(ref, run)

    def _snapshot(self) -> Generation:
        snapshot = task_scope().snapshot
        return (
            snapshot
            if isinstance(snapshot, Generation) and snapshot.stands_on(self._shared)
            else self.generations.current
        )

    def _take(self, generation: Generation) -> None:
        """Makes a generation the one with which runs begin; nothing else runs meanwhile."""
        self.hooks.follow(generation.hooks(), generation.config)
        self.execution_manager.resources.follow(generation.resources())
        if self.execution_manager.state_planner is None and generation.has_states:
            self.execution_manager.state_planner = _state_planner(self.orchestrator)
        self.plans.current = generation.plans
        self.generations.take(generation)


def _state_planner(orchestrator: Callable[[str], Orchestrator]) -> StatePlanner:
    from aura_core.state_planner import StatePlanner as Planner  # noqa: PLC0415 (networkx: only who has states pays)

    return Planner(orchestrator)
