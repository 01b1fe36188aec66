"""Forgetting: what is too old goes, when a program starts and once a day while it stays open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from aura_core.ground.logger import get_logger

DAY_SECONDS = 24 * 3600.0
_log = get_logger(__name__)


@asynccontextmanager
async def forgetting(
    *forget: Callable[[], Awaitable[object]], sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> AsyncGenerator[None]:
    """Forgets at once, and once a day during the block; a day on which the store cannot be used is logged.

    Args:
        forget: each deletes what is too old, e.g. by `Engine.prune` or `Documents.forget`.
        sleep: waits for so many seconds.
    """
    await _forget(forget)
    daily = asyncio.create_task(_daily(forget, sleep), name="forgetting")
    try:
        yield
    finally:
        daily.cancel()
        await asyncio.gather(daily, return_exceptions=True)


async def _daily(
    forget: tuple[Callable[[], Awaitable[object]], ...], sleep: Callable[[float], Awaitable[object]]
) -> None:
    while True:
        await sleep(DAY_SECONDS)
        await _forget(forget)


async def _forget(forget: tuple[Callable[[], Awaitable[object]], ...]) -> None:
    for one in forget:
        try:
            await one()
        except Exception:  # noqa: BLE001 (logged; the next day makes up for it)
            _log.exception("what is old was not forgotten")
