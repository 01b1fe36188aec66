"""Filters that Jinja does not bring, or brings for web pages: tojson, fromjson, date."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePath
from random import randrange
from typing import Any, Literal, cast

from jinja2.filters import do_indent, do_round
from pydantic import BaseModel

from aura_core.asynccontext import observe, on_local_clock
from aura_core.expressions.limits import MAX_INDENT, MAX_ITEMS, MAX_OUTPUT, MAX_WIDTH, LimitError, measure
from aura_core.ground.json_text import parse_json


def to_json(value: Any, indent: int | None = None) -> str:
    """`value | tojson`: JSON text, readable in every script; dates in ISO form, objects as their fields.

    Args:
        value: the value.
        indent: spaces per level; one line if left out.
    """
    if indent is not None and not 0 <= indent <= MAX_INDENT:
        raise LimitError(f"tojson indents by {MAX_INDENT} columns at most")
    return json.dumps(value, indent=indent, ensure_ascii=False, default=plain)


def from_json(text: str) -> Any:
    """`text | fromjson`: the value that a JSON text holds."""
    return parse_json(text)


def plain(value: Any) -> Any:  # noqa: PLR0911 (one return per kind of value)
    """What JSON can hold of a value that it cannot hold itself."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, set | frozenset | range):
        return list(cast("set[Any]", value))
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be written as JSON")


def format_date(value: Any, form: str = "%Y-%m-%d") -> str:
    """`value | date("%d.%m.%Y")`: a date, a moment, an ISO text or seconds since the epoch as text.

    Args:
        value: what to write.
        form: strftime's form.
    """
    if isinstance(value, bool) or not isinstance(value, date | str | int | float):
        raise TypeError(f"a date, an ISO text or seconds are wanted, not {type(value).__name__}")
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    elif isinstance(value, int | float):
        value = on_local_clock(datetime.fromtimestamp(value, UTC))
    if len(form) > MAX_WIDTH:
        raise LimitError(f"a date's form has {MAX_WIDTH:,} characters at most")
    return value.strftime(form)


def join(value: Iterable[Any], separator: str = "") -> str:
    """The filter `join`, unless the text would grow beyond all measure."""
    separator = str(separator)
    size = 0
    texts: list[str] = []
    for item in value:
        text = bounded_text(item)
        size += len(text) + len(separator)
        if size > MAX_OUTPUT:
            raise LimitError(f"joining would make more than {MAX_OUTPUT:,} characters")
        texts.append(text)
    return separator.join(texts)


def concat(*parts: Any) -> str:
    """The operator `~`."""
    return join(parts)


def replace(text: Any, old: str, new: str, count: int | None = None) -> str:
    """The filter `replace`, unless the text would grow beyond all measure."""
    text, old, new = str(text), str(old), str(new)
    times = text.count(old)
    if count is not None and count >= 0:
        times = min(times, count)
    if len(text) + times * len(new) > MAX_OUTPUT + len(text):
        raise LimitError(f"replacing would make more than {MAX_OUTPUT:,} characters")
    return text.replace(old, new, -1 if count is None else count)


def indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """The filter `indent`, of the value's text: Jinja's would lengthen a list in place."""
    text = bounded_text(value)
    columns = len(width) if isinstance(width, str) else width
    if (text.count("\n") + 1) * columns > MAX_OUTPUT:
        raise LimitError(f"indenting would make more than {MAX_OUTPUT:,} characters")
    return do_indent(text, width, first, blank)


def bounded_text(value: Any) -> str:
    """`str(value)`, unless a value of few parts, each held many times, would become an endless text."""
    if isinstance(value, dict | list | tuple | set | frozenset):
        items, characters = measure(cast("object", value))
        if items > MAX_ITEMS or characters > MAX_OUTPUT:
            raise LimitError(f"a value of more than {MAX_ITEMS:,} items is not written as text")
    return str(cast("object", value))


def round_number(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    """The filter `round`, to a bounded number of digits."""
    if abs(precision) > MAX_WIDTH:
        raise LimitError(f"numbers are rounded to {MAX_WIDTH:,} digits at most")
    return do_round(value, precision, method)


def pick(value: Iterable[Any]) -> Any:
    """`value | random`: one of the items by chance; a recorded task that is repeated gets the same again."""
    items = list(value)
    if not items:
        raise ValueError("there is nothing to choose from")
    return items[observe("random", lambda: randrange(len(items)))]  # noqa: S311 (a choice, no secret)
