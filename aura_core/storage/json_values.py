"""JSON in and out of the store: what cannot come back exactly as it went in is refused, with the key that holds it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, cast

from aura_core.errors import DurableError

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with string keys."""
MAX_DEPTH = 100


def encode(value: Json, where: str) -> str:
    """JSON text of `value`.

    Args:
        value: a JSON value; tuples, sets, dates, NaN, and dictionaries with keys that are not text are refused, because
            a replay would see something else than the first run did.
        where: whose value it is, for the message, e.g. "step 'fetch' of run 'r1'".

    Raises:
        DurableError: names `where` and the place inside the value.
    """
    try:
        text = json.dumps(value, allow_nan=False)
        faithful = json.loads(text) == value
    except (TypeError, ValueError, RecursionError):
        faithful, text = False, ""
    if faithful:
        return text
    place, what = _offender(value, "", 0)
    raise DurableError(
        f"The value of {where} is not JSON: {what}{f' at {place}' if place else ''}. Use None, bool, int, float, str, "
        f"list, and dict with text keys; a pydantic model becomes one with model_dump(mode='json')."
    )


def decode(text: str) -> Json:
    """The value that `encode` was given; a new copy every time."""
    return json.loads(text)


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON: Python takes 1, 1.0 and True for equal."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _offender(value: object, place: str, depth: int) -> tuple[str, str]:
    """Place and description of the first thing that is not JSON; the place is empty for the value itself."""
    wrong = _wrong(value, depth)
    if wrong:
        return place, wrong
    for inner, item in _children(value, place):
        found = _offender(item, inner, depth + 1)
        if found[1]:
            return found
    return "", "it does not come back as it went in" if depth == 0 else ""


def _wrong(value: object, depth: int) -> str:
    """What is wrong with the value itself, its children left aside; empty if nothing is."""
    if depth > MAX_DEPTH:
        return "it is nested too deeply, or holds itself"
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"the number {value}"
    if isinstance(value, dict):
        odd = [key for key in cast("dict[object, object]", value) if not isinstance(key, str)]
        return f"a dict with the key {odd[0]!r}" if odd else ""
    return "" if value is None or isinstance(value, str | int | list) else f"a {type(value).__name__}"


def _children(value: object, place: str) -> Iterable[tuple[str, object]]:
    if isinstance(value, list):
        return ((f"{place}[{index}]", item) for index, item in enumerate(cast("list[object]", value)))
    if isinstance(value, dict):
        return ((f"{place}.{key}".lstrip("."), item) for key, item in cast("dict[str, object]", value).items())
    return ()
