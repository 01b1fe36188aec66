"""Turns: one run of a session at a time; a run that only waits for its person lends its turn to others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from agent.progress import PhaseChanged
from agent.questions.desk import QuestionDesk
from agent.run.live import LiveRun
from aura_core.ground.events import EventBus

ValueT = TypeVar("ValueT")
APPROVAL_KEY = "approve:"
ASK_KEY = "ask:"


def is_question(child: str) -> bool:
    """Whether a durable child of a run asks its person something; told from the child's id."""
    return child.rsplit("/", 1)[-1].startswith((ASK_KEY, APPROVAL_KEY))


class Turns:
    """The turns of all sessions.

    Args:
        live: the runs of this process, by id.
        desk: which questions wait, and which were answered.
        events: told when a run queues or waits.
    """

    def __init__(self, live: Mapping[str, LiveRun], desk: QuestionDesk, events: EventBus) -> None:
        self._live = live
        self._desk = desk
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

    async def lending(self, run: LiveRun, wait: Awaitable[ValueT]) -> ValueT:
        """Awaits something; while only the person is waited for, others have the turn and the run's clock stands still.

        Args:
            run: who waits; has the turn, also afterwards.
            wait: what it waits for.
        """
        self.update(run.id)
        started = time.monotonic()
        lender = asyncio.create_task(self._lend_when_waiting(run))
        try:
            ended = await wait
        finally:
            lender.cancel()
            await asyncio.wait([lender])
            run.waiting.clear()
        worked_until = time.monotonic() if lender.cancelled() else lender.result()
        run.seconds += worked_until - started
        if not run.has_turn:
            await self._take(run)
        return ended

    def update(self, run_id: str) -> None:
        """Looks again whether all that is left of a run waits for its person."""
        run = self._live.get(run_id)
        if run is None:
            return
        inside = self._desk.waiting_inside.get(run_id, ())
        waits = [self._waits_for_person(child, inside) for child in run.state.running]
        if waits and all(waits):
            run.waiting.set()
        else:
            run.waiting.clear()

    def _waits_for_person(self, child: str, inside: Collection[str]) -> bool:
        if is_question(child):
            return child not in self._desk.answered
        return any(key == child or key.startswith(f"{child}/") for key in inside)

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

    async def _lend_when_waiting(self, run: LiveRun) -> float:
        """Lends the turn as soon as only the person is waited for; returns when that was."""
        await run.waiting.wait()
        self._events.publish(PhaseChanged(run.id, run.session_id, "waiting"))
        self._lend(run)
        return time.monotonic()
