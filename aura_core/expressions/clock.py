"""What `now()` in expressions asks for the time: the machine's clock, unless a recorded task brings its own."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime


def real_now() -> datetime:
    """This moment, to the second, in the machine's time zone."""
    return datetime.now(UTC).astimezone().replace(microsecond=0)


current_clock: ContextVar[Callable[[], datetime]] = ContextVar("current_clock", default=real_now)
"""The clock of this asynchronous context."""


def now() -> datetime:
    """This moment, as the current clock has it."""
    return current_clock.get()()
