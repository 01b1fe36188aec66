"""Whose clock is meant: the zone of the person behind a task; and what `now()` in expressions asks for the time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo

current_zone: ContextVar[tzinfo | None] = ContextVar("current_zone", default=None)
"""The time zone of the person behind this asynchronous context; None is the machine's."""


@contextmanager
def using_zone(zone: tzinfo | None) -> Generator[None]:
    """Makes `zone` the one whose clock is meant, for the block."""
    token = current_zone.set(zone)
    try:
        yield
    finally:
        current_zone.reset(token)


def on_local_clock(moment: datetime) -> datetime:
    """A moment on the clock of the person behind the running task; on the machine's, where they have none set.

    Args:
        moment: aware.
    """
    return moment.astimezone(current_zone.get())


def local_now() -> datetime:
    """This moment on the clock of the person behind the running task."""
    return on_local_clock(datetime.now(UTC))


def real_now() -> datetime:
    """This moment, to the second, on that clock."""
    return local_now().replace(microsecond=0)


current_clock: ContextVar[Callable[[], datetime]] = ContextVar("current_clock", default=real_now)
"""The clock of this asynchronous context; a recorded task brings its own."""


def now() -> datetime:
    """This moment, as the current clock has it."""
    return current_clock.get()()
