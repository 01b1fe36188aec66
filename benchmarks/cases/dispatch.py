"""Dispatch: what it costs to find out what of a graph may start next, when the work itself takes no time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Measure, Series, Size, Target, figure
from benchmarks.graphs import Graph, Node, random_graph, walk_with_counters
from benchmarks.peers import peer
from benchmarks.planned import plan_of, walk_plan
from benchmarks.stopwatch import per_item

SIZES = (100, 1000)
SMALL, LARGE = (f"{nodes} nodes" for nodes in SIZES)


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    async with aura.running({"node": "steps:\n  - action: nothing\n"}) as framework:

        async def task(_node: int) -> None:
            await aura.run(framework, "node")

        yield [
            _series(name, random_graph(size.of(nodes)).without_pauses(), task)
            for name, nodes in zip((SMALL, LARGE), SIZES, strict=True)
        ]


def _series(name: str, graph: Graph, task: Node) -> Series:
    steps = plan_of(graph)

    def measure(work: Callable[[], Awaitable[int]]) -> Measure:
        return per_item(work, graph.size, graph.size)

    return Series(
        name,
        "µs a node",
        [
            Contestant(FLOOR, measure(lambda: walk_with_counters(graph, _nothing))),
            Contestant(AURA, measure(lambda: walk_plan(steps, _nothing))),
            Contestant(f"{AURA}, a task a node", measure(lambda: walk_plan(steps, task))),
            *peer("Dask", "tasks", graph, measure),
            *peer("LangGraph", "supersteps", graph, measure, way="supersteps"),
            *peer("LangGraph", "tasks", graph, measure, way="@task"),
        ],
    )


async def _nothing(_node: int) -> None:
    """Takes no time."""


CASE = Case(
    "dispatch",
    "G(n, 4/n): from one node's end to the next one's start, nodes that take no time",
    _prepare,
    (
        Target("at most 15 µs a node at 100", 15.0, figure(SMALL)),
        Target("at most 15 µs a node at 1000", 15.0, figure(LARGE)),
    ),
)
