"""Forgetting: runs that ended long ago go, at the start and once a day while a program stays open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from aura_core.durable.protocol import Engine

RUNS_KEPT_SECONDS = 90 * 24 * 3600.0
"""Finished runs older than this are forgotten; what was said stays in SESSION.json."""
DAY_SECONDS = 24 * 3600.0


@asynccontextmanager
async def forgetting_runs(
    engine: Engine,
    kept: float = RUNS_KEPT_SECONDS,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[None]:
    """Forgets old runs at once, and once a day during the block.

    Args:
        engine: launched, and open until the block is left.
        kept: seconds that a finished run is kept.
        sleep: waits for so many seconds.

    Raises:
        AuraError: the store cannot be used now; later that is logged and tried again the next day.
    """
    await engine.prune(kept)
    daily = asyncio.create_task(_daily(engine, kept, sleep), name="forgetting runs")
    try:
        yield
    finally:
        daily.cancel()
        await asyncio.gather(daily, return_exceptions=True)


async def _daily(engine: Engine, kept: float, sleep: Callable[[float], Awaitable[object]]) -> None:
    log = get_logger("aura_core.durable")
    while True:
        await sleep(DAY_SECONDS)
        try:
            await engine.prune(kept)
        except Exception:
            log.exception("old runs were not forgotten")
