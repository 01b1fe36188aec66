"""Gate: where the steps of a running task are held while an interrupt's handler runs first (TASKS.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


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


class Pausable(Protocol):
    """A clock that stands still while its task is held."""

    def pause(self) -> None:
        """Stands still."""
        ...

    def resume(self) -> None:
        """Goes on."""
        ...


class Gate:
    """The gate of one running task: every step at any depth passes it before it begins.

    Attributes:
        holds: who holds it; closed while there is one.
        working: actions that have passed and not ended yet.
    """

    def __init__(self) -> None:
        self.holds: list[Hold] = []
        self.working = 0
        self._opened = asyncio.Event()
        self._clocks: list[Pausable] = []
        self._still = 0

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
            if not self.working:
                self._tell()

    @contextmanager
    def clock(self, clock: Pausable) -> Generator[None]:
        """For the block, `clock` stands still whenever the task does."""
        self._clocks.append(clock)
        for _ in range(self._still):
            clock.pause()
        try:
            yield
        finally:
            self._clocks.remove(clock)

    def close(self, hold: Hold) -> None:
        """Lets no step begin until `open`."""
        self.holds.append(hold)
        self._opened.clear()

    def open(self, hold: Hold) -> None:
        """Takes a hold away; the last one lets the steps go on."""
        self.holds.remove(hold)
        if not self.holds:
            self._opened.set()
        self._tell()

    def stand_still(self) -> None:
        """Stops the clocks of the task."""
        self._still += 1
        for clock in self._clocks:
            clock.pause()

    def go_on(self) -> None:
        """Lets the clocks of the task run again."""
        self._still -= 1
        for clock in self._clocks:
            clock.resume()

    def _tell(self) -> None:
        for hold in self.holds:
            hold.changed()


current_gate: ContextVar[Gate | None] = ContextVar("current_gate", default=None)
"""The gate of the task that runs in this asynchronous context; None if no interrupt may hold it."""
