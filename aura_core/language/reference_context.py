"""Outlook: what the side files of one plan may refer to, and what is wrong with a reference (see References)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aura_core.errors import Problem
from aura_core.execution.resources import split_resource
from aura_core.ground.suggestions import hint
from aura_core.language.arguments import Mistake
from aura_core.language.dependencies import find_task, steps_of
from aura_core.language.plan import PlanDefinition
from aura_core.language.problems import Finder
from aura_core.language.steps import ActionStep, Place, RunTaskStep
from aura_core.language.task import TaskDefinition
from aura_core.plugins.registry import BASE_PLAN, ActionDefinition


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where one plan looks.

    Args:
        plan: the plan.
        plans: all plans by name, broken ones too.
        visible: plan -> the actions that its steps may use.
        mistakes: what is wrong with an action step of this plan.
        unknown_task: what is wrong with a reference to a task; None if there is such a task.
    """

    plan: PlanDefinition
    plans: Mapping[str, PlanDefinition]
    visible: Callable[[PlanDefinition], Mapping[str, ActionDefinition]]
    mistakes: Callable[[ActionStep], Iterator[Mistake]]
    unknown_task: Callable[[str], Mistake | None]

    def owner(self, ref: str) -> tuple[PlanDefinition | None, str, str, str]:
        """What a name of the form `name` or `plan/name` belongs to.

        Returns:
            The plan, None if it may not be used here; the name inside it; what is wrong; what to do.
        """
        other, slash, name = ref.partition("/")
        if not slash or other == self.plan.name:
            return self.plan, name or other, "", ""
        if other not in self.plans:
            advice = hint(other, self.plan.requires, what="the required plans are")
            return None, name, f"there is no plan {other!r}", advice
        if other not in {BASE_PLAN, *self.plan.requires}:
            advice = f"add it to `requires` of {self.plan.name}"
            return None, name, f"the plan {other!r} is not required here", advice
        return self.plans[other], name, "", ""

    def task(self, ref: str) -> TaskDefinition | None:
        """The task that a reference in this plan means, if there is one."""
        return find_task(self.plans, self.plan.name, ref)

    def check_task(self, ref: str, finder: Finder, place: Place, role: str) -> Iterator[Problem]:
        """What is wrong with a task that the runtime starts by itself: it must exist and need no inputs.

        Args:
            ref: the reference, as it is written.
            finder: makes problems of the file.
            place: where the reference stands.
            role: what the task is for, e.g. "check".
        """
        mistake = self.unknown_task(ref)
        if mistake is not None:
            yield finder.at(place, mistake[1], mistake[2])
        task = self.task(ref)
        if task is None:
            return
        needed = [name for name, spec in task.meta.inputs.items() if spec.required and not spec.has_default]
        if needed:
            names = ", ".join(repr(name) for name in needed)
            advice = f"nobody gives a {role} inputs: take `required` out, or give a default"
            yield finder.at(place, f"the {role} {task.ref} needs {names}", advice)

    def writing_step(self, task: TaskDefinition) -> str:
        """The first thing that keeps a task from being read-only, as people read it; empty if nothing does."""
        return self._writing_step(task, set())

    def resources(self, task: TaskDefinition) -> dict[str, TaskDefinition]:
        """The resources that a task needs, or what its steps lead to: name -> the first task that names it."""
        needed: dict[str, TaskDefinition] = {}
        for other in steps_of(self.plans, task):
            for tag in other.meta.resources:
                needed.setdefault(split_resource(tag)[0], other)
        return needed

    def _writing_step(self, task: TaskDefinition, seen: set[str]) -> str:
        if task.ref in seen:
            return ""
        seen.add(task.ref)
        if task.meta.effects != "read":
            return f"{task.ref} has effects {task.meta.effects!r}"
        plan = self.plans[task.plan]
        actions = self.visible(plan)
        for step in task.walk():
            action = actions.get(step.action) if isinstance(step, ActionStep) else None
            if action is not None and action.spec.effects != "read":
                return f"step {step.label} of {task.ref} calls {action.ref}, with effects {action.spec.effects!r}"
            inner = find_task(self.plans, plan.name, step.run_task) if isinstance(step, RunTaskStep) else None
            writing = self._writing_step(inner, seen) if inner is not None else ""
            if writing:
                return writing
        return ""
