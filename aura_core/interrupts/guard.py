"""Guard: what holds and watches over one running task, from its state planning to the end of its last handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from aura_core.asynccontext import current_scope
from aura_core.execution.gate import Gate
from aura_core.execution.task_scope import task_scope
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

    def left(self, guard: Guard) -> None:
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
        watcher: looks at the interrupts of the task; None if it activates none.
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
        self._handlers = 0
        self._stands_aside = False
        self.watcher: Watcher | None = None
        if watched:
            self.watcher = Watcher(
                lambda: watched,
                check=lambda one: handling.holds(one, run.apart(f"condition:{one.ref}")),
                handle=self._handle,
                asleep=lambda: slots.given_back,
                due={},
            )

    async def __aenter__(self) -> None:
        """The task can be held: one that begins while all are is held before its first step."""
        self._token = current_scope.set(task_scope().but(gate=self.gate))
        self._overseer.joined(self)

    def watch(self) -> None:
        """Begins to look whether an interrupt of the task is due."""
        if self.watcher is not None:
            self.watcher.start(_outside_the_gate)

    async def __aexit__(self, kind: object, *_rest: object) -> None:
        """Ends what watches; a handler that has begun may end, unless the task was cancelled."""
        current_scope.reset(self._token)
        try:
            if self.watcher is not None:
                await self._end_with(self.watcher, finish=kind is None)
        finally:
            self._overseer.left(self)

    async def _end_with(self, watcher: Watcher, *, finish: bool) -> None:
        """What is left of the task are its handlers: while all of them wait for a person its places are given back."""
        try:
            if finish and self._handlers:
                self._stands_aside = True
                await self._slots.end_branch()
        except asyncio.CancelledError:
            finish = False
            raise
        finally:
            await watcher.stop(finish=finish)

    @asynccontextmanager
    async def _branch(self) -> AsyncGenerator[bool]:
        """Around a handler: one more branch of the task; as the last one it hands over to the steps that stood aside.

        Tells whether the places had been given back.
        """
        async with self._slots.one_more_branch() as given_back:
            self._handlers += 1
            try:
                yield given_back
            finally:
                self._handlers -= 1
                if self._stands_aside and not self._handlers:
                    self._stands_aside = False
                    self._slots.split(2)

    async def _handle(self, one: Watched, begun: Callable[[], None]) -> None:
        """A handler is one more branch of the task; should all the others wait for a person, it takes the places.

        One that holds the task has them before, and keeps them also while it asks: who waited for places with the
        gate closed would wait for tasks that another pause holds, which waits for this one.
        """
        async with self._branch() as waited:
            if one.interrupt.mode == "beside":
                await self._run_handler(one, begun)
                return
            keeping = self._slots.one_more_branch()
            async with keeping, Pause(one.order, [self.gate]) as pause:
                if not (waited or pause.waited) or await self._still_holds(one):
                    await self._run_handler(one, begun)

    async def _still_holds(self, one: Watched) -> bool:
        return await self._handling.holds(one, self._run.apart(f"condition:{one.ref}"))

    async def _run_handler(self, one: Watched, begun: Callable[[], None]) -> None:
        begun()
        run = self._run.apart(f"interrupt:{one.ref}:{next(self._numbers)}")
        await self._handling.handle(one, run, self._task)


def _outside_the_gate(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """An asyncio task of the running task that is not held with it: conditions and handlers run while it is."""
    context = copy_context()
    context.run(current_scope.set, task_scope().but(gate=None))
    return asyncio.create_task(work, context=context)
