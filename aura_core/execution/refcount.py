"""RefCount: who still needs something, so that it can be ended when nobody does."""

from __future__ import annotations

from collections.abc import Callable


class RefCount:
    """Counts who still needs something, so that it can be ended when nobody does.

    Attributes:
        count: how many need it now.
        when_idle: called each time the last of them has gone; None while it stays anyway.
    """

    __slots__ = ("count", "when_idle")

    def __init__(self) -> None:
        self.count = 0
        self.when_idle: Callable[[], None] | None = None

    def begin(self) -> None:
        """One more needs it."""
        self.count += 1

    def end(self) -> None:
        """One does not need it any more."""
        self.count -= 1
        if not self.count and self.when_idle is not None:
            self.when_idle()
