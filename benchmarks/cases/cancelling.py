"""Cancelling: how long it takes from the wish to the end, for a task that runs and for one deep in a queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from statistics import mean
from time import perf_counter
from typing import Any

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Measure, Series, Size
from benchmarks.cases.limits import ENTER
from benchmarks.door import Door
from benchmarks.stopwatch import MICROSECONDS

CANCELS, QUEUE = 100, 10_000
RUNNING, WAITING = "tasks that run", f"tasks in a queue of {QUEUE}"
Start = Callable[[int], Awaitable[object]]


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    cancels, queue = size.of(CANCELS), size.of(QUEUE)
    opened = asyncio.Event()
    door = Door([()] * queue, lambda _number: opened.wait())
    async with (
        aura.running({"enter": ENTER}, door=door) as wide,
        aura.running({"enter": ENTER}, concurrency=1, door=door) as narrow,
    ):
        lock = asyncio.Semaphore(1)

        async def held(number: int) -> None:
            async with lock:
                await door.enter(number)

        def ours(framework: Any) -> Start:
            return lambda number: aura.run(framework, "enter", {"number": number})

        yield [
            Series(name, "µs a cancellation", [Contestant(FLOOR, floor), Contestant(AURA, measure)])
            for name, floor, measure in (
                (RUNNING, _cancelling(door.enter, cancels, 0), _cancelling(ours(wide), cancels, 0)),
                (WAITING, _cancelling(held, cancels, queue), _cancelling(ours(narrow), cancels, queue)),
            )
        ]


def _cancelling(start: Start, cancels: int, queue: int) -> Measure:
    """Cancels tasks one after the other, spread over a queue if there is one; the mean of the waits for their end."""

    async def measure() -> float:
        count = max(queue, cancels)
        tasks = [asyncio.ensure_future(start(number)) for number in range(count)]
        for _ in range(10):
            await asyncio.sleep(0)
        chosen = tasks[:: count // cancels][1:cancels] if queue else tasks
        seconds = [await _cancel(task) for task in chosen]
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return mean(seconds) * MICROSECONDS

    return measure


async def _cancel(task: asyncio.Future[object]) -> float:
    started = perf_counter()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return perf_counter() - started


CASE = Case("cancelling", "from the wish to the end, with everything given back", _prepare)
