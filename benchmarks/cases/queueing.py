"""Queueing: how late the unluckiest tasks begin when work arrives at random and most places are taken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles
from time import perf_counter

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Measure, Series, Size
from benchmarks.cases.limits import ENTER
from benchmarks.door import Door
from benchmarks.stopwatch import MILLISECONDS

ARRIVALS, PLACES, SECONDS, LOAD = 2000, 16, 0.005, 0.8
LATE = f"{ARRIVALS} tasks for {PLACES} places at {LOAD:.0%} load"
Start = Callable[[int], Awaitable[object]]


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    chance = random.Random(3)  # noqa: S311 (the same arrivals every time is the point)
    count = max(100, size.of(ARRIVALS))
    gaps = [chance.expovariate(LOAD * PLACES / SECONDS) for _ in range(count)]
    door = Door([()] * count, lambda _number: asyncio.sleep(SECONDS))
    semaphore = asyncio.Semaphore(PLACES)

    async def bare(number: int) -> None:
        async with semaphore:
            await door.enter(number)

    async with aura.running({"enter": ENTER}, concurrency=PLACES, door=door) as framework:

        async def ours(number: int) -> None:
            await aura.run(framework, "enter", {"number": number})

        yield [
            Series(
                f"{LATE}, {name}",
                "ms from arrival to start",
                [
                    Contestant(FLOOR, _lateness(bare, door, gaps, percentile)),
                    Contestant(AURA, _lateness(ours, door, gaps, percentile)),
                ],
            )
            for name, percentile in (("median", 50), ("p99", 99))
        ]


def _lateness(start: Start, door: Door, gaps: Sequence[float], percentile: int) -> Measure:
    """Starts work at the given moments, whether or not earlier work has ended; a percentile of the waits."""

    async def measure() -> float:
        due: list[float] = []
        moment = perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, gap in enumerate(gaps):
                moment += gap
                due.append(moment)
                await asyncio.sleep(max(0.0, moment - perf_counter()))
                group.create_task(_awaited(start(number)))
        waits = [door.entered[number] - due[number] for number in range(len(gaps))]
        return quantiles(waits, n=100)[percentile - 1] * MILLISECONDS

    return measure


async def _awaited(work: Awaitable[object]) -> None:
    await work


CASE = Case("queueing", "tasks arrive at random and hold a place for 5 ms", _prepare)
