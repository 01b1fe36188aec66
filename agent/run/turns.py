"""Turns: one run of a session at a time; a run that only waits for its person lends its turn to others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from agent.progress import PhaseChanged
from agent.questions.waits import Waits
from agent.run.state import LiveRun
from aura_core.ground.events import EventBus

ValueT = TypeVar("ValueT")


class Turns:
    """The turns of all sessions.

    Args:
        waits: says what waits for a person.
        events: told when a run queues or waits.
    """

    def __init__(self, waits: Waits, events: EventBus) -> None:
        self._waits = waits
        self._events = events
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def turn(self, run: LiveRun) -> AsyncGenerator[None]:
        """The turn of the run's session, for the block."""
        await self._take(run)
        try:
            yield
        finally:
            self._lend(run)

    async def lending(self, run: LiveRun, ended: Awaitable[ValueT]) -> ValueT:
        """Waits until one of the run's children has ended.

        While all of them wait for the person, others have the turn and the run's clock stands still.

        Args:
            run: has the turn, also afterwards.
            ended: what to wait for.
        """
        started = time.monotonic()
        lender = asyncio.create_task(self._lend_while_waiting(run))
        try:
            child = await ended
        finally:
            lender.cancel()
            await asyncio.wait([lender])
        run.seconds += time.monotonic() - started
        if not run.has_turn:
            await self._take(run)
        return child

    async def _take(self, run: LiveRun) -> None:
        lock = self._locks.setdefault(run.session_id, asyncio.Lock())
        if lock.locked():
            self._events.publish(PhaseChanged(run.id, run.session_id, "queued", "after the request before it"))
        await lock.acquire()
        run.has_turn = True

    def _lend(self, run: LiveRun) -> None:
        if run.has_turn:
            run.has_turn = False
            self._locks[run.session_id].release()

    async def _lend_while_waiting(self, run: LiveRun) -> None:
        """Keeps `run.waiting` up to date, until cancelled."""

        def waits() -> bool:
            return all(self._waits.inside(child) for child in run.state.running)

        while True:
            await self._waits.until(waits)
            since, run.waiting = time.monotonic(), True
            self._lend(run)
            self._events.publish(PhaseChanged(run.id, run.session_id, "waiting"))
            try:
                await self._waits.until(lambda: not waits())
            finally:
                run.waiting = False
                run.seconds -= time.monotonic() - since
