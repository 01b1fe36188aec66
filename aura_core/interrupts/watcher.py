"""Watcher: checks some interrupts whenever they are due, and has those that hold handled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from contextlib import AbstractContextManager, suppress
from math import inf
from typing import Any

from aura_core.execution.cancellation import may_end
from aura_core.interrupts.watched import Watched

Check = Callable[[Watched], Awaitable[bool]]
Handle = Callable[[Watched, Callable[[], None]], Awaitable[None]]
Begin = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
LONGEST_SLEEP = 5.0
"""Seconds after which a watcher asks again what it is to watch, however seldom that is to be looked at."""
PATIENCE = 0.5
"""Seconds in which conditions that are asked together must answer to be handled in their order; later ones follow."""


class Watcher:
    """One asyncio task that watches, one for each condition that is asked, and one for each handler.

    Args:
        watched: the interrupts, asked for at every turn.
        check: whether the condition of one holds; never raises.
        handle: runs the handler of one; calls its second argument when the handler really begins; never raises.
        asleep: whether nothing is to be checked now.
        due: when each is checked next, on the clock of the loop, by reference, infinite while its handler runs; shared
            by watchers that follow each other.
    """

    def __init__(
        self,
        watched: Callable[[], Sequence[Watched]],
        *,
        check: Check,
        handle: Handle,
        asleep: Callable[[], bool],
        due: MutableMapping[str, float],
    ) -> None:
        self._watched = watched
        self._check = check
        self._handle = handle
        self._asleep = asleep
        self._due = due
        self._looks: set[asyncio.Future[bool]] = set()
        self._handlers: dict[asyncio.Task[None], bool] = {}
        self._asked_to_end: set[asyncio.Future[Any] | None] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self, begin: Begin | None = None) -> None:
        """Begins to watch; the first check is at once.

        Args:
            begin: makes the asyncio task; `asyncio.create_task` if left out.
        """
        self._task = asyncio.create_task(self._watch()) if begin is None else begin(self._watch())

    async def stop(self, *, finish: bool) -> None:
        """Ends everything and waits for its end; a second cancellation of the waiter changes nothing about that.

        Args:
            finish: handlers that have begun may end by themselves, unless the waiter is cancelled.
        """
        cancelled: asyncio.CancelledError | None = None
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
        for look in self._looks:
            self._end(look)
        for task, begun in self._handlers.items():
            if not (finish and begun):
                self._end(task)
        while running := self._running():
            try:
                await asyncio.wait(running)
            except asyncio.CancelledError as error:
                cancelled = error
                for work in running:
                    self._end(work)
        if cancelled is not None:
            raise cancelled

    def _end(self, work: asyncio.Future[Any]) -> None:
        self._asked_to_end.add(work)
        work.cancel()

    def _may_end(self) -> AbstractContextManager[None]:
        """Around a look or a handler: a CancelledError is its own doing unless it was asked to end."""
        task = asyncio.current_task()
        return may_end(lambda: task in self._asked_to_end)

    def _running(self) -> list[asyncio.Future[Any]]:
        everything = (self._task, *self._looks, *self._handlers)
        return [work for work in everything if work is not None and not work.done()]

    async def _watch(self) -> None:
        while True:
            loop = asyncio.get_running_loop()
            watched = self._watched()
            due = [one for one in watched if self._due.get(one.ref, 0.0) <= loop.time()]
            if due and not self._asleep():
                await self._turn(due)
            else:
                for one in due:
                    self._due[one.ref] = loop.time() + one.interrupt.every
            await self._sleep(watched)

    async def _turn(self, due: Sequence[Watched]) -> None:
        """Checks side by side what is due, and handles what holds, the most important first."""
        looks = [asyncio.create_task(self._look(one)) for one in due]
        for look in looks:
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        await asyncio.wait(looks, timeout=PATIENCE)
        for one, look in sorted(zip(due, looks, strict=True), key=lambda pair: pair[0].order):
            self._follow(one, look)

    async def _look(self, one: Watched) -> bool:
        with self._may_end():
            return await self._check(one)

    def _follow(self, one: Watched, look: asyncio.Future[bool]) -> None:
        """Has an interrupt handled that holds, or that may hold: its condition has not answered yet."""
        if look.done() and (look.cancelled() or not look.result()):
            self._due[one.ref] = asyncio.get_running_loop().time() + one.interrupt.every
            return
        self._due[one.ref] = inf
        task = asyncio.create_task(self._handle_if(one, look))
        self._handlers[task] = False
        task.add_done_callback(lambda task: self._handled(one, task))

    async def _handle_if(self, one: Watched, look: asyncio.Future[bool]) -> None:
        task = asyncio.current_task()

        def begun() -> None:
            if task is not None:
                self._handlers[task] = True

        with self._may_end():
            if await look and not self._stopping:
                await self._handle(one, begun)

    def _handled(self, one: Watched, task: asyncio.Task[None]) -> None:
        """Decides when to look again; also after a handler that was ended before its first turn."""
        begun = self._handlers.pop(task)
        rest = max(one.interrupt.every, one.interrupt.cooldown) if begun else one.interrupt.every
        self._due[one.ref] = asyncio.get_running_loop().time() + rest
        self._wake.set()

    async def _sleep(self, watched: Sequence[Watched]) -> None:
        """Until the next check; not longer than the shortest `every` or `LONGEST_SLEEP`: what is watched may change."""
        now = asyncio.get_running_loop().time()
        latest = now + min([LONGEST_SLEEP, *(one.interrupt.every for one in watched)])
        next_check = min([latest, *(self._due.get(one.ref, now) for one in watched)])
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(next_check):
                await self._wake.wait()
