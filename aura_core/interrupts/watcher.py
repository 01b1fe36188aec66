"""Watcher: checks some interrupts whenever they are due, and has those that hold handled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from contextlib import suppress
from math import inf
from typing import Any

from aura_core.interrupts.watched import Watched

Check = Callable[[Watched], Awaitable[bool]]
Handle = Callable[[Watched, Callable[[], None]], Awaitable[None]]
Begin = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
LONGEST_SLEEP = 5.0
"""Seconds after which a watcher that has nothing to watch looks again."""


class Watcher:
    """One asyncio task that watches, and one for each handler.

    Args:
        watched: the interrupts, asked for at every turn.
        check: whether the condition of one holds; never raises.
        handle: runs the handler of one; calls its second argument when the handler really begins; never raises.
        asleep: whether nothing is to be checked now.
        due: when each is checked next, on the clock of the loop, by reference; shared by watchers that follow each
            other.
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
        self._handlers: dict[asyncio.Task[None], bool] = {}
        self._wake = asyncio.Event()
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
        if self._task is not None:
            self._task.cancel()
        for task, begun in self._handlers.items():
            if not (finish and begun):
                task.cancel()
        while running := [task for task in (self._task, *self._handlers) if task is not None and not task.done()]:
            try:
                await asyncio.wait(running)
            except asyncio.CancelledError as error:
                cancelled = error
                for task in running:
                    task.cancel()
        if cancelled is not None:
            raise cancelled

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
        holds = await asyncio.gather(*(self._check(one) for one in due))
        now = asyncio.get_running_loop().time()
        for one in due:
            self._due[one.ref] = now + one.interrupt.every
        holding = sorted((one for one, held in zip(due, holds, strict=True) if held), key=lambda one: one.order)
        for one in holding:
            self._due[one.ref] = inf
            task = asyncio.create_task(self._handled(one))
            self._handlers[task] = False
            task.add_done_callback(self._handlers.pop)

    async def _handled(self, one: Watched) -> None:
        task = asyncio.current_task()
        rest = one.interrupt.every

        def begun() -> None:
            nonlocal rest
            rest = max(rest, one.interrupt.cooldown)
            if task is not None:
                self._handlers[task] = True

        try:
            await self._handle(one, begun)
        finally:
            self._due[one.ref] = asyncio.get_running_loop().time() + rest
            self._wake.set()

    async def _sleep(self, watched: Sequence[Watched]) -> None:
        """Until the next check; not longer than the shortest `every`, for what is watched may change."""
        now = asyncio.get_running_loop().time()
        latest = now + min((one.interrupt.every for one in watched), default=LONGEST_SLEEP)
        next_check = min([latest, *(self._due.get(one.ref, now) for one in watched)])
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(next_check):
                await self._wake.wait()
