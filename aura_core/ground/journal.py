"""Journal: what an embedder keeps of the actions of a run, so that a repetition after a crash need not repeat them."""

from __future__ import annotations

import dataclasses
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from hashlib import blake2s
from pathlib import Path, PurePath
from typing import Any, Protocol, cast

from pydantic import BaseModel

MOMENT, PATH, SET, BYTES = "~moment", "~path", "~set", "~bytes"
"""Keys of the mappings that stand for what JSON has not; a mapping of the action's own with one of them is not kept."""
_MARKS = frozenset({MOMENT, PATH, SET, BYTES})
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
    """A value cannot be kept in a journal; the text says why."""


def kept(value: Any, depth: int = 0) -> Any:
    """The JSON value that stands for an action's result.

    Args:
        value: None, bool, int, float, str, bytes, dates and moments, paths, sets, lists, tuples (come back as lists),
            mappings with text keys, pydantic models and dataclasses (come back as mappings of their fields, which
            expressions read the same way), nested in any way.
        depth: how deep `value` stands inside the result.

    Raises:
        NotKeptError: it is anything else.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if depth > MAX_DEPTH:
        raise NotKeptError("it is nested too deeply, or holds itself")
    if isinstance(value, date | PurePath | bytes | set | frozenset):
        return _marked(value, depth)  # pyright: ignore[reportUnknownArgumentType] (sets of anything)
    if isinstance(value, list | tuple):
        return [kept(item, depth + 1) for item in cast("list[Any]", value)]
    return {_key(name): kept(item, depth + 1) for name, item in _fields(value).items()}


def fingerprint(value: Any) -> str:
    """A short text that is the same for the same value, in every process."""
    try:
        text = json.dumps(kept(value), sort_keys=True)
    except NotKeptError:
        text = f"?{type(value).__name__}"
    return blake2s(text.encode(), digest_size=8).hexdigest()


def revived(value: Any) -> Any:
    """The value that `kept` was given, as far as it comes back."""
    if isinstance(value, list):
        return [revived(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    mark = next(iter(fields)) if len(fields) == 1 else ""
    if mark in _MARKS:
        return _unmarked(mark, fields[mark])
    return {name: revived(item) for name, item in fields.items()}


def _marked(value: date | PurePath | bytes | set[Any] | frozenset[Any], depth: int) -> dict[str, Any]:
    if isinstance(value, date):
        return {MOMENT: value.isoformat()}
    if isinstance(value, PurePath):
        return {PATH: str(value)}
    if isinstance(value, bytes):
        return {BYTES: b64encode(value).decode()}
    if not all(item is None or isinstance(item, str | int | float | date | PurePath | bytes) for item in value):
        raise NotKeptError("it is a set of more than plain values")
    return {SET: sorted((kept(item, depth + 1) for item in value), key=repr)}


def _unmarked(mark: str, value: Any) -> Any:
    if mark == PATH:
        return Path(value)
    if mark == BYTES:
        return b64decode(value)
    if mark == SET:
        return {revived(item) for item in value}
    text = cast("str", value)
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _fields(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return cast("Mapping[Any, Any]", value)
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in (*type(value).model_fields, *(value.model_extra or {}))}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise NotKeptError(f"a {type(value).__name__} is no JSON value")


def _key(name: Any) -> str:
    if not isinstance(name, str) or name in _MARKS:
        raise NotKeptError(f"it is a mapping with the key {name!r}")
    return name
