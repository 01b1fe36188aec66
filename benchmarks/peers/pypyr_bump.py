"""A step for pypyr: one more than the value that it is given."""

from __future__ import annotations

from typing import Any


def run_step(context: Any) -> None:
    """Sets `n` to one more than `value`."""
    context["n"] = context.get_formatted("value") + 1
