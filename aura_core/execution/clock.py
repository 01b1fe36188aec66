"""Clock: rings when a task has run too long; stands still while the task cannot work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol


class Clock:
    """A timer that can be paused, by several at once: it goes on when the last of them resumes it.

    Args:
        ring: called once, when the time is up.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._left: float | None = None
        self._pauses = 0

    def start(self, seconds: float) -> None:
        """Rings after so many seconds of running."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ring)

    def pause(self) -> None:
        """Stands still until `resume`."""
        self._pauses += 1
        if self._timer is not None:
            self._left = max(0.0, self._timer.when() - asyncio.get_running_loop().time())
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        """Goes on with the seconds that were left, once for every `pause`."""
        self._pauses -= 1
        if self._pauses == 0 and self._left is not None:
            self.start(self._left)
            self._left = None

    def stop(self) -> None:
        """Does not ring any more."""
        self._left = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Pausable(Protocol):
    """A clock that can stand still; it may be paused by several, and goes on when the last of them resumes it."""

    def pause(self) -> None:
        """Stands still."""
        ...

    def resume(self) -> None:
        """Goes on."""
        ...


class Clocks:
    """All clocks of a running task: its own, and those of the tasks and attempts inside it. They stand still together.

    Attributes:
        standing: they stand still now.
    """

    def __init__(self) -> None:
        self.standing = False
        self._clocks: list[Pausable] = []

    @contextmanager
    def running(self, clock: Pausable) -> Generator[None]:
        """For the block, `clock` stands still whenever the others do."""
        self._clocks.append(clock)
        if self.standing:
            clock.pause()
        try:
            yield
        finally:
            self._clocks.remove(clock)

    def stand(self) -> None:
        """Stops them, unless they stand already."""
        if not self.standing:
            self.standing = True
            for clock in self._clocks:
                clock.pause()

    def go_on(self) -> None:
        """Lets them run again, unless they run."""
        if self.standing:
            self.standing = False
            for clock in self._clocks:
                clock.resume()
