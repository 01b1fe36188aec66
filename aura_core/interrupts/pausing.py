"""Pause: holds one or all running tasks between steps, one handler at a time, the most important first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import count
from typing import Self

from aura_core.execution.gate import Gate

_arrivals = count()


class Pause:
    """Around a handler: no step begins from now on; the handler's turn comes when all running actions have ended.

    Of several pauses that hold the same gate one is active at a time; among those that wait the lowest `order` goes
    first, then the one that came first. All of them agree on that, so they cannot wait for each other in a circle.

    Args:
        order: priority and name of the interrupt (see `Watched.order`).
        gates: of the tasks that it holds.

    Attributes:
        active: its turn has come.
        waited: its turn did not come at once.
    """

    def __init__(self, order: tuple[int, str], gates: Iterable[Gate]) -> None:
        self.order = (*order, next(_arrivals))
        self.active = False
        self.waited = False
        self._gates = list(gates)
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Closes the gates and waits until it is this pause's turn and everything behind them has come to rest."""
        for gate in self._gates:
            gate.close(self)
        try:
            while not self._my_turn():
                self.waited = True
                self._changed.clear()
                await self._changed.wait()
        except BaseException:
            self._let_go()
            raise
        self.active = True
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Opens the gates, unless another pause holds them too."""
        self._let_go()

    def cover(self, gate: Gate) -> None:
        """Holds another task too: one that began meanwhile."""
        self._gates.append(gate)
        gate.close(self)

    def uncover(self, gate: Gate) -> None:
        """Lets go of a task that has ended."""
        if gate not in self._gates:
            return
        self._gates.remove(gate)
        gate.open(self)
        self.changed()

    def changed(self) -> None:
        """Looks again whether it is this pause's turn."""
        self._changed.set()

    def _my_turn(self) -> bool:
        others = [hold for gate in self._gates for hold in gate.holds if hold is not self]
        if any(hold.active or hold.order < self.order for hold in others):
            return False
        return not any(gate.working for gate in self._gates)

    def _let_go(self) -> None:
        self.active = False
        gates, self._gates = self._gates, []
        for gate in gates:
            gate.open(self)
