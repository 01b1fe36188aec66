"""Waiting: what 10,000 submitted tasks hold in memory while they wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size
from benchmarks.cases.limits import ENTER
from benchmarks.door import Door
from benchmarks.memory import grown
from benchmarks.stopwatch import check

WAITING = 10_000
TURNS = 10
"""Turns of the loop after which everybody who was started has begun to wait."""
QUEUE = f"{WAITING} waiting tasks"
Work = Callable[[], Awaitable[int]]


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    count = size.of(WAITING)
    yield [
        Series(
            QUEUE,
            "KiB each",
            [
                Contestant(name, grown(f"{__name__}:{function}", count, items=count))
                for name, function in ((FLOOR, "bare"), (AURA, "submitted"))
            ],
        )
    ]


@asynccontextmanager
async def submitted(count: int) -> AsyncGenerator[Work]:
    """So many tasks of Aura, of which one holds the only place until all others wait."""
    opened = asyncio.Event()
    door = Door([()] * (count + 1), lambda _number: opened.wait())
    async with aura.running({"enter": ENTER}, concurrency=1, door=door) as framework:

        async def work() -> int:
            async with asyncio.TaskGroup() as group:
                first = group.create_task(aura.run(framework, "enter", {"number": count}))
                await door.first.wait()
                tasks = [group.create_task(aura.run(framework, "enter", {"number": number})) for number in range(count)]
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                check(framework.execution_manager.busy, count + 1)
                opened.set()
                await first
            return len(tasks)

        yield work


@asynccontextmanager
async def bare(count: int) -> AsyncGenerator[Work]:
    """So many asyncio tasks that wait for one semaphore."""
    semaphore, opened = asyncio.Semaphore(1), asyncio.Event()

    async def enter() -> None:
        async with semaphore:
            await opened.wait()

    async def work() -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(enter()) for _ in range(count)]
            for _ in range(TURNS):
                await asyncio.sleep(0)
            opened.set()
        return len(tasks)

    yield work


CASE = Case("waiting", "memory of a queue", _prepare)
