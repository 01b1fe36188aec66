"""Cancellation: whether the running work was really asked to end, or its code only let out a CancelledError."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

Asked = Callable[[], bool]
_ends: ContextVar[tuple[Asked, ...]] = ContextVar("ends", default=())


def cancel_requests() -> int:
    """How often the running asyncio task was asked to end; 0: never, and a CancelledError in it is its own doing.

    More than 0 need not mean anything: before Python 3.13 a failing asyncio.TaskGroup leaves a request behind.
    """
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def begin_anew(asked: Asked) -> None:
    """What begins here ends with nothing around it.

    Args:
        asked: whether it was asked to end by itself.
    """
    _ends.set((asked,))


def kept_to_itself(requests: int) -> bool:
    """Whether code that has returned was asked to end meanwhile, and did not.

    Args:
        requests: `cancel_requests()` from before it was called.
    """
    return cancel_requests() > requests and being_ended()


@contextmanager
def may_end(asked: Asked) -> Generator[None]:
    """For the block, the work in it is one that may be asked to end by itself.

    Args:
        asked: whether it was.
    """
    token = _ends.set((*_ends.get(), asked))
    try:
        yield
    finally:
        _ends.reset(token)


def being_ended() -> bool:
    """Whether the running task, or the part of it that runs here, was asked to end.

    From then on a failure does not count as one of its step, and nothing continues from a success.
    """
    for asked in _ends.get():  # noqa: SIM110 (asked after every action; a generator would take as long as the rest)
        if asked():
            return True
    return False
