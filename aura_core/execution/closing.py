"""Closing a pool without holding up the event loop, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import suppress
from threading import Thread


def close_beside(pool: Executor) -> asyncio.Event:
    """Closes a pool in a thread of its own, for closing waits for running calls; the event tells when it is done."""
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def close() -> None:
        pool.shutdown(wait=True, cancel_futures=True)
        with suppress(RuntimeError):  # the loop did not wait so long
            loop.call_soon_threadsafe(closed.set)

    Thread(target=close, name="aura-close", daemon=True).start()
    return closed


async def all_closed(pools: Iterable[asyncio.Event], seconds: float) -> None:
    """Waits until pools are closed, at most so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for pool in pools:
                await pool.wait()
