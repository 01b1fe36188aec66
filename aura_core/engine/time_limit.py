"""`within`: holds one attempt, or one sub-task, to its seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from aura_core.engine.signals import JumpSignal, StopTaskException
from aura_core.execution.cancellation import being_ended, may_end
from aura_core.execution.clock import Pausable, PausableTimeout
from aura_core.execution.task_scope import task_scope

ValueT = TypeVar("ValueT")


async def within(seconds: float, work: Awaitable[ValueT], what: str) -> ValueT:
    """Waits for `work`, at most so many seconds.

    The time stands still while an interrupt holds the task, and while all branches of the task wait for a person. Work
    that was ended while it waited for one goes on with the places that it had given back.

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
            with standing_still_with_the_task(PausableTimeout(clock)), may_end(clock.expired):
                return await work
    except (JumpSignal, StopTaskException):
        raise
    except (Exception, asyncio.CancelledError) as error:
        # A TaskGroup in the work may have left a cancellation request behind (Python 3.11, 3.12); then asyncio.timeout
        # lets its own cancellation out. Whatever else the work makes of that it took too long all the same.
        if not clock.expired() or (isinstance(error, asyncio.CancelledError) and being_ended()):
            raise
        slots = task_scope().slots
        if slots is not None and not slots.ending:
            await slots.join()
        raise TimeoutError(f"{what} took longer than {seconds:g} s and was ended") from error


@contextmanager
def standing_still_with_the_task(clock: Pausable) -> Generator[None]:
    """For the block, a clock stands still while an interrupt holds the running task, and while it waits for a person.

    Args:
        clock: of the running task, or of something inside it.
    """
    scope = task_scope()
    gate, slots = scope.gate, scope.slots
    with (
        nullcontext() if gate is None else gate.clocks.running(clock),
        nullcontext() if slots is None else slots.clocks.running(clock),
    ):
        yield
