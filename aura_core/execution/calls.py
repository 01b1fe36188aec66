"""Calls in a pool, and those among them that nobody waits for any more."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

Work = Future[Any]
unfinished_work: ContextVar[set[Work] | None] = ContextVar("unfinished_work", default=None)
"""Calls of the running task that nobody waits for any more but that still run in a pool; its slots wait for them."""


@contextmanager
def given_up_calls(into: set[Work]) -> Generator[None]:
    """For the block, calls that are given up are remembered in `into`, so that no slot waits for them."""
    token = unfinished_work.set(into)
    try:
        yield
    finally:
        unfinished_work.reset(token)


async def outcome(work: Work) -> Any:
    """What a call in a pool gives; if its waiter is cancelled, it is remembered until it has really ended."""
    try:
        return await asyncio.wrap_future(work)
    except asyncio.CancelledError:
        unfinished = unfinished_work.get()
        if unfinished is not None and not work.cancel() and not work.done():
            unfinished.add(work)
            work.add_done_callback(unfinished.discard)
        raise
