"""Framework: the whole core wired together: plans, services, hooks, orchestrators, execution (DESIGN 1)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from aura_core.config import ConfigService
from aura_core.context import ContextManager
from aura_core.engine import PlanRuntime
from aura_core.errors import NotFoundError, Problem
from aura_core.events import EventBus
from aura_core.execution.pools import Pools
from aura_core.execution_manager import ExecutionLimits, ExecutionManager, StatePlanner
from aura_core.hooks import HookManager
from aura_core.injector import ActionInjector
from aura_core.interrupts import InterruptService
from aura_core.model.plan_manager import PlanManager
from aura_core.nearest import hint, sentence
from aura_core.orchestrator import Orchestrator
from aura_core.registry import ActionRegistry
from aura_core.service_registry import ServiceRegistry

if TYPE_CHECKING:
    from aura_core.middleware import Middleware
    from aura_core.model.plan import PlanDefinition
    from aura_core.tasklet import Tasklet, TaskResult

DEBUG_CAPTURE = "debug_capture"
ENVIRONMENT_PREFIX = "AURA_PLANS__"


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

    Attributes:
        plans: the plans that loaded, and their tasks.
        problems: what is wrong with the others; filled when the framework is entered.
        config: settings of all plans.
        events: the bus.
        hooks: the registered hooks; more may be added.
        execution_manager: decides when and how tasks run.
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
    ) -> None:
        self._settings = settings or {}
        self.events = events or EventBus()
        self.plans = PlanManager(plan_folders, services=list(services or {}))
        self.problems: list[Problem] = []
        self.config = ConfigService()
        self._actions = ActionRegistry()
        self._services = ServiceRegistry(self.config, services or {})
        self._contexts = ContextManager(data_folder, self.events)
        self._orchestrators: dict[str, Orchestrator] = {}
        limits = limits or ExecutionLimits()
        pools = Pools(limits.threads, limits.processes)
        self.hooks = HookManager(pools.run_io, config=self.config)
        self.execution_manager = ExecutionManager(
            self.plans.task,
            self.orchestrator,
            pools=pools,
            hooks=self.hooks,
            events=self.events,
            limits=limits,
            state_planner=state_planner,
            interrupts=InterruptService(lambda: self.plans.plans, self.orchestrator, self.events),
        )
        self._injector = ActionInjector(self._services, pools, self.config, middleware)

    async def __aenter__(self) -> Self:
        """Loads the plans and starts the pools. Problems of plans are in `problems`; the other plans work."""
        self.problems = self.plans.load()
        for plan in self.plans.plans.values():
            self._add(plan)
        self._injector.listen()
        await self.execution_manager.startup()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Ends running tasks, closes services in reverse order, forgets the plans' modules."""
        await self.execution_manager.shutdown()
        await self._services.close()
        for plan in self.plans.plans.values():
            plan.code.unload()

    def orchestrator(self, plan: str) -> Orchestrator:
        """The Orchestrator of a plan.

        Raises:
            NotFoundError: no such plan is loaded.
        """
        orchestrator = self._orchestrators.get(plan)
        if orchestrator is None:
            advice = hint(plan, self._orchestrators, what="the plans are")
            raise NotFoundError(sentence(f"There is no plan {plan!r}", advice, "none is loaded"))
        return orchestrator

    async def submit(self, tasklet: Tasklet) -> TaskResult:
        """Runs a task; see `ExecutionManager.submit`."""
        return await self.execution_manager.submit(tasklet)

    def _add(self, plan: PlanDefinition) -> None:
        if plan.states is not None and self.execution_manager.state_planner is None:
            self.execution_manager.state_planner = _state_planner(self.orchestrator)
        self.config.set_plan(
            plan.name, plan.config_defaults, self._settings.get(plan.name, {}), environment_settings(plan.name)
        )
        self.problems.extend(self._actions.register(plan.code))
        self.problems.extend(self._services.register(plan.code))
        for spec, function in plan.code.hooks:
            self.hooks.register(spec.moment, function, plan=plan.name)
        for name, limit in plan.file.resources.items():
            self.execution_manager.resources.declare(f"{name}:{limit}")
        for task in plan.tasks.values():
            for tag in task.meta.resources:
                self.execution_manager.resources.declare(tag)
        runtime = PlanRuntime(
            plan=plan.name,
            actions=self._actions.visible(plan.name, plan.requires),
            injector=self._injector,
            services=self._services,
            hooks=self.hooks,
            contexts=self._contexts,
            find_task=lambda ref: self.plans.task(ref, plan=plan.name),
            runtime_of=lambda name: self.orchestrator(name).runtime,
            debug_capture=(plan.name, DEBUG_CAPTURE) if DEBUG_CAPTURE in plan.services else None,
            states=plan.states,
            interrupts=plan.interrupts,
        )
        self._orchestrators[plan.name] = Orchestrator(runtime, plan.folder, self.config, self.execution_manager.pools)


def _state_planner(orchestrator: Callable[[str], Orchestrator]) -> StatePlanner:
    from aura_core.state_planner import StatePlanner as Planner  # noqa: PLC0415 (networkx: only who has states pays)

    return Planner(orchestrator)


def environment_settings(plan: str) -> dict[str, Any]:
    """Settings of a plan from the environment: `AURA_PLANS__<PLAN>__<KEY>__<KEY>`, values read as YAML.

    Args:
        plan: name of the plan; letters count without case, `-` is written `_`.
    """
    settings: dict[str, Any] = {}
    prefix = ENVIRONMENT_PREFIX + plan.upper().replace("-", "_") + "__"
    for name, text in sorted(os.environ.items()):
        if not name.upper().startswith(prefix):
            continue
        *parents, key = name[len(prefix) :].lower().split("__")
        target = settings
        for parent in parents:
            inner: dict[str, Any] = target[parent] if isinstance(target.get(parent), dict) else {}
            target[parent] = inner
            target = inner
        target[key] = _value(text)
    return settings


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
