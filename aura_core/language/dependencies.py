"""Reach: the tasks that one task may lead to, whose places its run takes before it begins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from aura_core.language.plan import PlanDefinition
from aura_core.language.steps import GoTaskStep, RunTaskStep, StepBase
from aura_core.language.task import TaskDefinition


def find_task(plans: Mapping[str, PlanDefinition], plan: str | None, ref: str) -> TaskDefinition | None:
    """The task that a reference means.

    Args:
        plans: all plans by name.
        plan: name of the plan in which the reference stands; None outside any plan.
        ref: `plan/task`, `plan/folder/task`; inside a plan the plan's name may be left out.
    """
    inside = plans.get(plan) if plan is not None else None
    if inside is not None and ref in inside.tasks:
        return inside.tasks[ref]
    name, _, rest = ref.partition("/")
    owner = plans.get(name)
    return None if owner is None else owner.tasks.get(rest)


def steps_of(plans: Mapping[str, PlanDefinition], *tasks: TaskDefinition) -> Collection[TaskDefinition]:
    """Tasks, and all that their steps may run or go on with, at any depth, those of `on_failure` too.

    Args:
        plans: all plans by name; references to what is not among them lead nowhere.
        tasks: where it begins.
    """
    found = {task.ref: task for task in tasks}
    new = list(found.values())
    while new:
        current = new.pop()
        refs = (_other_task(step) for step in current.walk())
        for other in _found(plans, current.plan, (ref for ref in refs if ref is not None)):
            if other.ref not in found:
                found[other.ref] = other
                new.append(other)
    return found.values()


def reach(plans: Mapping[str, PlanDefinition], task: TaskDefinition) -> Collection[TaskDefinition]:
    """What may run when a task is started: see `steps_of`; before it, for the state it requires; between its steps.

    Before it, checks of states and transitions run; between its steps, the handlers of interrupts that it activates.
    What those lead to counts too, but plans no state and is watched by nothing, and neither does a task inside another.

    Args:
        plans: all plans by name.
        task: the one that is started.
    """
    return steps_of(plans, task, *_handlers(plans, task), *_planning(plans, task))


def _handlers(plans: Mapping[str, PlanDefinition], task: TaskDefinition) -> Iterator[TaskDefinition]:
    for ref in task.meta.activates_interrupts:
        plan, name = _owner(plans, task, ref)
        interrupt = plan.interrupts.interrupts.get(name) if plan is not None and plan.interrupts is not None else None
        if plan is not None and interrupt is not None and interrupt.scope == "task":
            yield from _found(plans, plan.name, [interrupt.task])


def _planning(plans: Mapping[str, PlanDefinition], task: TaskDefinition) -> Iterator[TaskDefinition]:
    required = task.meta.requires_initial_state
    if required is None:
        return
    plan, name = _owner(plans, task, required)
    if plan is not None and plan.states is not None:
        yield from _found(plans, plan.name, plan.states.tasks_towards(name))


def _owner(plans: Mapping[str, PlanDefinition], task: TaskDefinition, ref: str) -> tuple[PlanDefinition | None, str]:
    """The plan whose state or interrupt `name` or `plan/name` means, and its name there."""
    other, slash, name = ref.partition("/")
    return (plans.get(other), name) if slash else (plans.get(task.plan), ref)


def _found(plans: Mapping[str, PlanDefinition], plan: str, refs: Iterable[str]) -> Iterator[TaskDefinition]:
    for ref in refs:
        task = find_task(plans, plan, ref)
        if task is not None:
            yield task


def _other_task(step: StepBase) -> str | None:
    if isinstance(step, RunTaskStep):
        return step.run_task
    return step.go_task if isinstance(step, GoTaskStep) else None
