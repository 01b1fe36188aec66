"""Consequences: what may come of a task, whatever it says of itself: worked out over everything it may lead to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from aura_core.api import Effects
from aura_core.errors import Problem
from aura_core.language.input_spec import InputSpec
from aura_core.language.plan_set import PlanSet
from aura_core.language.problems import Finder
from aura_core.language.steps import ActionStep
from aura_core.language.task import TaskDefinition
from aura_core.plugins.registry import ActionDefinition, ActionRegistry

LEVELS: tuple[Effects, ...] = ("read", "write", "external")
"""Effects, the weakest first."""
ActionsOf = Callable[[str], Mapping[str, ActionDefinition]]
"""Plan -> the actions that its steps may use."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What may come of a task.

    Attributes:
        effects: the strongest of what it says, what its actions do, and what the tasks do that it may lead to.
        untrusted: it, or a task that it may lead to, brings words of strangers.
        leaves: names of its inputs whose values may leave this machine, apart from choices and yes or no.
        tasks: references of all tasks that may run because of it, itself included.
    """

    effects: Effects
    untrusted: bool
    leaves: tuple[str, ...]
    tasks: frozenset[str]


def consequences_of(task: TaskDefinition, reached: Collection[TaskDefinition], actions_of: ActionsOf) -> Consequences:
    """What may come of a task.

    Args:
        task: the task.
        reached: itself, and all tasks that may run because it is started.
        actions_of: the actions that their steps may use.
    """
    effects = strongest(level for one in reached for level, _ in _does(one, actions_of))
    others = [one for one in reached if one.ref != task.ref]
    passes_on = any(_sends(spec, one) for one in others for spec in one.meta.inputs.values())
    leaves = [name for name, spec in task.meta.inputs.items() if _may_carry(spec) and _leaves(spec, task, passes_on)]
    untrusted = any(one.meta.untrusted for one in reached)
    return Consequences(effects, untrusted, tuple(leaves), frozenset(one.ref for one in reached))


def strongest(levels: Iterator[Effects]) -> Effects:
    """The strongest of some effects; `read` if there are none."""
    return LEVELS[max((LEVELS.index(level) for level in levels), default=0)]


def check_effects(plans: PlanSet) -> Iterator[Problem]:
    """A problem for every task that says of itself less than what may come of it.

    A task that says nothing is taken for what it does.
    """
    registry = ActionRegistry()
    for name, plan in plans.plans.items():
        registry.register(name, plan.code.definitions)
    actions = {name: registry.visible(name, plan.requires) for name, plan in plans.plans.items()}
    for task in plans.tasks():
        says = task.meta.effects
        if "effects" not in task.meta.model_fields_set:
            continue
        for one in plans.reach(task):
            found = max(_does(one, actions.__getitem__), key=lambda done: LEVELS.index(done[0]))
            if LEVELS.index(found[0]) > LEVELS.index(says):
                who = found[1] if one.ref == task.ref else f"{one.ref}, to which it may lead,"
                message = f"the task says `effects: {says}`, but {who} has `{found[0]}` effects"
                finder = Finder(task.source, task.source.load(), task.root, task.ref)
                yield finder.at(("meta", "effects"), message, f"say `effects: {found[0]}`, or leave it out")
                break


def _does(task: TaskDefinition, actions_of: ActionsOf) -> Iterator[tuple[Effects, str]]:
    """What a task says, and what each of its own actions does, with who says so."""
    yield task.meta.effects, "the task"
    actions = actions_of(task.plan)
    for step in task.walk():
        action = actions.get(step.action) if isinstance(step, ActionStep) else None
        if action is not None:
            yield action.spec.effects, f"the action {action.ref}"


def _may_carry(spec: InputSpec) -> bool:
    """Whether a value can carry words: a choice that the author wrote, or yes and no, cannot."""
    return spec.enum is None and spec.type != "boolean"


def _leaves(spec: InputSpec, task: TaskDefinition, passes_on: bool) -> bool:
    return spec.leaves is not False and (passes_on or _sends(spec, task))


def _sends(spec: InputSpec, task: TaskDefinition) -> bool:
    """Whether a task's own work may send an input away: it says so, it is an address, or the task reaches outside.

    A task that brings words of strangers asked somebody for them; only a path names something that is here.
    """
    if spec.leaves is not None:
        return spec.leaves
    return spec.format == "uri" or (task.meta.untrusted and spec.format != "path" and _may_carry(spec))
