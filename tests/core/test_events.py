"""The event bus: to everybody who wants it, in order, never waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aura_core.ground.events import EventBus


@dataclass(frozen=True)
class Tick:
    n: int


async def test_everybody_gets_what_they_want_in_order():
    bus = EventBus()
    assert not bus.has_subscribers
    wanted = bus.subscribe(Tick, lambda tick: tick.n % 2 == 0)
    with bus.subscribe(Tick) as all_ticks, wanted as even, bus.subscribe(object) as everything:
        assert bus.has_subscribers
        for n in range(4):
            bus.publish(Tick(n))
        bus.publish("text")
        assert [tick.n for tick in all_ticks.pending()] == [0, 1, 2, 3]
        assert [tick.n for tick in even.pending()] == [0, 2]
        assert everything.pending()[-1] == "text"
    bus.publish(Tick(9))
    assert all_ticks.pending() == []
    assert not bus.has_subscribers


async def test_a_reader_can_wait_and_iterate():
    bus = EventBus()
    with bus.subscribe(Tick) as ticks:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(ticks.next())
            await asyncio.sleep(0)
            bus.publish(Tick(1))
        assert first.result() == Tick(1)
        bus.publish(Tick(2))
        async for tick in ticks:
            assert tick == Tick(2)
            break


def test_who_falls_behind_loses_the_oldest():
    bus = EventBus()
    with bus.subscribe(Tick, backlog=2) as ticks:
        for n in range(5):
            bus.publish(Tick(n))
        assert (ticks.pending(), ticks.lost) == ([Tick(3), Tick(4)], 3)
