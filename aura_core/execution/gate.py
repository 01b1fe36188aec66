"""Gate: where the steps of a running task are held while an interrupt's handler runs first."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from aura_core.execution.clock import Clocks


class Hold(Protocol):
    """Whoever holds gates.

    Attributes:
        active: a handler runs now, because of this hold.
        order: of several holds that wait for their turn, the lowest goes first.
    """

    active: bool
    order: tuple[int, str, int]

    def changed(self) -> None:
        """A gate that it holds has changed: work behind it came to rest, or another hold is gone."""
        ...


class Gate:
    """The gate of one running task: every step at any depth passes it before it begins.

    Attributes:
        holds: who holds it; closed while there is one.
        working: actions that have passed and not ended yet.
        clocks: of the task; they stand still while it is held and none of its actions runs.
    """

    def __init__(self) -> None:
        self.holds: list[Hold] = []
        self.working = 0
        self.clocks = Clocks()
        self._opened = asyncio.Event()

    async def passed(self) -> None:
        """Returns when nobody holds the gate."""
        while self.holds:
            await self._opened.wait()

    @contextmanager
    def work(self) -> Generator[None]:
        """Around an action: whoever holds the gate waits until it has ended."""
        self.working += 1
        try:
            yield
        finally:
            self.working -= 1
            if not self.working and self.holds:
                self.clocks.stand()
                self._tell()

    def close(self, hold: Hold) -> None:
        """Lets no step begin until `open`."""
        self.holds.append(hold)
        self._opened.clear()
        if not self.working:
            self.clocks.stand()

    def open(self, hold: Hold) -> None:
        """Takes a hold away; the last one lets the steps go on."""
        self.holds.remove(hold)
        if not self.holds:
            self.clocks.go_on()
            self._opened.set()
        self._tell()

    def _tell(self) -> None:
        for hold in self.holds:
            hold.changed()
