"""Observation: what a task sees of a world that changes; a recorded task sees the same again when it is repeated."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

Observer = Callable[[str, Callable[[], Any]], Any]
"""Label and a look at the world -> what was seen."""
current_observer: ContextVar[Observer | None] = ContextVar("current_observer", default=None)
"""Who keeps what is seen, for the task that runs in this asynchronous context; None where nothing is kept."""


def observe(label: str, look: Callable[[], Any]) -> Any:
    """What `look` gives now, or gave to an earlier attempt at the same task.

    Args:
        label: what is looked at, e.g. "state.count".
        look: gives a JSON value, or raises KeyError where there is nothing to be seen.

    Raises:
        KeyError: there is, or was, nothing to be seen.
    """
    observer = current_observer.get()
    return look() if observer is None else observer(label, look)
