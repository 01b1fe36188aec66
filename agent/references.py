"""References from one step's inputs to another step's result: `${s1.rows[0].id}`.

Plain paths only: no expression ever comes from a model. A string that is one reference keeps the type of what it
refers to; inside text the value is inserted as text, in one pass, so an inserted value is never scanned again.
`$${s1}` is the text `${s1}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from agent.errors import UnknownReferenceError
from aura_core.language.result_references import BROKEN, PART, REFERENCE

GENERIC_FIELDS = frozenset({"output", "result", "results", "value", "data", "text", "content", "answer", "response"})
"""Names that models put behind a step although its result is the value itself."""
NEAR_ENOUGH = 0.8
"""How alike two names must be (0 to 1) for one to be suggested for the other."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One parsed reference.

    Attributes:
        step: id of the step it refers to.
        path: field names and list positions, outermost first; empty for the whole result.
    """

    step: str
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        """The reference as it is written in an input."""
        parts = (f"[{part}]" if isinstance(part, int) else _field(part) for part in self.path)
        return f"${{{self.step}{''.join(parts)}}}"


def parse_reference(text: str) -> Reference | None:
    """The reference that `text` as a whole is, or None."""
    match = REFERENCE.fullmatch(text.strip())
    return None if match is None or match["escape"] else _parsed(match)


def references_in(value: Any) -> Iterator[Reference]:
    """Every reference inside a nested value, in order of reading."""
    if isinstance(value, str):
        for match in REFERENCE.finditer(value):
            if not match["escape"]:
                yield _parsed(match)
    else:
        for part in _parts(value):
            yield from references_in(part)


def broken_references_in(value: Any) -> Iterator[str]:
    """Every `${…}` inside a nested value that is not a plain path, as it is written."""
    if isinstance(value, str):
        rest = REFERENCE.sub("", value)
        yield from (match.group(0) for match in BROKEN.finditer(rest))
    else:
        for part in _parts(value):
            yield from broken_references_in(part)


def find_references(value: Any) -> set[str]:
    """The ids of all steps that a nested value refers to."""
    found: set[str] = set()
    left = [value]
    while left:
        part = left.pop()
        if not isinstance(part, str):
            left.extend(_parts(part))
        elif "${" in part:
            found.update(match["step"] for match in REFERENCE.finditer(part) if not match["escape"])
    return found


def replace_references(value: Any, change: Callable[[Reference], Any]) -> Any:
    """A copy of `value` with every reference replaced, in one pass.

    Args:
        value: any JSON value.
        change: gives the replacement. For a string that is one reference, it is taken as it is; inside text, as text
            (see `as_text`). Escaped references stay escaped.
    """
    if isinstance(value, str):
        whole = parse_reference(value)
        if whole is not None:
            return change(whole)
        return REFERENCE.sub(lambda m: m.group(0) if m["escape"] else as_text(change(_parsed(m))), value)
    return _rebuilt(value, lambda part: replace_references(part, change))


def resolve_references(value: Any, outputs: Mapping[str, Any]) -> Any:
    """A copy of `value` with every reference replaced by what it refers to.

    Args:
        value: inputs of a step, or any part of them.
        outputs: results by step id.

    Raises:
        UnknownReferenceError: no such step, field or position; names what there is.
    """
    if isinstance(value, str):
        whole = parse_reference(value)
        if whole is not None:
            return look_up(whole, outputs)
        return REFERENCE.sub(lambda match: _inserted(match, outputs), value)
    return _rebuilt(value, lambda part: resolve_references(part, outputs))


def escape_references(text: str) -> str:
    """The text that `resolve_references` turns back into `text`, whatever it holds."""
    return REFERENCE.sub(lambda match: "$" + match.group(0), text)


def look_up(reference: Reference, outputs: Mapping[str, Any]) -> Any:
    """What a reference refers to.

    Raises:
        UnknownReferenceError: no such step, field or position; names what there is.
    """
    if reference.step not in outputs:
        raise UnknownReferenceError(f"{reference} refers to step {reference.step!r}, which has no result.")
    value = outputs[reference.step]
    for part in reference.path:
        value = _child(value, part, reference)
    return value


def as_text(value: Any) -> str:
    """A value as it is inserted inside text: strings as they are, nothing for null, JSON for the rest."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _child(value: Any, part: str | int, reference: Reference) -> Any:
    if isinstance(value, dict):
        return _member(cast("dict[str, Any]", value), part, reference)
    if isinstance(value, list):
        rows = cast("list[Any]", value)
        position = int(part) if isinstance(part, str) and part.isdecimal() else part
        if isinstance(position, int):
            if -len(rows) <= position < len(rows):
                return rows[position]
            raise UnknownReferenceError(f"{reference}: there is no item {position}, the list has {len(rows)}.")
    if part in GENERIC_FIELDS:
        return cast("Any", value)
    raise UnknownReferenceError(f"{reference}: {_kind(value)} has no {part!r}.")


def _member(value: dict[str, Any], part: str | int, reference: Reference) -> Any:
    name = str(part)
    if name in value:
        return value[name]
    if name in GENERIC_FIELDS and reference.path[0] == part:
        return value
    near = get_close_matches(name, value, n=1, cutoff=NEAR_ENOUGH)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownReferenceError(f"{reference}: there is no {name!r}; there is: {', '.join(value) or 'nothing'}.{hint}")


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "an empty result"}
    return names.get(cast("type[Any]", type(value)), "a number")


def _inserted(match: re.Match[str], outputs: Mapping[str, Any]) -> str:
    return match.group(0)[1:] if match["escape"] else as_text(look_up(_parsed(match), outputs))


def _parsed(match: re.Match[str]) -> Reference:
    parts: list[str | int] = []
    for name, position, quoted, single in PART.findall(match["path"]):
        parts.append(int(position) if position else name or quoted or single)
    return Reference(match["step"], tuple(parts))


def _field(name: str) -> str:
    return f".{name}" if re.fullmatch(r"[\w-]+", name) else f'["{name}"]'


def _parts(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list) else ()


def _rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    match cast("object", value):
        case dict():
            return {name: change(part) for name, part in cast("dict[str, Any]", value).items()}
        case list():
            return [change(part) for part in cast("list[Any]", value)]
        case other:
            return other
