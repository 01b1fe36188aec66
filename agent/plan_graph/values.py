"""A value against a JSON Schema: made to fit where it can be, refused with a reason where not.

Only the part of JSON Schema that tasks write is understood here; whatever else a schema says, the task checks itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from agent.references import NEAR_ENOUGH
from agent.rendering import summarize_output

TRUE_WORDS = frozenset({"true", "yes", "y", "on", "1", "да", "是", "对"})
FALSE_WORDS = frozenset({"false", "no", "n", "off", "0", "нет", "否", "不"})
PLACEHOLDERS = frozenset(
    {
        *("it", "this", "that", "them", "these", "those", "unknown", "none", "null", "n/a", "na", "tbd", "todo"),
        *("text", "the text", "this text", "your text", "your text here", "text to translate", "content", "value"),
        *("string", "url", "path", "filename", "file name", "query", "something", "anything", "user input", "input"),
        *("его", "это", "этот текст", "текст", "них", "неё", "ее", "её", "它", "这个", "那个", "这", "文本", "内容"),
    }
)
"""Values that say nothing: what a small model writes where the person's words give it nothing to write."""
_BRACKETED = re.compile(r"<[^<>]{1,60}>|\[[^\[\]]{1,60}\]|\{[^{}$]{1,60}\}|[.…?_-]{1,10}|\(.*\)|your[_ ]\w{1,20}")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d+)?(?:[/?#]\S*)?")


class MisfitError(ValueError):
    """A value cannot be made to fit its schema; the text says why. `fit_inputs` catches it."""


def fit_value(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value as the schema wants it.

    Raises:
        MisfitError: it cannot be made to fit.
    """
    branches = cast("list[dict[str, Any]]", schema.get("anyOf") or schema.get("oneOf") or [])
    if branches:
        return _fit_any(value, branches)
    if "const" in schema:
        return _fit_enum(value, [schema["const"]])
    if "enum" in schema:
        return _fit_enum(value, schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _fit_any(value, [{**schema, "type": one} for one in cast("list[str]", kind)])
    return _fit_kind(value, kind, schema)


def is_placeholder(value: Any) -> bool:
    """Whether a value says nothing: empty, a pronoun, `<text>`, `...`."""
    if not isinstance(value, str):
        return False
    text = value.strip().strip("\"'`").strip()
    return not text or text.casefold().rstrip(".") in PLACEHOLDERS or _BRACKETED.fullmatch(text) is not None


def is_string(schema: Mapping[str, Any]) -> bool:
    """Whether the schema takes text."""
    branches = cast("list[dict[str, Any]]", schema.get("anyOf") or [])
    kind = schema.get("type", "string" if not branches and "enum" not in schema else None)
    return kind == "string" or (isinstance(kind, list) and "string" in kind) or any(map(is_string, branches))


def choices(schema: Mapping[str, Any]) -> list[Any]:
    """The values that an enum allows; empty if any value is."""
    if "enum" in schema:
        return cast("list[Any]", schema["enum"])
    branches = cast("list[dict[str, Any]]", schema.get("anyOf") or [])
    return [choice for branch in branches for choice in choices(branch)]


def _fit_any(value: Any, branches: list[dict[str, Any]]) -> Any:
    reasons: list[str] = []
    exact = [branch for branch in branches if _is_kind(value, branch.get("type"))]
    for branch in [*exact, *branches]:
        try:
            return fit_value(value, branch)
        except MisfitError as error:
            reasons.append(str(error))
    raise MisfitError(reasons[0])


def _fit_enum(value: Any, allowed: list[Any]) -> Any:
    if value in allowed:
        return value
    names = {str(choice).casefold(): choice for choice in allowed}
    text = str(value).strip().casefold()
    near = [text] if text in names else get_close_matches(text, names, n=1, cutoff=NEAR_ENOUGH)
    if near:
        return names[near[0]]
    raise MisfitError(f"{short(value)} is not one of {', '.join(str(choice) for choice in allowed)}")


def _is_kind(value: Any, kind: Any) -> bool:
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    if isinstance(value, bool):
        return kind == "boolean"
    return kind in kinds and isinstance(value, kinds[kind])


def _fit_kind(value: Any, kind: Any, schema: Mapping[str, Any]) -> Any:
    if kind == "string":
        return _fit_string(value, schema)
    if kind in ("integer", "number"):
        return _fit_number(value, str(kind), schema)
    if kind == "boolean":
        return _fit_boolean(value)
    if kind == "array":
        return _fit_array(value, schema)
    if kind == "object":
        loaded = _loaded(value, dict)
        if loaded is None:
            raise MisfitError(f"{short(value)} is not a set of named values")
        return loaded
    if kind == "null" and value is not None:
        raise MisfitError("only nothing is allowed")
    return value


def _fit_string(value: Any, schema: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        text = str(value).lower()
    else:
        text = value if isinstance(value, str) else summarize_output(value, limit=10_000_000)
    if schema.get("format") in ("path", "file-path"):
        return text.strip()
    if schema.get("format") in ("uri", "url"):
        text = text.strip().strip("<>\"'")
        return f"https://{text}" if _DOMAIN.fullmatch(text) else text
    return text


def _fit_number(value: Any, kind: str, schema: Mapping[str, Any]) -> int | float:
    number = value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = json.loads(value.strip().lstrip("+"))
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise MisfitError(f"{short(value)} is not a number")
    if kind == "integer":
        if isinstance(number, float) and not number.is_integer():
            raise MisfitError(f"{short(value)} is not a whole number")
        number = int(number)
    return _clamped(number, schema)


def _clamped(number: float, schema: Mapping[str, Any]) -> int | float:
    low, high = schema.get("minimum"), schema.get("maximum")
    number = low if low is not None and number < low else number
    return high if high is not None and number > high else number


def _fit_boolean(value: Any) -> bool:
    word = str(value).strip().casefold()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise MisfitError(f"{short(value)} is neither yes nor no")
    return word in TRUE_WORDS


def _fit_array(value: Any, schema: Mapping[str, Any]) -> list[Any]:
    loaded = _loaded(value, list)
    rows = cast("list[Any]", loaded if loaded is not None else [value])
    items = cast("dict[str, Any]", schema.get("items") or {})
    return [fit_value(row, items) for row in rows] if items else rows


def _loaded(value: Any, kind: type) -> Any:
    """The value if it is of that kind, or if it is JSON text of that kind; else None."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, kind) else None


def allows_null(schema: Mapping[str, Any]) -> bool:
    """Whether the schema takes null."""
    branches = cast("list[dict[str, Any]]", schema.get("anyOf") or [])
    return schema.get("type") == "null" or any(branch.get("type") == "null" for branch in branches)


def short(value: Any) -> str:
    """A value as it is shown inside a note or a reason."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 (fits a line of notes)
