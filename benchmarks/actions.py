"""The actions of the benchmarks' plan; this file is copied into it as it stands."""

from __future__ import annotations

import asyncio
from typing import Any

from aura_core.api import action, requires_services


@action("bump")
async def bump(value: int) -> int:
    """One more."""
    return value + 1


@action("bump_inline", inline=True)
def bump_inline(value: int) -> int:
    """One more, as a plain function."""
    return value + 1


@action("nothing")
async def nothing() -> None:
    """Takes no time."""


@action("rest")
async def rest(seconds: float) -> None:
    """Waits, as a task does that asks something far away."""
    await asyncio.sleep(seconds)


@action("enter")
@requires_services(door="door")
async def enter(door: Any, number: int) -> None:
    """Goes through the door that a case provides as a service; see `benchmarks.door`."""
    await door.enter(number)
