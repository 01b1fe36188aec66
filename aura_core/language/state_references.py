"""Checks what states.yaml refers to, and which tasks require which states."""

from __future__ import annotations

from collections.abc import Iterator

from aura_core.errors import Problem
from aura_core.ground.suggestions import hint
from aura_core.language.plan import PlanDefinition
from aura_core.language.problems import Finder
from aura_core.language.reference_context import Outlook
from aura_core.language.states import ANY_STATE, StateMap, Transition
from aura_core.language.task import TaskDefinition

_REQUIRED = ("meta", "requires_initial_state")


def check_states(outlook: Outlook) -> Iterator[Problem]:
    """Every problem of a plan's states that needs its tasks, and those of required plans, to be seen.

    Args:
        outlook: where the plan looks.
    """
    states = outlook.plan.states
    if states is not None:
        yield from _check_checks(outlook, states)
        for index, transition in states.transitions.items():
            yield from _check_transition(outlook, states, index, transition)
    for task in outlook.plan.tasks.values():
        if task.meta.requires_initial_state is not None:
            finder = Finder(task.source, task.source.load(), task.root, task.ref)
            yield from _check_required(outlook, task.meta.requires_initial_state, finder)


def _check_checks(outlook: Outlook, states: StateMap) -> Iterator[Problem]:
    for name, state in states.states.items():
        place = ("states", name, "check")
        yield from outlook.check_task(state.check, states.finder, place, "check")
        task = outlook.task(state.check)
        if task is None:
            continue
        if task.meta.requires_initial_state is not None:
            message = f"the check {task.ref} requires the state {task.meta.requires_initial_state!r} itself"
            advice = "a check looks in whatever state there is: take the requirement out"
            yield states.finder.at(place, message, advice)
        writing = outlook.writing_step(task)
        if writing:
            yield states.finder.at(place, f"a check may only look, but {writing}", "take a read-only task")


def _check_transition(outlook: Outlook, states: StateMap, index: int, transition: Transition) -> Iterator[Problem]:
    for end, name in (("from", transition.from_), ("to", transition.to)):
        if name not in states.written and name != ANY_STATE:
            advice = hint(name, states.written, what="the states are") or "describe it under `states`"
            yield states.finder.at(("transitions", index, end), f"there is no state {name!r}", advice)
    place = ("transitions", index, "task")
    yield from outlook.check_task(transition.task, states.finder, place, "transition")
    task = outlook.task(transition.task)
    if task is not None and not _fits(task, outlook.plan, transition):
        message = f"the transition {task.ref} requires the state {task.meta.requires_initial_state!r} itself"
        advice = f"nothing is planned for a transition, it begins in {transition.from_!r}: take the requirement out"
        yield states.finder.at(place, message, advice)


def _fits(task: TaskDefinition, plan: PlanDefinition, transition: Transition) -> bool:
    """Whether a transition's task requires no state, or the one in which the transition begins."""
    required = task.meta.requires_initial_state
    if required is None:
        return True
    full = required if "/" in required else f"{task.plan}/{required}"
    return full == f"{plan.name}/{transition.from_}"


def _check_required(outlook: Outlook, wanted: str, finder: Finder) -> Iterator[Problem]:
    plan, name, message, advice = outlook.owner(wanted)
    if plan is None:
        yield finder.at(_REQUIRED, message, advice)
        return
    states = plan.states
    if states is None:
        if not (plan.folder / "states.yaml").is_file():
            advice = f"describe {name!r} in states.yaml, or take the requirement out"
            yield finder.at(_REQUIRED, f"the plan {plan.name!r} has no states", advice)
    elif name not in states.written:
        advice = hint(name, states.written, what="the states are") or f"describe it in states.yaml of {plan.name}"
        yield finder.at(_REQUIRED, f"there is no state {name!r}", advice)
    elif len(states.written) > 1 and not _leads_to(states, name):
        message = f"no transition leads to the state {name!r}, so nothing could reach it"
        yield finder.at(_REQUIRED, message, f"add one to states.yaml of {plan.name}")


def _leads_to(states: StateMap, name: str) -> bool:
    """Whether the file has a way to a state, one with mistakes of its own included."""
    return states.incomplete or any(way.to == name for way in states.transitions.values())
