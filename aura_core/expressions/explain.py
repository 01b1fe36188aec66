"""Says what went wrong in an expression: which name is missing, what there is instead, what is too much."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from jinja2.exceptions import TemplateSyntaxError
from jinja2.utils import missing

from aura_core.errors import ExpressionError
from aura_core.expressions.names import GLOBALS
from aura_core.expressions.sandbox import SANDBOX, MissingError
from aura_core.ground.suggestions import hint

_LONGEST_SOURCE = 120
_WORDS = {
    "unexpected 'end of template'": "it ends too soon",
    "unexpected 'end of print statement'": "it ends too soon",
    "unexpected end of template": "it ends too soon",
    "unexpected end of print statement": "it ends too soon",
    "'end of print statement'": "the end of the expression",
    "'end of statement block'": "the end of the statement",
    "token ": "",
}
_TOO_DEEP = "it is nested too deeply or too long; split it into several steps"
_REASONS = {
    RecursionError: _TOO_DEEP,
    MemoryError: "it needs too much memory, or is nested too deeply; split it into several steps",
    SyntaxError: _TOO_DEEP,
    ZeroDivisionError: "it divides by zero",
}
_UNKNOWN = re.compile(r"No (filter|test) named '([^']*)'\.?")


def explain(error: Exception, source: str, variables: Mapping[str, Any]) -> ExpressionError:
    """The error for people.

    Args:
        error: what was raised while the expression was compiled or evaluated.
        source: the expression as its author wrote it.
        variables: the scope in which it was evaluated.
    """
    shown = " ".join(source[: 2 * _LONGEST_SOURCE].split())
    if len(shown) > _LONGEST_SOURCE:
        shown = f"{shown[:_LONGEST_SOURCE]}…"
    return ExpressionError(f"{shown}: {_reason(error, variables)}")


def _reason(error: Exception, variables: Mapping[str, Any]) -> str:
    if isinstance(error, MissingError):
        if error.name is None:
            return error.message or "an `if` without `else` has no value here; write an else"
        return _missing(error.name, error.owner, variables)
    if isinstance(error, TemplateSyntaxError):
        return _syntax(error.message or "it is not an expression")
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return str(error) or type(error).__name__


def _syntax(message: str) -> str:
    for jinja_word, word in _WORDS.items():
        message = message.replace(jinja_word, word)
    unknown = _UNKNOWN.fullmatch(message)
    if unknown is None:
        return message
    kind, name = unknown.groups()
    known = SANDBOX.filters if kind == "filter" else SANDBOX.tests
    return _with_hint(
        f"there is no {kind} {name!r}", name, [word for word in known if word.isidentifier()], "there are"
    )


def _missing(name: Any, owner: Any, variables: Mapping[str, Any]) -> str:
    if owner is missing:
        return _with_hint(f"there is no variable {name!r}", str(name), [*variables, *GLOBALS], "there are")
    if isinstance(owner, Mapping):
        keys = [str(key) for key in cast("Mapping[Any, Any]", owner)]
        if not keys:
            return f"there is no key {name!r}; the mapping is empty"
        return _with_hint(f"there is no key {name!r}", str(name), keys, "the keys are")
    return _no_attribute(name, owner)


def _no_attribute(name: Any, owner: Any) -> str:
    if isinstance(owner, Sequence) and isinstance(name, int):
        return f"there is no item [{name}]; there are {len(cast('Sequence[Any]', owner))}"
    if owner is None:
        return f"there is no {name!r}, because the value before it is none"
    kind = type(cast("object", owner))
    return _with_hint(
        f"there is no {name!r} in a value of type {kind.__name__}",
        str(name),
        _public(cast("object", owner)),
        "there are",
    )


def _public(owner: object) -> list[str]:
    return [] if type(owner).__module__ == "builtins" else [name for name in dir(owner) if not name.startswith("_")]


def _with_hint(message: str, name: str, existing: Sequence[str], what: str) -> str:
    advice = hint(name, existing, what=what)
    return f"{message}; {advice}" if advice else message
