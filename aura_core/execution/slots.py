"""Slots: the places that a running task holds, given back while it does nothing but wait for a person."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Literal

from aura_core.execution.clock import Clocks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from aura_core.execution.semaphores import PrioritySemaphore

SlotsPhase = Literal["waiting", "running"]


class Slots:
    """The places of one running task.

    A task may have branches that work side by side. Its places are given back, and its clock stands still, only
    while every branch waits for a person; the first branch that goes on takes the places again.

    Args:
        semaphores: in the order in which everybody takes them.
        priority: among those who wait for them; higher goes first.
        report: told when the task begins to do nothing but wait for a person, and when it goes on.

    Attributes:
        clocks: of the task; they stand still while it does nothing but wait for a person.
        ending: the task was asked to end.
    """

    def __init__(
        self,
        semaphores: Sequence[PrioritySemaphore],
        priority: int,
        report: Callable[[SlotsPhase], None],
    ) -> None:
        self._semaphores = semaphores
        self._priority = priority
        self.clocks = Clocks()
        self.ending = False
        self._report = report
        self._stack = AsyncExitStack()
        self._working = 1
        self._changing = asyncio.Lock()
        self._given_back = False

    @property
    def given_back(self) -> bool:
        """Whether the task does nothing but wait for a person, without its places."""
        return self._given_back

    async def take(self) -> None:
        """Takes all places, one after the other; none is kept if the wait is cancelled."""
        try:
            for semaphore in self._semaphores:
                await semaphore.acquire(self._priority)
                self._stack.callback(semaphore.release)
        except BaseException:
            await self.give_back()
            raise

    async def give_back(self) -> None:
        """Gives back whatever places are held; nothing can come between."""
        await self._stack.aclose()

    def hand_over(self) -> AsyncExitStack:
        """Hands the held places to someone else, who gives them back."""
        return self._stack.pop_all()

    def split(self, branches: int) -> None:
        """This branch becomes so many branches; `end_branch` follows for all but the last, then `join`."""
        self._working += branches - 1

    async def end_branch(self) -> None:
        """One branch has ended, and another one still is there."""
        self._working -= 1
        await self._pause_if_idle()

    async def join(self) -> None:
        """All branches have become one again, which goes on working."""
        await self._go_on()

    @asynccontextmanager
    async def one_more_branch(self) -> AsyncGenerator[bool]:
        """Around a branch that works beside what is there already; tells whether the places had been given back."""
        given_back = self._given_back
        self.split(2)
        try:
            await self.join()
            yield given_back
        finally:
            await self.end_branch()

    @asynccontextmanager
    async def waiting_for_person(self) -> AsyncGenerator[None]:
        """Around the wait of one branch for a person."""
        self._working -= 1
        try:
            await self._pause_if_idle()
            yield
        except asyncio.CancelledError:
            self._working += 1
            raise
        except BaseException:
            self._working += 1
            await self._go_on()
            raise
        self._working += 1
        await self._go_on()

    async def _pause_if_idle(self) -> None:
        if self._working > 0:
            return
        async with self._changing:
            if self._working > 0 or self._given_back:
                return
            self._given_back = True
            self.clocks.stand()
            await self.give_back()
            self._report("waiting")

    async def _go_on(self) -> None:
        async with self._changing:
            if not self._given_back:
                return
            await self.take()
            self._given_back = False
            if not self.ending:
                self.clocks.go_on()
            self._report("running")
