"""Takes the mistakes out of a file's value, so that what is left can still be checked: all problems come at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from aura_core.errors import Problem
from aura_core.language.problems import STEP_LISTS, Finder, place_of
from aura_core.language.steps import Place

ModelT = TypeVar("ModelT", bound=BaseModel)
_MOST_ROUNDS = 3


def salvage(model: type[ModelT], raw: Any, finder: Finder) -> tuple[ModelT | None, list[Problem]]:
    """Validates a value; on mistakes, what is left of it without them.

    Args:
        model: what the value should be.
        raw: the value; not changed.
        finder: makes problems of its file.

    Returns:
        The model, None if nothing is left, and all problems; with problems the model is for further checks only.
    """
    problems: list[Problem] = []
    for _ in range(_MOST_ROUNDS):
        try:
            return model.model_validate(raw), problems
        except ValidationError as error:
            if not problems:
                problems = finder.of(error, model)
            raw = _without(raw, (place_of(detail["loc"]) for detail in error.errors(include_url=False)))
    return None, problems


def _without(raw: Any, places: Iterable[Place]) -> Any:
    for place in sorted(places, key=len, reverse=True):
        raw = _removed(raw, _smallest_part(place))
    return raw


def _smallest_part(place: Place) -> Place:
    """The step that holds a mistake, else the input or the key of `meta`, else the top-level key.

    Steps of examples are no steps: none of them can stand in for another.
    """
    if place[:1] == ("examples",):
        return place[:1]
    for index in range(len(place) - 1, -1, -1):
        names = [part for part in place[:index] if isinstance(part, str)]
        is_branch = index > 0 and place[index - 1] == "parallel"
        if isinstance(place[index], int) and names and names[-1] in STEP_LISTS and not is_branch:
            return place[: index + 1]
    return place[: 3 if place[:2] == ("meta", "inputs") else 2 if place[:1] == ("meta",) else 1]


def _removed(raw: Any, place: Place) -> Any:
    """A copy without the value at a place; a step leaves its id behind, so that jumps to it stay right."""
    if not place:
        return raw
    first, *rest = place
    if isinstance(raw, dict):
        mapping = cast("dict[Any, Any]", raw)
        if not rest or first not in mapping:
            return {key: value for key, value in mapping.items() if key != first}
        return {**mapping, first: _removed(mapping[first], tuple(rest))}
    items = list(cast("list[Any]", raw))
    index = cast("int", first)
    items[index] = _removed(items[index], tuple(rest)) if rest else _stand_in(items[index])
    return items


def _stand_in(step: Any) -> Any:
    identity = cast("dict[Any, Any]", step).get("id") if isinstance(step, dict) else None
    return {"stop": "", "id": identity} if isinstance(identity, str | int) else {"stop": ""}
