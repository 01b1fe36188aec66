"""Clock: rings when a task has run too long; stands still while the task cannot work."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Pausable(ABC):
    """A clock that can stand still; it may be paused by several, and goes on when the last of them resumes it."""

    def __init__(self) -> None:
        self._pauses = 0

    def pause(self) -> None:
        """Stands still until `resume`."""
        self._pauses += 1
        if self._pauses == 1:
            self._stand_still()

    def resume(self) -> None:
        """Goes on with the time that was left, once for every `pause`."""
        self._pauses -= 1
        if self._pauses == 0:
            self._go_on()

    @abstractmethod
    def _stand_still(self) -> None: ...

    @abstractmethod
    def _go_on(self) -> None: ...


class Clock(Pausable):
    """A timer that can be paused.

    Args:
        ring: called once, when the time is up.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._left: float | None = None

    def start(self, seconds: float) -> None:
        """Rings after so many seconds of running."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ring)

    def stop(self) -> None:
        """Does not ring any more."""
        self._left = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stand_still(self) -> None:
        if self._timer is not None:
            self._left = max(0.0, self._timer.when() - asyncio.get_running_loop().time())
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        if self._left is not None:
            self.start(self._left)
            self._left = None


class PausableTimeout(Pausable):
    """An `asyncio.timeout` that can be paused.

    Args:
        timeout: one that was entered.
    """

    def __init__(self, timeout: asyncio.Timeout) -> None:
        super().__init__()
        self._timeout = timeout
        self._left: float | None = None

    def _stand_still(self) -> None:
        when = self._timeout.when()
        if when is not None and not self._timeout.expired():
            self._left = when - asyncio.get_running_loop().time()
            self._timeout.reschedule(None)

    def _go_on(self) -> None:
        if self._left is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left)


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
