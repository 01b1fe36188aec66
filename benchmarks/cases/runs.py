"""Runs: many tasks at once that mostly wait: how many steps a second, and how much memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, figure
from benchmarks.memory import grown
from benchmarks.peers import peer
from benchmarks.stopwatch import per_second

RUNS, LENGTH, SECONDS = 1000, 10, 0.010
SPEED, MEMORY, EMPTY = f"{RUNS} runs of {LENGTH} steps of 10 ms", "memory of these runs", "tasks that do nothing"
MIB = 1024
Work = Callable[[], Awaitable[int]]


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    count = size.of(RUNS)
    async with aura_runs(count) as ours, floor_runs(count) as bare, _empty(count) as (submitted, created):
        peers = [one for name in ("pypyr", "LangGraph", "Burr") for one in peer(name, "runs", count, LENGTH, SECONDS)]
        steps = count * LENGTH
        yield [
            Series(
                SPEED,
                "steps a second",
                [
                    Contestant(FLOOR, per_second(bare, steps, count)),
                    Contestant(AURA, per_second(ours, steps, count)),
                    *peers,
                ],
                more_is_better=True,
            ),
            Series(
                MEMORY,
                "MiB",
                [
                    Contestant(name, grown(f"{__name__}:{function}", count, items=MIB))
                    for name, function in ((FLOOR, "floor_runs"), (AURA, "aura_runs"))
                ],
            ),
            Series(
                EMPTY,
                "tasks a second",
                [
                    Contestant(FLOOR, per_second(created, count, count)),
                    Contestant(AURA, per_second(submitted, count, count)),
                ],
                more_is_better=True,
            ),
        ]


@asynccontextmanager
async def aura_runs(count: int) -> AsyncGenerator[Work]:
    """So many tasks of Aura at once, whose steps wait."""
    step = f"  - {{action: rest, params: {{seconds: {SECONDS}}}}}\n"
    async with aura.running({"run": "steps:\n" + step * LENGTH}) as framework:
        await aura.run(framework, "run")

        async def work() -> int:
            return sum(await asyncio.gather(*(aura.run(framework, "run") for _ in range(count))))

        yield work


@asynccontextmanager
async def floor_runs(count: int) -> AsyncGenerator[Work]:
    """So many coroutines at once that wait as often."""

    async def run() -> int:
        for _ in range(LENGTH):
            await asyncio.sleep(SECONDS)
        return 1

    async def work() -> int:
        return sum(await asyncio.gather(*(run() for _ in range(count))))

    yield work


@asynccontextmanager
async def _empty(count: int) -> AsyncGenerator[tuple[Work, Work]]:
    async def nothing() -> int:
        return 1

    async with aura.running({"nothing": "steps:\n  - action: nothing\n"}) as framework:

        async def submitted() -> int:
            return sum(await asyncio.gather(*(aura.run(framework, "nothing") for _ in range(count))))

        async def created() -> int:
            return sum(await asyncio.gather(*(nothing() for _ in range(count))))

        yield submitted, created


CASE = Case(
    "runs",
    "1000 tasks at once",
    _prepare,
    (
        Target("at least 40,000 steps a second", 40_000.0, figure(SPEED), at_least=True),
        Target("at most 15 MiB", 15.0, figure(MEMORY)),
    ),
)
