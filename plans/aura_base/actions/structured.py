"""JSON values: read, write, reach inside, merge; for task authors."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, cast

from aura_core.api import ActionError, action, parse_json

_MISSING: Any = object()
_PART = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]")
MAX_CHARS = 5_000_000
MAX_DEPTH = 100


@action("json.parse")
def parse(text: str) -> Any:
    """The value that a JSON text holds.

    Args:
        text: JSON; a byte order mark and a Markdown code fence around it are tolerated.

    Raises:
        ActionError: it is not JSON; says line and column.
    """
    if len(text) > MAX_CHARS:
        raise ActionError(f"The JSON text has {len(text):,} characters; at most {MAX_CHARS:,} are read.")
    body = text.removeprefix("\ufeff").strip()
    if fenced := re.fullmatch(r"```(?:json)?\s*\n(.*?)\n?```", body, re.DOTALL | re.IGNORECASE):
        body = fenced[1]
    try:
        return parse_json(body)
    except json.JSONDecodeError as error:
        raise ActionError(f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None


@action("json.dump")
def dump(value: Any, indent: int | None = 2) -> str:
    """A value as JSON text, with every language's letters as they are.

    Args:
        value: text, numbers, true/false, nothing, lists and objects.
        indent: spaces a level; None writes one line.

    Raises:
        ActionError: a part of the value is not JSON.
    """
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ActionError(f"The value cannot be written as JSON: {error}.") from None


@action("json.get", inline=True)
def get(value: Any, path: str, default: Any = _MISSING) -> Any:
    """A part of a value.

    Args:
        value: lists and objects.
        path: e.g. `rows[0].name`; negative numbers count from the end.
        default: returned if there is no such part; without it that is an error.

    Raises:
        ActionError: no such part; says how far the path led.
    """
    position = 0
    while position < len(path):
        match = _PART.match(path, position)
        if match is None:
            raise ActionError(f"json.get cannot read the path {path!r} at character {position + 1}.")
        value = _child(value, match)
        if value is _MISSING:
            if default is not _MISSING:
                return default
            raise ActionError(f"There is no {path[: match.end()]!r} in the value.")
        position = match.end()
    return value


def _child(value: Any, match: re.Match[str]) -> Any:
    if match[2] is None:
        return cast("dict[str, Any]", value).get(match[1], _MISSING) if isinstance(value, dict) else _MISSING
    items = cast("list[Any]", value) if isinstance(value, list) else []
    index = int(match[2])
    return items[index] if -len(items) <= index < len(items) else _MISSING


@action("json.merge")
def merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both objects as one: `second` wins, objects inside are merged in the same way, lists are replaced.

    Args:
        first: stays as it is.
        second: stays as it is.
    """
    return _merged(first, second, 0)


def _merged(first: dict[str, Any], second: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise ActionError("The objects are nested too deeply to be merged.")
    result = copy.deepcopy(first)
    for key, value in second.items():
        mine = result.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            result[key] = _merged(cast("dict[str, Any]", mine), cast("dict[str, Any]", value), depth + 1)
        else:
            result[key] = copy.deepcopy(value)
    return result
