"""Says what went wrong in an expression: which name is missing, what there is instead, what is too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import missing

from aura_core.errors import CoreError, ExpressionError
from aura_core.nearest import hint
from aura_core.templates.names import GLOBALS
from aura_core.templates.sandbox import MissingError

_LONGEST_SOURCE = 200


def explain(error: Exception, source: str, variables: Mapping[str, Any]) -> ExpressionError:
    """The error for people.

    Args:
        error: what was raised while the expression was compiled or evaluated.
        source: the expression as its author wrote it.
        variables: the scope in which it was evaluated.
    """
    if isinstance(error, ExpressionError):
        return error
    shown = source if len(source) <= _LONGEST_SOURCE else f"{source[:_LONGEST_SOURCE]}…"
    return ExpressionError(f"{shown}: {_reason(error, variables)}")


def _reason(error: Exception, variables: Mapping[str, Any]) -> str:
    if isinstance(error, MissingError):
        return _missing(error.name, error.owner, variables)
    if isinstance(error, TemplateSyntaxError):
        return error.message or "it is no expression"
    if isinstance(error, RecursionError | MemoryError | SyntaxError):
        return "it is nested too deeply or too long; split it into several steps"
    if isinstance(error, ZeroDivisionError):
        return "it divides by zero"
    if isinstance(error, CoreError):
        return str(error)
    return f"{error}" if str(error) else type(error).__name__


def _missing(name: Any, owner: Any, variables: Mapping[str, Any]) -> str:
    if owner is missing:
        return _with_hint(f"there is no variable {name!r}", str(name), [*variables, *GLOBALS], "there are")
    if name is None:
        return "an `if` without `else` has no value here; write an else"
    if isinstance(owner, Mapping):
        keys = [str(key) for key in owner]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] (any keys)
        if not keys:
            return f"there is no key {name!r}; the mapping is empty"
        return _with_hint(f"there is no key {name!r}", str(name), keys, "the keys are")
    if isinstance(owner, Sequence) and isinstance(name, int):
        return f"there is no item [{name}]; there are {len(owner)}"  # pyright: ignore[reportUnknownArgumentType] (any items)
    if owner is None:
        return f"there is no {name!r}, because the value before it is none"
    kind = type(owner).__name__  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] (any value)
    return _with_hint(f"there is no {name!r} in a value of type {kind}", str(name), _public(owner), "there are")


def _public(owner: Any) -> list[str]:
    if isinstance(owner, int | float | str | bytes | bool):
        return []
    return [name for name in dir(owner) if not name.startswith("_")]


def _with_hint(message: str, name: str, existing: Sequence[str], what: str) -> str:
    advice = hint(name, existing, what=what)
    return f"{message}; {advice}" if advice else message
