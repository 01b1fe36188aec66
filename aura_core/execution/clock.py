"""Clock: rings when a task has run too long; stands still while the task waits for a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Clock:
    """A timer that can be paused.

    Args:
        ring: called once, when the time is up.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._left: float | None = None

    def start(self, seconds: float) -> None:
        """Rings after so many seconds of running."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ring)

    def pause(self) -> None:
        """Stands still until `resume`."""
        if self._timer is not None:
            self._left = max(0.0, self._timer.when() - asyncio.get_running_loop().time())
            self.stop()

    def resume(self) -> None:
        """Goes on with the seconds that were left."""
        if self._left is not None:
            self.start(self._left)
            self._left = None

    def stop(self) -> None:
        """Does not ring any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
