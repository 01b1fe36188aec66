"""`within`: holds one attempt, or one sub-task, to its seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from aura_core.execution.slots import current_slots

ValueT = TypeVar("ValueT")


async def within(seconds: float, work: Awaitable[ValueT], what: str) -> ValueT:
    """Waits for `work`, at most so many seconds.

    Args:
        seconds: the limit.
        work: ended when it takes longer.
        what: what the error calls it.

    Raises:
        TimeoutError: it took longer; says so.
    """
    clock = asyncio.timeout(seconds)
    try:
        async with clock:
            return await work
    except (TimeoutError, asyncio.CancelledError) as error:
        # A TaskGroup in the work may have left a cancellation request behind (Python 3.11, 3.12); then asyncio.timeout
        # lets its own cancellation out.
        if not clock.expired() or (isinstance(error, asyncio.CancelledError) and being_ended()):
            raise
        raise TimeoutError(f"{what} took longer than {seconds:g} s and was ended") from error


def being_ended() -> bool:
    """Whether the running task was asked to end: whatever fails from then on is no failure of a step."""
    slots = current_slots.get()
    return slots is not None and slots.ending
