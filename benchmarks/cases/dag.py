"""DAG: how close a graph of waiting work comes to its longest chain, which nobody can beat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Measure, Series, Size, Target, figure
from benchmarks.graphs import Graph, random_graph, walk_by_levels, walk_with_counters
from benchmarks.peers import peer
from benchmarks.planned import plan_of, walk_plan
from benchmarks.stopwatch import per_item

SIZES = (100, 1000)
SMALL, LARGE = (f"{nodes} nodes" for nodes in SIZES)
REST = (
    'meta: {inputs: {seconds: {type: number}}}\nsteps:\n  - {action: rest, params: {seconds: "{{ inputs.seconds }}"}}\n'
)


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    async with aura.running({"rest": REST}) as framework:

        def series(name: str, graph: Graph) -> Series:
            async def rest(node: int) -> None:
                await asyncio.sleep(graph.seconds[node])

            async def task(node: int) -> None:
                await aura.run(framework, "rest", {"seconds": graph.seconds[node]})

            def measure(work: Callable[[], Awaitable[int]]) -> Measure:
                return per_item(work, 1, graph.size, scale=1 / graph.critical_path)

            steps = plan_of(graph)
            return Series(
                name,
                "× critical path",
                [
                    Contestant(FLOOR, measure(lambda: walk_with_counters(graph, rest))),
                    Contestant(AURA, measure(lambda: walk_plan(steps, task))),
                    Contestant("levels with a barrier", measure(lambda: walk_by_levels(graph, rest))),
                    *peer("Dask", "tasks", graph, measure),
                    *peer("LangGraph", "supersteps", graph, measure, way="supersteps"),
                    *peer("LangGraph", "tasks", graph, measure, way="@task"),
                ],
            )

        yield [series(name, random_graph(size.of(nodes))) for name, nodes in zip((SMALL, LARGE), SIZES, strict=True)]


CASE = Case(
    "dag",
    "G(n, 4/n) of tasks that wait 20 ms, lognormal",
    _prepare,
    (
        Target("at most 1.05 × the critical path with 100 nodes", 1.05, figure(SMALL)),
        Target("at most 1.05 × the critical path with 1000 nodes", 1.05, figure(LARGE)),
    ),
)
