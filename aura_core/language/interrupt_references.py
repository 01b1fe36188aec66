"""Checks what interrupts.yaml refers to, and which tasks activate which interrupts."""

from __future__ import annotations

from collections.abc import Iterator

from aura_core.errors import Problem
from aura_core.ground.suggestions import hint
from aura_core.language.interrupts import Interrupt, InterruptMap
from aura_core.language.problems import Finder
from aura_core.language.reference_context import Outlook
from aura_core.language.steps import ActionStep
from aura_core.language.task import TaskDefinition


def check_interrupts(outlook: Outlook) -> Iterator[Problem]:
    """Every problem of a plan's interrupts that needs its tasks and actions, and those of required plans, to be seen.

    Args:
        outlook: where the plan looks.
    """
    interrupts = outlook.plan.interrupts
    if interrupts is not None:
        for name, interrupt in interrupts.interrupts.items():
            yield from _check_condition(outlook, interrupts, name, interrupt)
            yield from _check_handler(outlook, interrupts, name, interrupt)
    for task in outlook.plan.tasks.values():
        if task.meta.activates_interrupts:
            yield from _check_activated(outlook, task)


def _check_condition(outlook: Outlook, interrupts: InterruptMap, name: str, interrupt: Interrupt) -> Iterator[Problem]:
    step = ActionStep(action=interrupt.condition.action, params=interrupt.condition.params)
    mistakes = list(outlook.mistakes(step))
    for place, message, advice, at_key in mistakes:
        yield interrupts.finder.at((name, "condition", *place), message, advice, key=at_key)
    if mistakes:
        return
    action = outlook.visible(outlook.plan).get(step.action)
    if action is not None and action.spec.effects != "read":
        message = f"the action {action.ref} has effects {action.spec.effects!r} and cannot be a condition"
        advice = "a condition may only look: take an action with effects 'read'"
        yield interrupts.finder.at((name, "condition", "action"), message, advice)


def _check_handler(outlook: Outlook, interrupts: InterruptMap, name: str, interrupt: Interrupt) -> Iterator[Problem]:
    place = (name, "task")
    yield from outlook.check_task(interrupt.task, interrupts.finder, place, "handler")
    task = outlook.task(interrupt.task)
    if task is not None and task.meta.requires_initial_state is not None:
        message = f"the handler {task.ref} requires the state {task.meta.requires_initial_state!r}"
        advice = "a handler runs in whatever state there is: take the requirement out"
        yield interrupts.finder.at(place, message, advice)
    if task is not None and interrupt.scope == "global":
        yield from _check_without_places(outlook, interrupts, name, task)


def _check_without_places(
    outlook: Outlook, interrupts: InterruptMap, name: str, task: TaskDefinition
) -> Iterator[Problem]:
    """A handler beside all tasks belongs to none: it could only wait for places that the tasks it holds have."""
    needed = outlook.resources(task)
    if needed:
        names = ", ".join(f"{resource!r} (for {other.ref})" for resource, other in needed.items())
        message = f"the handler {task.ref} needs places of {names}, but with `scope: global` it takes none"
        advice = (
            "write `scope: task` and activate it where it is wanted; or take a handler that needs none, and start this "
            f"task with `on_event: 'interrupt.fired:{outlook.plan.name}/{name}'` in its meta"
        )
        yield interrupts.finder.at((name, "task"), message, advice)


def _check_activated(outlook: Outlook, task: TaskDefinition) -> Iterator[Problem]:
    finder = Finder(task.source, task.source.load(), task.root, task.ref)
    for index, ref in enumerate(task.meta.activates_interrupts):
        place = ("meta", "activates_interrupts", index)
        plan, name, message, advice = outlook.owner(ref)
        if plan is None:
            yield finder.at(place, message, advice)
            continue
        if plan.interrupts is None and (plan.folder / "interrupts.yaml").is_file():
            continue
        known = frozenset[str]() if plan.interrupts is None else plan.interrupts.written
        if name not in known:
            advice = hint(name, known, what="the interrupts are") or f"describe it in interrupts.yaml of {plan.name}"
            yield finder.at(place, f"there is no interrupt {name!r}", advice)
        elif ref in task.meta.activates_interrupts[:index]:
            yield finder.at(place, f"the interrupt {ref!r} is there twice", "remove one of them")
