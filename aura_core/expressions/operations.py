"""What the compiled source of simple expressions calls: attributes, concatenation, filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2.filters import FILTERS
from jinja2.runtime import Undefined

from aura_core.asynccontext import now
from aura_core.config import config
from aura_core.expressions import filters, limits
from aura_core.expressions.names import FAST_FILTERS
from aura_core.expressions.sandbox import SANDBOX
from aura_core.expressions.scanner import NotSimpleError


class _Missing:
    """The type of `missing`."""


MISSING: Any = _Missing()
"""What a lenient lookup gives for a name that does not exist."""


def attribute(owner: Any, name: str) -> Any:
    """`owner.name` under the sandbox's rules."""
    value = SANDBOX.getattr(owner, name)
    if isinstance(value, Undefined):
        raise NotSimpleError
    return value


def attribute_or_missing(owner: Any, name: str) -> Any:
    """`owner.name`, or `MISSING`."""
    if owner.__class__ is dict:
        return owner[name] if name in owner else attribute(owner, name) if hasattr(dict, name) else MISSING
    return attribute(owner, name)


def item_or_missing(owner: Any, key: Any) -> Any:
    """`owner[key]`, or `MISSING`."""
    if owner.__class__ is dict and key.__class__ is str:
        return owner[key] if key in owner else attribute(owner, key) if hasattr(dict, key) else MISSING
    return owner[key]


def get(owner: Any, key: Any, default: Any = None) -> Any:
    """`owner.get(key, default)` of a plain mapping."""
    if owner.__class__ is not dict or "get" in owner:
        raise NotSimpleError
    return owner.get(key, default)


def default(value: Any, default_value: Any = "", boolean: Any = False) -> Any:
    """The filter `default`."""
    return default_value if value is MISSING or (boolean and not value) else value


def _bound(name: str) -> Callable[..., Any]:
    """Jinja's filter, with the environment it wants already given."""
    function: Callable[..., Any] = FILTERS[name]
    marker: Any = getattr(function, "jinja_pass_arg", None)
    if marker is None:
        return function

    def with_environment(*args: Any) -> Any:
        value = function(SANDBOX, *args)
        if isinstance(value, Undefined):  # the first item of an empty list
            raise NotSimpleError
        return value

    return with_environment


def _list(value: Any) -> list[Any]:
    return list(value)


_OWN: dict[str, Callable[..., Any]] = {
    "d": default,
    "date": filters.format_date,
    "default": default,
    "fromjson": filters.from_json,
    "join": filters.join,
    "list": _list,
    "replace": filters.replace,
    "round": filters.round_number,
    "string": filters.bounded_text,
    "tojson": filters.to_json,
}
FUNCTIONS: dict[str, Any] = {
    "attribute": attribute,
    "attribute_or_missing": attribute_or_missing,
    "concat": filters.concat,
    "config": config,
    "get": get,
    "item_or_missing": item_or_missing,
    "missing": MISSING,
    "modulo": limits.modulo,
    "multiply": limits.multiply,
    "now": now,
    "power": limits.power,
    "text": filters.bounded_text,
    "total": limits.total,
    "__builtins__": {"dict": dict, "Exception": Exception},
} | {f"filter_{name}": _OWN[name] if name in _OWN else _bound(name) for name in FAST_FILTERS}
"""Globals of compiled source, and all of them: there are no builtins."""
