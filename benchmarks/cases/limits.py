"""Limits: tasks that share scarce things: never more inside than allowed, and how much the bookkeeping costs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, figure, ratio
from benchmarks.door import Door
from benchmarks.stopwatch import check, per_second

TASKLETS, TAGS, MOST_TAGS, HIGHEST = 1000, 5, 3, 20
SECONDS = (0.001, 0.004)
SPEED, EXCESS = f"{TASKLETS} tasks over {TAGS} tags", "most places taken beyond a limit"
ENTER = (
    'meta: {inputs: {number: {type: integer}}}\nsteps:\n  - {action: enter, params: {number: "{{ inputs.number }}"}}\n'
)


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    chance = random.Random(7)  # noqa: S311 (the same work every time is the point)
    count = size.of(TASKLETS)
    limits = {f"tag{number}": chance.randint(1, HIGHEST) for number in range(TAGS)}
    tags = [sorted(chance.sample(list(limits), chance.randint(1, MOST_TAGS))) for _ in range(count)]
    seconds = [chance.uniform(*SECONDS) for _ in range(count)]
    door = Door(tags, lambda number: asyncio.sleep(seconds[number]))
    bare = _Bare(limits, tags, Door(tags, lambda number: asyncio.sleep(seconds[number])))
    async with aura.running({"enter": ENTER}, door=door) as framework:

        async def ours(number: int) -> None:
            resources = tuple(f"{tag}:{limits[tag]}" for tag in tags[number])
            await aura.run(framework, "enter", {"number": number}, resources=resources)

        async def work() -> int:
            return len(await asyncio.gather(*map(ours, range(count))))

        async def excess() -> float:
            check(sum(door.most.values()) > 0, expected=True)
            return max(door.most[tag] - limits[tag] for tag in door.most)

        yield [
            Series(
                SPEED,
                "tasks a second",
                [
                    Contestant(FLOOR, per_second(bare.work, count, count)),
                    Contestant(AURA, per_second(work, count, count)),
                ],
                more_is_better=True,
            ),
            Series(EXCESS, "places", [Contestant(AURA, excess)]),
        ]


class _Bare:
    """The floor: asyncio's own semaphores, taken in the same order."""

    def __init__(self, limits: dict[str, int], tags: Sequence[Sequence[str]], door: Door) -> None:
        self._semaphores = {tag: asyncio.Semaphore(limit) for tag, limit in limits.items()}
        self._tags = tags
        self._door = door

    async def work(self) -> int:
        return len(await asyncio.gather(*map(self._enter, range(len(self._tags)))))

    async def _enter(self, number: int) -> None:
        async with AsyncExitStack() as stack:
            for tag in self._tags[number]:
                await stack.enter_async_context(self._semaphores[tag])
            await self._door.enter(number)


CASE = Case(
    "limits",
    f"{TASKLETS} tasks that hold 1 to {MOST_TAGS} of {TAGS} scarce things for 1 to 4 ms",
    _prepare,
    (
        Target("at least 0.6 × what bare semaphores let through", 0.6, ratio(SPEED, FLOOR), at_least=True),
        Target("never more inside than a limit allows", 0.0, figure(EXCESS)),
    ),
)
