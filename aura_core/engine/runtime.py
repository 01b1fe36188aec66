"""PlanRuntime: everything an engine needs of the plan whose task it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aura_core.context import ContextManager
    from aura_core.engine.debug_capture import DebugCapture
    from aura_core.language.interrupts import InterruptMap
    from aura_core.language.states import StateMap
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.hooks import HookManager
    from aura_core.plugins.injector import ActionInjector
    from aura_core.plugins.registry import ActionDefinition
    from aura_core.plugins.service_registry import ServiceRegistry


@dataclass(frozen=True, slots=True)
class PlanRuntime:
    """One plan, ready to run; immutable, so that a run in flight keeps what it started with.

    Attributes:
        plan: its name.
        actions: every name that its steps may use.
        injector: calls actions.
        services: makes services.
        hooks: is told of failed steps.
        contexts: makes contexts.
        find_task: reference as written in a step of this plan -> task.
        runtime_of: plan name -> its runtime, for tasks of other plans.
        debug_capture: takes a picture of a failure, if the plan offers a service that does.
        states: the plan's states, if it has any.
        interrupts: the plan's interrupts, if it has any.
    """

    plan: str
    actions: Mapping[str, ActionDefinition]
    injector: ActionInjector
    services: ServiceRegistry
    hooks: HookManager
    contexts: ContextManager
    find_task: Callable[[str], TaskDefinition]
    runtime_of: Callable[[str], PlanRuntime]
    debug_capture: DebugCapture | None = None
    states: StateMap | None = None
    interrupts: InterruptMap | None = None
