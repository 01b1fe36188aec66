"""JSON as programs really write it, read so that it can be written again for others."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, cast

MAX_DEPTH = 100
"""Levels of nesting; what is deeper could not be copied, stored or shown."""
_MOST_DIGITS = 4_000
_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


def parse_json(text: str) -> Any:
    """The value of a JSON text from outside: a file, a page, a person.

    Programs write `NaN` and `Infinity`, though JSON has no such words and most readers refuse them. NaN is read as
    null; what is beyond every number (`Infinity`, `1e999`, thousands of digits) stays the text that was written.

    Raises:
        json.JSONDecodeError: it is not JSON, or is nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_constant, parse_float=_decimal, parse_int=_integer)
    except RecursionError:
        raise json.JSONDecodeError(_TOO_DEEP, text, 0) from None
    if text.count("[") + text.count("{") > MAX_DEPTH and is_too_deep(value):
        raise json.JSONDecodeError(_TOO_DEEP, text, 0)
    return value


def is_too_deep(value: object) -> bool:
    """Whether lists and objects are nested more than MAX_DEPTH levels deep; itself it needs no depth."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        if not any(isinstance(item, dict | list) for item in level):
            return False
        level = [inner for item in level for inner in _inside(item)]
    return True


def _inside(item: object) -> Iterable[object]:
    if isinstance(item, dict):
        return cast("dict[str, object]", item).values()
    return cast("list[object]", item) if isinstance(item, list) else ()


def _constant(word: str) -> str | None:
    return None if word == "NaN" else word


def _decimal(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits
