"""Which edits of plans are taken: those after which no plan has a problem; the others leave the last good version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aura_core.errors import Problem
from aura_core.language.plan import PlanDefinition
from aura_core.language.plan_problem import plan_problem
from aura_core.language.plan_set import PlanSet
from aura_core.language.references import find_mistakes
from aura_core.plugins.registry import BASE_PLAN


@dataclass(frozen=True, slots=True)
class Edit:
    """A plan as it stands on the disk now.

    Attributes:
        plan: None if it is gone.
        problems: what shows without looking at other plans.
    """

    plan: PlanDefinition | None
    problems: list[Problem] = field(default_factory=list[Problem])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of some edits.

    Attributes:
        plans: the plans after the edits that are taken.
        taken: names of the plans whose edit is taken.
        refused: why the others are not, by plan.
    """

    plans: PlanSet
    taken: frozenset[str]
    refused: Mapping[str, list[Problem]]


def judge(last: PlanSet, edits: Mapping[str, Edit], services: Collection[str]) -> Verdict:
    """Takes as many of the edits as go together with each other and with what was not edited.

    An edit is refused for its own problems, or for those that it makes for a plan that requires it. Then what is
    left is looked at again, until nothing is wrong any more: the last good plans are right without any edit.

    Args:
        last: the plans without a problem, as they were before.
        edits: what was changed, by plan.
        services: names of services that whoever embeds the core provides.
    """
    refused = {name: edit.problems for name, edit in edits.items() if edit.plan is None and edit.problems}
    while True:
        taken = {name: edit for name, edit in edits.items() if name not in refused}
        if not taken:
            return Verdict(last, frozenset(), refused)
        plans = {name: plan for name, plan in last.plans.items() if name not in taken}
        plans |= {name: edit.plan for name, edit in taken.items() if edit.plan is not None}
        found = {name: list(edit.problems) for name, edit in taken.items() if edit.problems}
        order = list(plans)
        missing = _missing(plans, refused)
        if missing:
            found = {**found, **missing}
        else:
            order, mistakes = find_mistakes(plans, services)
            for name, problems in mistakes.items():
                if problems:
                    found.setdefault(name, []).extend(problems)
        if not found:
            return Verdict(PlanSet({name: plans[name] for name in order}), frozenset(taken), refused)
        refused |= _blamed(found, plans, taken)


def _missing(plans: Mapping[str, PlanDefinition], refused: Collection[str]) -> dict[str, list[Problem]]:
    """Plans that require one that is not there because it is refused."""
    found: dict[str, list[Problem]] = {}
    for name, plan in plans.items():
        other = next((one for one in plan.requires if one in refused and one not in plans), None)
        if other is not None:
            message = f"it requires the plan {other!r}, which has problems"
            found[name] = [plan_problem(plan, ("requires",), message, "see there")]
    return found


def _blamed(
    found: Mapping[str, list[Problem]], plans: Mapping[str, PlanDefinition], taken: Collection[str]
) -> dict[str, list[Problem]]:
    """The edits behind some problems: a plan's own, else those of the plans it requires, else all of them.

    What may only follow from the problems of a required plan is left for another look without that edit.
    """
    blamed: dict[str, list[Problem]] = {}
    required = {name: _required(name, plans) - {name} for name in found}
    first = [name for name in found if not any(other in taken for other in required[name] & found.keys())]
    for name in first or found:
        behind = [name] if name in taken else [other for other in required[name] if other in taken]
        for other in behind or taken:
            blamed.setdefault(other, []).extend(found[name])
    return blamed


def _required(name: str, plans: Mapping[str, PlanDefinition]) -> set[str]:
    """Every plan that a plan requires, directly or not."""
    required: set[str] = set()
    open_names = [name]
    while open_names:
        plan = plans.get(open_names.pop())
        more = {*(plan.requires if plan is not None else ()), BASE_PLAN} - required
        required |= more
        open_names.extend(more)
    return required
