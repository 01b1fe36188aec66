"""How a step of a plan refers to the result of an earlier one: `${s1.rows[0].id}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

REFERENCE = re.compile(
    r"(?P<escape>\$)?"
    r"\$\{\s*(?P<step>[^\W\d][\w-]*)(?P<path>(?:\.[\w-]+|\[-?\d{1,9}\]|\[\"[^\"\]]*\"\]|\['[^'\]]*'\])*)\s*\}"
)
"""One reference in a text; `escape` is set where the text means the characters themselves."""
BROKEN = re.compile(r"(?<!\$)\$\{[^}]*\}?")
"""Anything that looks like a reference, also when it is not a plain path."""
PART = re.compile(r"\.([\w-]+)|\[(-?\d+)\]|\[\"([^\"\]]*)\"\]|\['([^'\]]*)'\]")
"""One part of a path: a name, a position, or a name in quotes of either kind."""


def texts_in(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Every text inside a nested value, with its path."""
    if isinstance(value, str):
        yield value, place
    elif isinstance(value, dict):
        for name, part in cast("dict[str, Any]", value).items():
            yield from texts_in(part, (*place, name))
    elif isinstance(value, list):
        for index, part in enumerate(cast("list[Any]", value)):
            yield from texts_in(part, (*place, index))


def has_references(value: Any) -> bool:
    """Whether anything inside a value refers to a result, so that only a run knows the value."""
    return any(not match["escape"] for text, _ in texts_in(value) for match in REFERENCE.finditer(text))


def kind_of_path(path: str) -> str:
    """A reference's path as `gives` writes it: every position is `[]`, e.g. `notes[].id` for `.notes[0].id`."""
    parts = (
        "[]" if position else f".{name or quoted or single}" for name, position, quoted, single in PART.findall(path)
    )
    return "".join(parts).removeprefix(".")
