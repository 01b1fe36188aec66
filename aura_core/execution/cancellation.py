"""Cancellation: whether the running work was really asked to end, or its code only let out a CancelledError."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

from aura_core.asynccontext import Asked, current_scope, inside


def cancel_requests() -> int:
    """How often the running asyncio task was asked to end; 0: never, and a CancelledError in it is its own doing.

    More than 0 need not mean anything: before Python 3.13 a failing asyncio.TaskGroup leaves a request behind.
    """
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def kept_to_itself(requests: int) -> bool:
    """Whether code that has returned was asked to end meanwhile, and did not.

    Args:
        requests: `cancel_requests()` from before it was called.
    """
    return cancel_requests() > requests and being_ended()


def may_end(asked: Asked) -> AbstractContextManager[None]:
    """For the block, the work in it is one that may be asked to end by itself.

    Args:
        asked: whether it was.
    """
    scope = current_scope.get()
    return inside(scope.but(ends=(*scope.ends, asked)))


def being_ended() -> bool:
    """Whether the running task, or the part of it that runs here, was asked to end.

    From then on a failure does not count as one of its step, and nothing continues from a success.
    """
    for asked in current_scope.get().ends:  # noqa: SIM110 (asked after every action; a generator would take as long as the rest)
        if asked():
            return True
    return False
