"""Dask: a graph of plain functions on a pool of threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dask.threaded import get

from benchmarks.case import Measure
from benchmarks.graphs import Graph
from benchmarks.stopwatch import per_item

THREADS = 64


def _bump(value: int) -> int:
    return value + 1


def steps(count: int) -> Measure:
    """A chain of calls."""
    chain: dict[str, Any] = {"s0": (_bump, 0)}
    chain |= {f"s{number}": (_bump, f"s{number - 1}") for number in range(1, count)}

    async def work() -> int:
        return get(chain, f"s{count - 1}")

    return per_item(work, count, count)


def tasks(graph: Graph, measure: Callable[[Any], Measure]) -> Measure:
    """The graph, with threads enough for all that can run at once."""

    def node(number: int, needs: list[int]) -> int:
        if graph.seconds[number]:
            time.sleep(graph.seconds[number])
        return number + 0 * len(needs)

    calls = {f"n{number}": (node, number, [f"n{need}" for need in graph.needs[number]]) for number in range(graph.size)}

    async def work() -> int:
        return len(get(calls, list(calls), num_workers=THREADS))

    return measure(work)
