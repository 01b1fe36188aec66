"""Calls in a pool, and those among them that nobody waits for any more."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aura_core.errors import CallStillRunsError
from aura_core.execution.task_scope import task_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aura_core.execution.slots import Slots

Work = Future[Any]
PATIENCE = 60.0
"""Seconds that a call waits for the one before it, which was given up and still runs in its thread."""


@dataclass(frozen=True, slots=True)
class _Call:
    """Whose call it was: the action, and the line of steps (an asyncio task) that gave it up."""

    action: str
    line: asyncio.Task[Any] | None


class Unfinished:
    """Calls of a task, or of a hook, that nobody waits for any more but that still run in a pool.

    Args:
        slots: of the task.
        follow: told of each when it is given up, with the slots of its task.
    """

    __slots__ = ("_calls", "_follow", "_slots")

    def __init__(self, slots: Slots | None = None, follow: Callable[[Slots, Work], None] | None = None) -> None:
        self._slots = slots
        self._follow = follow
        self._calls: dict[Work, _Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Work]:
        return iter(list(self._calls))

    @property
    def actions(self) -> list[str]:
        """References of the actions that still run in threads."""
        return sorted({call.action for call in list(self._calls.values()) if call.action})

    def add(self, work: Work, action: str) -> None:
        """A call is given up; it is forgotten as soon as it has returned.

        Args:
            work: the call.
            action: reference of the action that runs in a thread; empty for any other call.
        """
        self._calls[work] = _Call(action, asyncio.current_task())
        work.add_done_callback(self._returned)
        if self._slots is not None and self._follow is not None and not work.done():
            self._follow(self._slots, work)

    def before(self, action: str) -> list[Work]:
        """Calls of an action that this line of steps gave up, or one that has ended; not those of lines beside it."""
        line = asyncio.current_task()
        return [
            work
            for work, call in list(self._calls.items())
            if call.action == action and (call.line is line or call.line is None or call.line.done())
        ]

    def _returned(self, work: Work) -> None:
        self._calls.pop(work, None)


async def outcome(work: Work, action: str = "") -> Any:
    """What a call in a pool gives; if its waiter is cancelled, it is remembered until it has really ended.

    Args:
        work: the call.
        action: see `Unfinished.add`.
    """
    try:
        return await asyncio.wrap_future(work)
    except asyncio.CancelledError:
        unfinished = task_scope().unfinished
        if unfinished is not None and not work.cancel() and not work.done():
            unfinished.add(work, action)
        raise


async def earlier_call_ended(action: str, seconds: float | None = None) -> None:
    """Waits until no call of an action that was given up here still runs: a thread cannot be ended.

    Else attempts whose time is up would work side by side, and use up the pool.

    Args:
        action: its reference.
        seconds: the time of one call, if it has one; the wait may take that long, and at least `PATIENCE`.

    Raises:
        CallStillRunsError: it still runs.
    """
    unfinished = task_scope().unfinished
    if not unfinished or not (works := unfinished.before(action)):
        return
    seconds = max(PATIENCE, seconds or 0.0)
    _, running = await asyncio.wait([end_of(work) for work in works], timeout=seconds)
    if running:
        raise CallStillRunsError(
            f"An earlier call of action {action}, which was given up when its time was over, has not returned for "
            f"{seconds:g} s more and still runs in its thread, which cannot be ended; so it was not called again. Make "
            "it `async def` or `cpu=True`, or give its step a longer `timeout`."
        )


def end_of(work: Work) -> asyncio.Future[None]:
    """What to wait for until a call has really ended, whatever it gives; cancelling that changes nothing for it."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def note() -> None:
        if not ended.done():
            ended.set_result(None)

    def tell(_work: Work) -> None:
        with suppress(RuntimeError):  # the loop did not wait so long
            loop.call_soon_threadsafe(note)

    work.add_done_callback(tell)
    return ended
