"""A graph as a plan of the agent, walked as its run loop walks it: a Frontier says what may start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agent.contracts import PlanStep
from agent.plan_graph.frontier import Frontier
from benchmarks.graphs import Graph


def plan_of(graph: Graph) -> list[PlanStep]:
    """One step a node."""
    return [
        PlanStep(id=f"s{node}", task="bench/node", inputs={"node": node}, depends_on=[f"s{need}" for need in needs])
        for node, needs in enumerate(graph.needs)
    ]


async def walk_plan(steps: list[PlanStep], work: Callable[[int], Awaitable[object]]) -> int:
    """Runs every step as soon as what it needs is done.

    Args:
        steps: from `plan_of`.
        work: what a node does.

    Returns:
        How many steps ran.
    """
    frontier = Frontier(steps)
    done = 0

    async def run(step: PlanStep) -> None:
        nonlocal done
        await work(step.inputs["node"])
        done += 1
        frontier.succeeded(step.id)
        start()

    def start() -> None:
        for step in frontier.take()[0]:
            group.create_task(run(step))

    async with asyncio.TaskGroup() as group:
        start()
    return done
