"""Guard: everything that watches over one running task, from its first step to the end of its last handler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Protocol

from aura_core.engine.pause import Gate, current_gate
from aura_core.interrupts.pausing import Pause
from aura_core.interrupts.watcher import Watcher

if TYPE_CHECKING:
    from aura_core.execution.slots import Slots
    from aura_core.interrupts.handling import Handling
    from aura_core.interrupts.watched import Watched
    from aura_core.tasklet import RunInfo


class Overseer(Protocol):
    """Who watches over all running tasks (see InterruptService)."""

    def joined(self, guard: Guard) -> None:
        """A task begins to run."""
        ...

    async def left(self, guard: Guard, *, finish: bool) -> None:
        """A task has ended."""
        ...


class Guard:
    """Around a running task.

    Args:
        task: full reference of the task.
        run: the run behind it; handlers run for the same person, but are not recorded.
        slots: the places in which its handlers run too.
        watched: the interrupts that the task activates.
        handling: asks conditions and runs handlers.
        overseer: who watches over all tasks.

    Attributes:
        gate: every step of the task passes it.
    """

    def __init__(
        self,
        task: str,
        run: RunInfo,
        slots: Slots,
        *,
        watched: Sequence[Watched],
        handling: Handling,
        overseer: Overseer,
    ) -> None:
        self.gate = Gate()
        self._task = task
        self._run = run
        self._slots = slots
        self._handling = handling
        self._overseer = overseer
        self._numbers = count(1)
        self._clocks = ExitStack()
        self._watcher = None
        if watched:
            self._watcher = Watcher(
                lambda: watched,
                check=lambda one: handling.holds(one, run.apart(f"condition:{one.ref}")),
                handle=self._handle,
                asleep=lambda: slots.given_back,
                due={},
            )

    async def __aenter__(self) -> None:
        """Begins to watch; a task that begins while all are held is held before its first step."""
        if self._watcher is not None:
            self._watcher.start()
        self._token = current_gate.set(self.gate)
        if self._slots.clock is not None:
            self._clocks.enter_context(self.gate.clock(self._slots.clock))
        self._overseer.joined(self)

    async def __aexit__(self, kind: object, *_rest: object) -> None:
        """Ends what watches; a handler that has begun may end, unless the task was cancelled."""
        current_gate.reset(self._token)
        self._clocks.close()
        if self._slots.clock is not None:
            self._slots.clock.stop()
        try:
            if self._watcher is not None:
                await self._watcher.stop(finish=kind is None)
        except BaseException:
            kind = BaseException
            raise
        finally:
            await self._overseer.left(self, finish=kind is None)

    async def _handle(self, one: Watched, begun: Callable[[], None]) -> None:
        if one.interrupt.mode == "beside":
            await self._handle_in_slots(one, begun)
            return
        async with Pause(one.order, [self.gate]) as pause:
            if not pause.waited or await self._handling.holds(one, self._run.apart(f"condition:{one.ref}")):
                await self._handle_in_slots(one, begun)

    async def _handle_in_slots(self, one: Watched, begun: Callable[[], None]) -> None:
        """A handler is one more branch of the task; should all the others wait for a person, it takes the places."""
        begun()
        self._slots.split(2)
        try:
            await self._slots.join()
            run = self._run.apart(f"interrupt:{one.ref}:{next(self._numbers)}")
            await self._handling.handle(one, run, self._task)
        finally:
            await self._slots.end_branch()
