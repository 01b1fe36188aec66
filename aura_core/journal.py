"""Journal: what an embedder keeps of the actions of a run, so that a repetition after a crash need not repeat them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol, cast

from pydantic import BaseModel

MOMENT = "~moment"
"""Key of the mapping that stands for a date or a moment; a mapping of the action's own with it is not kept."""
MAX_DEPTH = 100


class Journal(Protocol):
    """Keeps entries by key until the work they belong to has ended; the embedder provides it (`RunInfo.journal`)."""

    def recall(self, key: str) -> Any:
        """The entry that an earlier attempt recorded under the key; None if there is none."""
        ...

    async def record(self, entries: Mapping[str, Any]) -> None:
        """Keeps entries, JSON values by key, all or none; once it returns they survive a kill.

        It does not raise: when they cannot be kept, the work is cancelled, to be repeated when there is room again.
        """
        ...


class NotKeptError(Exception):
    """A value cannot be kept in a journal; the text says why. The action that gave it runs again after a crash."""


def kept(value: Any, depth: int = 0) -> Any:
    """The JSON value that stands for an action's result.

    Args:
        value: None, bool, int, float, str, dates and moments, lists, tuples (come back as lists), mappings with text
            keys, pydantic models and dataclasses (come back as mappings of their fields, which expressions read the
            same way), nested in any way.
        depth: how deep `value` stands inside the result.

    Raises:
        NotKeptError: it is anything else.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, date):
        return {MOMENT: value.isoformat()}
    if depth > MAX_DEPTH:
        raise NotKeptError("it is nested too deeply, or holds itself")
    if isinstance(value, list | tuple):
        return [kept(item, depth + 1) for item in cast("list[Any]", value)]
    return {_key(name): kept(item, depth + 1) for name, item in _fields(value).items()}


def revived(value: Any) -> Any:
    """The value that `kept` was given, as far as it comes back."""
    if isinstance(value, list):
        return [revived(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if MOMENT in fields:
        text: str = fields[MOMENT]
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return {name: revived(item) for name, item in fields.items()}


def _fields(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return cast("Mapping[Any, Any]", value)
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in (*type(value).model_fields, *(value.model_extra or {}))}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise NotKeptError(f"a {type(value).__name__} is no JSON value")


def _key(name: Any) -> str:
    if not isinstance(name, str) or name == MOMENT:
        raise NotKeptError(f"it is a mapping with the key {name!r}")
    return name
