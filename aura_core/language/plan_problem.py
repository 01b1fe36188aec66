"""A problem of a plan as a whole, at a place of its plan.yaml."""

from __future__ import annotations

from aura_core.errors import DefinitionError, Problem
from aura_core.language.plan import PlanDefinition
from aura_core.language.problems import Finder
from aura_core.language.source import Source


def plan_problem(
    plan: PlanDefinition,
    place: tuple[str | int, ...],
    message: str,
    advice: str = "",
    *,
    key: bool = False,
    offset: int = 0,
) -> Problem:
    """A problem at a place of plan.yaml; at the file as a whole if it has become unreadable since it was loaded.

    Args:
        plan: the plan.
        place: keys and indexes from the top of the file.
        message: what is wrong.
        advice: what to do.
        key: the key is meant, not its value.
        offset: characters inside a text.
    """
    path = plan.folder / "plan.yaml"
    try:
        source = Source.read(path)
        return Finder(source, source.load()).at(place, message, advice, key=key, offset=offset)
    except DefinitionError:
        return Problem(str(path), 0, 0, message, advice)
