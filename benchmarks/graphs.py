"""Random graphs of work: G(n, 4/n) with lognormal pauses, and how they are walked with nothing around."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

EDGES = 4
"""Edges a node, on average, before the direction halves them."""
PAUSE = 0.020
SPREAD = 0.5

Node = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and what they need.

    Attributes:
        needs: per node the nodes before it; always of lower number.
        seconds: per node how long its work waits.
    """

    needs: list[list[int]]
    seconds: list[float]

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.needs)

    @property
    def critical_path(self) -> float:
        """Seconds that the longest chain takes: nobody can be quicker."""
        ends: list[float] = []
        for needs, seconds in zip(self.needs, self.seconds, strict=True):
            ends.append(seconds + max((ends[need] for need in needs), default=0.0))
        return max(ends)

    def without_pauses(self) -> Graph:
        """The same graph with work that takes no time."""
        return Graph(self.needs, [0.0] * self.size)


def random_graph(size: int, seed: int = 1) -> Graph:
    """G(n, 4/n), directed from lower to higher numbers; pauses are lognormal around 20 ms."""
    chance = random.Random(seed)  # noqa: S311 (the same graph every time is the point)
    needs = [[other for other in range(node) if chance.random() < EDGES / size] for node in range(size)]
    return Graph(needs, [chance.lognormvariate(math.log(PAUSE), SPREAD) for _ in range(size)])


async def walk_with_counters(graph: Graph, work: Node) -> int:
    """The floor: a counter a node, one asyncio task a node, nothing else."""
    missing = [len(needs) for needs in graph.needs]
    needed_by: list[list[int]] = [[] for _ in graph.needs]
    for node, needs in enumerate(graph.needs):
        for need in needs:
            needed_by[need].append(node)
    done = 0

    async def run(node: int) -> None:
        nonlocal done
        await work(node)
        done += 1
        for other in needed_by[node]:
            missing[other] -= 1
            if not missing[other]:
                group.create_task(run(other))

    async with asyncio.TaskGroup() as group:
        for node, needs in enumerate(graph.needs):
            if not needs:
                group.create_task(run(node))
    return done


async def walk_by_levels(graph: Graph, work: Node) -> int:
    """What a barrier costs: all nodes of a level, then all of the next one."""
    level: list[int] = []
    for needs in graph.needs:
        level.append(1 + max((level[need] for need in needs), default=-1))
    for number in range(max(level) + 1):
        await asyncio.gather(*(work(node) for node in range(graph.size) if level[node] == number))
    return graph.size
