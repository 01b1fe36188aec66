"""A problem of a plan as a whole, at a place of its plan.yaml."""

from __future__ import annotations

from aura_core.errors import DefinitionError, Problem
from aura_core.language.plan import PlanDefinition
from aura_core.language.problems import Finder
from aura_core.language.source import Source


def plan_problem(plan: PlanDefinition, place: tuple[str | int, ...], message: str, advice: str = "") -> Problem:
    """A problem at a place of plan.yaml; at the file as a whole if it has become unreadable since it was loaded."""
    path = plan.folder / "plan.yaml"
    try:
        source = Source.read(path)
        return Finder(source, source.load()).at(place, message, advice)
    except DefinitionError:
        return Problem(str(path), 0, 0, message, advice)
