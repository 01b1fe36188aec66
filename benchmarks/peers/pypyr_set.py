"""A step for pypyr: evaluates an expression and keeps its value."""

from __future__ import annotations

from typing import Any


def run_step(context: Any) -> None:
    """Sets `n` to the value of the expression it was given."""
    context["n"] = context.get_formatted("value")
