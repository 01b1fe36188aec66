"""The clock of a task: rings once, stands still while it is paused."""

from __future__ import annotations

import asyncio

from aura_core.execution.clock import Clock


async def test_it_rings_when_the_time_is_up():
    rung = asyncio.Event()
    Clock(rung.set).start(0.01)
    await asyncio.wait_for(rung.wait(), 10)


async def test_it_stands_still_while_paused_and_goes_on_with_what_was_left():
    rung = asyncio.Event()
    clock = Clock(rung.set)
    clock.start(0.03)
    clock.pause()
    clock.pause()
    await asyncio.sleep(0.05)
    assert not rung.is_set()
    clock.resume()
    clock.resume()
    await asyncio.wait_for(rung.wait(), 10)


async def test_a_stopped_clock_does_not_ring():
    rung = asyncio.Event()
    clock = Clock(rung.set)
    clock.start(0.01)
    clock.stop()
    clock.stop()
    await asyncio.sleep(0.03)
    assert not rung.is_set()
