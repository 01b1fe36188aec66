"""What a stopped task has found so far: those values of its `returns` that its steps have given it already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aura_core.errors import ExpressionError
from aura_core.expressions import Template, compile_template

_MISSING = object()


def results_so_far(returns: Template | None, variables: Mapping[str, Any]) -> Any:
    """The part of a task's `returns` that can be told although the task did not come to its end.

    Only values: `"{{ rows }}"`, or the entries of a mapping that are such. A sentence with a value in it ("{{ n }} rows
    were sent.") says what only the end of the task would make true.

    Args:
        returns: of the task.
        variables: at the moment of the stop.

    Returns:
        The value, or a mapping without the entries that are not known yet; None if nothing is known.
    """
    if returns is None or returns.constant:
        return None
    if isinstance(returns.raw, dict):
        entries = cast("dict[str, Any]", returns.raw)
        values = {name: _value(compile_template(raw), variables) for name, raw in entries.items()}
        known = {name: value for name, value in values.items() if value is not _MISSING}
        return known or None
    value = _value(returns, variables)
    return None if value is _MISSING else value


def _value(template: Template, variables: Mapping[str, Any]) -> Any:
    """The value of one expression, or of a list or mapping of nothing else; else missing."""
    if not _is_value(template.raw):
        return _MISSING
    try:
        return template.render(variables)
    except ExpressionError:
        return _MISSING


def _is_value(raw: Any) -> bool:
    if isinstance(raw, dict | list):
        inside = cast("dict[str, Any]", raw).values() if isinstance(raw, dict) else cast("list[Any]", raw)
        return bool(inside) and all(map(_is_value, inside))
    return isinstance(raw, str) and compile_template(raw).is_expression
