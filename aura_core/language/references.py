"""Checks what tasks refer to in other plans: tasks, actions and their parameters, services, resources."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import cast

from aura_core.config import ConfigService
from aura_core.errors import NotFoundError, Problem
from aura_core.ground.suggestions import hint, nearest
from aura_core.language.arguments import Mistake, action_mistakes, input_mistakes
from aura_core.language.conflicts import check_commands, check_resources
from aura_core.language.dependencies import find_task
from aura_core.language.interrupt_references import check_interrupts
from aura_core.language.plan import PlanDefinition
from aura_core.language.plan_example_checks import plan_example_mistakes
from aura_core.language.plan_problem import plan_problem
from aura_core.language.problems import Finder
from aura_core.language.reference_context import Outlook
from aura_core.language.state_references import check_states
from aura_core.language.steps import ActionStep, GoTaskStep, RunTaskStep, StepBase
from aura_core.language.task import TaskDefinition
from aura_core.plugins.registry import BASE_PLAN, ActionDefinition, ActionRegistry, problem_at
from aura_core.plugins.service_registry import ServiceRegistry


def order_plans(plans: Mapping[str, PlanDefinition]) -> tuple[list[str], list[Problem]]:
    """Plans after the plans that they require, and a problem for every missing one and for a cycle.

    Args:
        plans: all plans by name, broken ones too.
    """
    problems: list[Problem] = []
    graph: dict[str, set[str]] = {}
    for name, plan in plans.items():
        graph[name] = {BASE_PLAN} & plans.keys() - {name}
        for index, required in enumerate(plan.requires):
            if required in plans:
                graph[name] |= {required} - {name, BASE_PLAN}
            if required not in plans or required == name:
                what = "a plan does not require itself" if required == name else f"there is no plan {required!r}"
                advice = "" if required == name else hint(required, plans, what="the plans are")
                problems.append(plan_problem(plan, ("requires", index), what, advice))
    while True:
        try:
            return list(TopologicalSorter(graph).static_order()), problems
        except CycleError as error:
            cycle = cast("list[str]", error.args[1])[::-1]
            message = f"plans require each other in a circle: {' → '.join(cycle)}"
            advice = "move what both need into a third plan"
            problems += [plan_problem(plans[name], ("requires",), message, advice) for name in sorted(set(cycle))]
            for name in cycle:
                graph[name] -= set(cycle)


def find_mistakes(
    plans: Mapping[str, PlanDefinition], services: Collection[str]
) -> tuple[list[str], dict[str, list[Problem]]]:
    """What is wrong between plans: what they refer to, and limits that contradict each other.

    Args:
        plans: all plans by name; of two that contradict each other, the later one is told.
        services: names of services that whoever embeds the core provides.

    Returns:
        The names of the plans, each after those that it requires; problems by plan.
    """
    order, problems = order_plans(plans)
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(Path(problem.path).parent.name, []).append(problem)
    for check in (References(plans, services).check(order), check_resources(plans), check_commands(plans)):
        for name, its in check.items():
            found.setdefault(name, []).extend(its)
    return order, found


@dataclass(slots=True)
class References:
    """Checks plans in the order of `order_plans`.

    Args:
        plans: all plans by name.
        services: names of services that whoever embeds the core provides.
    """

    plans: Mapping[str, PlanDefinition]
    services: Collection[str]

    def check(self, order: list[str]) -> dict[str, list[Problem]]:
        """Problems by plan."""
        actions = ActionRegistry()
        services = ServiceRegistry(ConfigService(), dict.fromkeys(self.services))
        found: dict[str, list[Problem]] = {}
        for name in order:
            code = self.plans[name].code
            actions.register(name, code.definitions)
            found[name] = [*code.mistakes, *services.register(code, self.plans[name].requires)]
            for action in actions.actions(name).values():
                found[name].extend(_check_services(action, services))
        for name in order:
            plan = self.plans[name]
            visible = self._visible(plan, actions)
            for task in plan.tasks.values():
                found[name].extend(self._check_task(plan, task, visible))
            found[name].extend(self._check_side_files(plan, actions, visible))
            found[name].extend(
                plan_problem(
                    plan, mistake.place, mistake.message, mistake.advice, key=mistake.key, offset=mistake.offset
                )
                for mistake in plan_example_mistakes(plan, self.plans)
            )
        return found

    def check_tasks(self, tasks: Iterable[TaskDefinition]) -> list[Problem]:
        """Problems of some tasks of the plans, which have no others."""
        actions = ActionRegistry()
        for name, plan in self.plans.items():
            actions.register(name, plan.code.definitions)
        owned = ((self.plans[task.plan], task) for task in tasks)
        return [
            problem for plan, task in owned for problem in self._check_task(plan, task, self._visible(plan, actions))
        ]

    def _visible(self, plan: PlanDefinition, actions: ActionRegistry) -> Mapping[str, ActionDefinition]:
        return actions.visible(plan.name, [required for required in plan.requires if required in self.plans])

    def _check_side_files(
        self, plan: PlanDefinition, actions: ActionRegistry, visible: Mapping[str, ActionDefinition]
    ) -> Iterator[Problem]:
        outlook = Outlook(
            plan,
            self.plans,
            lambda other: visible if other is plan else self._visible(other, actions),
            lambda step: self._mistakes(plan, step, visible),
            lambda ref: self._unknown_task(plan, ref, "run_task"),
        )
        yield from check_states(outlook)
        yield from check_interrupts(outlook)

    def _check_task(
        self, plan: PlanDefinition, task: TaskDefinition, visible: Mapping[str, ActionDefinition]
    ) -> Iterator[Problem]:
        finder: Finder | None = None
        for step in task.walk():
            for place, message, advice, at_key in self._mistakes(plan, step, visible):
                if finder is None:
                    finder = Finder(task.source, task.source.load(), task.root, task.ref)
                yield finder.at((*step.place, *place), message, advice, key=at_key)

    def _mistakes(
        self, plan: PlanDefinition, step: StepBase, visible: Mapping[str, ActionDefinition]
    ) -> Iterator[Mistake]:
        """What is wrong with what a step refers to, and with what it gives to that."""
        if isinstance(step, ActionStep):
            action = visible.get(step.action)
            if action is not None:
                yield from action_mistakes(step, action)
            elif unknown := self._unknown_action(plan, step.action, visible):
                yield unknown
        elif isinstance(step, RunTaskStep | GoTaskStep):
            ref, key = (step.run_task, "run_task") if isinstance(step, RunTaskStep) else (step.go_task, "go_task")
            task = find_task(self.plans, plan.name, ref)
            if unknown := self._unknown_task(plan, ref, key):
                yield unknown
            elif task is not None:
                yield from input_mistakes(step, task)

    def _unknown_action(
        self, plan: PlanDefinition, name: str, visible: Mapping[str, ActionDefinition]
    ) -> Mistake | None:
        if self._hidden_by_other_problems(plan, name):
            return None
        other, _, rest = name.replace(".", "/", 1).partition("/")
        if other in self.plans and rest in self.plans[other].actions:
            return (
                ("action",),
                f"the plan {other!r} is not required here",
                f"add it to `requires` of {plan.name}",
                False,
            )
        near = nearest(name, visible)
        own = [action for action in visible if "/" not in action and "." not in action]
        return (
            ("action",),
            f"there is no action {name!r}",
            hint(name, visible if near else own, what="actions are"),
            False,
        )

    def _hidden_by_other_problems(self, plan: PlanDefinition, name: str) -> bool:
        """Whether a Python file that could not be imported may be the one that holds the action."""
        prefix = name.replace(".", "/", 1).partition("/")[0]
        return any(other in self.plans and self.plans[other].code.problems for other in (plan.name, BASE_PLAN, prefix))

    def _unknown_task(self, plan: PlanDefinition, ref: str, key: str) -> Mistake | None:
        if ref in plan.tasks:
            return None
        other, _, name = ref.partition("/")
        owner = self.plans.get(other)
        if owner is None or not name:
            if plan.incomplete:
                return None
            names = [
                *plan.tasks,
                *(f"{required}/{task}" for required in plan.requires for task in self._tasks(required)),
            ]
            return (key,), f"there is no task {ref!r}", hint(ref, names, what="tasks are"), False
        if other not in {plan.name, BASE_PLAN, *plan.requires}:
            return (key,), f"the plan {other!r} is not required here", f"add it to `requires` of {plan.name}", False
        if name in owner.tasks or owner.incomplete:
            return None
        return (key,), f"the plan {other!r} has no task {name!r}", hint(name, owner.tasks, what="its tasks are"), False

    def _tasks(self, plan: str) -> Collection[str]:
        return self.plans[plan].tasks if plan in self.plans else ()


def _check_services(action: ActionDefinition, services: ServiceRegistry) -> Iterator[Problem]:
    for name in action.signature.services.values():
        try:
            services.key(action.plan, name)
        except NotFoundError as error:
            yield problem_at(action.function, f"action {action.name!r}: {error}", action.modules.folder)
