"""Generation: all plans as they were at one moment, ready to run; a reload makes the next one beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aura_core.asynccontext import current_scope
from aura_core.config import ConfigService
from aura_core.engine import PlanRuntime
from aura_core.engine.debug_capture import DebugCapture
from aura_core.engine.recording import begin, does_more_than_read
from aura_core.engine.task_texts import edited_tasks, texts_of
from aura_core.errors import NotFoundError, Problem
from aura_core.execution.refcount import RefCount
from aura_core.ground.suggestions import hint, sentence
from aura_core.language.consequences import Consequences, consequences_of
from aura_core.language.dependencies import steps_of
from aura_core.language.plan_set import PlanSet
from aura_core.orchestrator import Orchestrator
from aura_core.plugins.injector import ActionInjector
from aura_core.plugins.registry import ActionRegistry
from aura_core.plugins.service_registry import ServiceRegistry

if TYPE_CHECKING:
    from aura_core.context import ContextManager
    from aura_core.execution.pools import Pools
    from aura_core.language.plan import PlanDefinition
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.hooks import HookManager
    from aura_core.plugins.middleware import Middleware
    from aura_core.plugins.plan_code import PlanCode
    from aura_core.tasklet import RunInfo, TaskResult

DEBUG_CAPTURE = "debug_capture"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRuntime:
    """What every generation stands on; no reload changes it.

    Attributes:
        settings: plan name -> settings that go over its config.yaml, later ones over earlier ones.
        provided: services of the embedder by name.
        contexts: makes contexts, and keeps the plans' data.
        hooks: is told of failed steps.
        pools: where plain functions run.
        middleware: further links of the chain around every action call, outermost first.
    """

    settings: Callable[[str], Sequence[Mapping[str, Any]]]
    provided: Mapping[str, object]
    contexts: ContextManager
    hooks: HookManager
    pools: Pools
    middleware: Sequence[Middleware]


class Generation:
    """What a run holds on to from its first step to its last: actions, tasks, services and settings of all plans.

    Args:
        plans: the plans.
        shared: what it stands on.
        earlier: the generation before; services of plans that did not change are shared with it.
        refcount: counts the runs that need it; one of its own if left out.

    Attributes:
        plans: as given.
        config: the settings of the plans.
        services: makes their services.
        refcount: how many runs need it.
        problems: what is wrong with actions and services.
    """

    def __init__(
        self,
        plans: PlanSet,
        shared: SharedRuntime,
        earlier: Generation | None = None,
        refcount: RefCount | None = None,
    ) -> None:
        self.plans = plans
        self.refcount = refcount or RefCount()
        self.problems: list[Problem] = []
        self.config = ConfigService()
        self.services = ServiceRegistry(self.config, shared.provided)
        self._shared = shared
        self._actions = ActionRegistry()
        self._tags: dict[str, Collection[str]] = {}
        self._consequences: dict[str, Consequences] = {}
        for plan in plans.plans.values():
            settings = shared.settings(plan.name)
            self.config.set_plan(plan.name, plan.config_defaults, *settings, secrets=plan.file.secrets)
            self._actions.register(plan.name, plan.code.definitions)
            self.problems.extend(self.services.register(plan.code, plan.requires))
        if earlier is not None:
            self.services.share(earlier.services, self._unchanged_since(earlier))
        self._injector = ActionInjector(self.services, shared.pools, self.config, shared.middleware)
        self._injector.listen()
        self._orchestrators = {plan.name: self._orchestrator(plan) for plan in plans.plans.values()}

    @property
    def codes(self) -> Collection[PlanCode]:
        """The Python files of the plans."""
        return [plan.code for plan in self.plans.plans.values()]

    @property
    def has_states(self) -> bool:
        """Whether any plan has states."""
        return any(plan.states is not None for plan in self.plans.plans.values())

    def stands_on(self, shared: SharedRuntime) -> bool:
        """Whether it belongs to the framework that made this."""
        return self._shared is shared

    def task(self, ref: str) -> TaskDefinition:
        """The task of a full reference; see `PlanSet.task`."""
        return self.plans.task(ref)

    def as_begun(self, ref: str, run: RunInfo) -> Generation:
        """The plans in which a task goes on: its tasks as they were when it began, the rest as it is now.

        Args:
            ref: full reference of the task.
            run: the run behind it; its journal keeps what the task began with.

        Returns:
            This generation, if no such task was edited since, or the run begins only now.

        Raises:
            DefinitionError: the task as it began needs something that the plans no longer have.
        """
        if run.journal is None or ref.partition("/")[0] not in self.plans.plans:
            return self
        edited = edited_tasks(ref, run.journal, run.scope, self.plans.task)
        return Generation(self.plans.with_tasks(edited), self._shared, self, self.refcount) if edited else self

    def resources_of(self, task: TaskDefinition) -> Collection[str]:
        """The tags of a task and of all tasks that it may lead to; found once for each task."""
        tags = self._tags.get(task.ref)
        if tags is None:
            reach = self.plans.reach(task)
            tags = self._tags[task.ref] = tuple({tag for other in reach for tag in other.meta.resources})
        return tags

    def consequences_of(self, task: TaskDefinition) -> Consequences:
        """What may come of a task; found once for each task."""
        found = self._consequences.get(task.ref)
        if found is None:
            found = self._consequences[task.ref] = consequences_of(
                task, self.plans.reach(task), lambda plan: self.orchestrator(plan).runtime.actions
            )
        return found

    def orchestrator(self, plan: str) -> Orchestrator:
        """The Orchestrator of a plan.

        Raises:
            NotFoundError: there is no such plan.
        """
        orchestrator = self._orchestrators.get(plan)
        if orchestrator is None:
            advice = hint(plan, self._orchestrators, what="the plans are")
            raise NotFoundError(sentence(f"There is no plan {plan!r}", advice, "none is loaded"))
        return orchestrator

    async def execute(self, task: TaskDefinition, inputs: dict[str, Any], run: RunInfo) -> TaskResult:
        """Runs a task through the Orchestrator of its plan; what belongs to a durable step is recorded."""
        if run.journal is not None or current_scope.get().trail is not None:
            self._begin_recording(task, run)
        return await self.orchestrator(task.plan).execute(task, inputs, run)

    def hooks(self) -> Iterator[tuple[str, str, Callable[..., Any]]]:
        """Plan, moment and function of every hook."""
        for plan in self.plans.plans.values():
            for spec, function in plan.code.hooks:
                yield plan.name, spec.moment, function

    def resources(self) -> Iterator[str]:
        """What plans and tasks say of resources, as tags."""
        for plan in self.plans.plans.values():
            yield from (f"{name}:{limit}" for name, limit in plan.file.resources.items())
            for task in plan.tasks.values():
                yield from task.meta.resources

    def _begin_recording(self, task: TaskDefinition, run: RunInfo) -> None:
        """Records the task in this asynchronous context, if its run has a journal and it does more than read."""
        tasks = steps_of(self.plans.plans, task)
        if run.journal is not None and does_more_than_read(tasks, lambda plan: self.orchestrator(plan).runtime.actions):
            begin(run.journal, run.scope, texts_of(task.ref, tasks, run.scope))
        else:
            begin(None, run.scope)

    def _unchanged_since(self, earlier: Generation) -> set[str]:
        known = earlier.plans.plans
        return {
            name
            for name, plan in self.plans.plans.items()
            if name in known
            and known[name].code is plan.code
            and self.config.settings(name) == earlier.config.settings(name)
        }

    def _orchestrator(self, plan: PlanDefinition) -> Orchestrator:
        shared = self._shared
        capture = (plan.name, DEBUG_CAPTURE) if DEBUG_CAPTURE in plan.services else None
        runtime = PlanRuntime(
            plan=plan.name,
            actions=self._actions.visible(plan.name, plan.requires),
            injector=self._injector,
            services=self.services,
            hooks=shared.hooks,
            contexts=shared.contexts,
            find_task=lambda ref: self.plans.task(ref, plan=plan.name),
            runtime_of=lambda name: self.orchestrator(name).runtime,
            debug_capture=None if capture is None else DebugCapture(capture, self.services, self._injector),
            states=plan.states,
            interrupts=plan.interrupts,
        )
        return Orchestrator(runtime, plan.folder, self.config, shared.pools, refcount=self.refcount)
