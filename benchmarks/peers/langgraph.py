"""LangGraph: graphs whose nodes change a shared state, in supersteps; and tasks inside an entrypoint."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph

from benchmarks.case import Measure
from benchmarks.graphs import Graph
from benchmarks.stopwatch import per_item, per_second


class Counter(TypedDict):
    """The state of a chain or loop."""

    n: int


class Done(TypedDict):
    """The state of a graph: the nodes that are done."""

    done: Annotated[list[int], operator.add]


async def _bump(state: Counter) -> Counter:
    return {"n": state["n"] + 1}


def steps(count: int) -> Measure:
    """A chain of nodes."""
    return per_item(_chain(count, _bump), count, count)


def while_loop(count: int) -> Measure:
    """A node with a conditional edge back to itself."""
    graph = StateGraph(Counter)
    graph.add_node("body", _bump)
    graph.add_edge(START, "body")
    graph.add_conditional_edges("body", lambda state: "body" if state["n"] < count else END)
    app = graph.compile()

    async def work() -> int:
        return (await app.ainvoke({"n": 0}, {"recursion_limit": count + 5}))["n"]

    return per_item(work, count, count)


def runs(count: int, length: int, seconds: float) -> Measure:
    """So many chains of sleeping nodes at once."""

    async def rest(state: Counter) -> Counter:
        await asyncio.sleep(seconds)
        return {"n": state["n"] + 1}

    one = _chain(length, rest)

    async def work() -> int:
        return len(await asyncio.gather(*(one() for _ in range(count))))

    return per_second(work, count * length, count)


def supersteps(graph: Graph, measure: Callable[[Any], Measure]) -> Measure:
    """The graph as edges that wait for all their sources; a superstep ends when its slowest node does."""
    builder = StateGraph(Done)
    for node in range(graph.size):
        builder.add_node(f"n{node}", _node(node, graph.seconds[node]))
        needs = [f"n{need}" for need in graph.needs[node]]
        builder.add_edge(needs or START, f"n{node}")
    app = builder.compile()

    async def work() -> int:
        return len((await app.ainvoke({"done": []}, {"recursion_limit": graph.size + 5}))["done"])

    return measure(work)


def tasks(graph: Graph, measure: Callable[[Any], Measure]) -> Measure:
    """The graph as tasks inside one entrypoint, each started as soon as what it needs is done."""

    @task
    async def node(number: int) -> int:
        await _rest(graph.seconds[number])
        return number

    @entrypoint()
    async def flow(_start: int) -> int:
        running: list[asyncio.Task[int]] = []

        async def start(number: int) -> int:
            await asyncio.gather(*(running[need] for need in graph.needs[number]))
            return await node(number)

        running.extend(asyncio.create_task(start(number)) for number in range(graph.size))
        return len(await asyncio.gather(*running))

    async def work() -> int:
        return await flow.ainvoke(0)

    return measure(work)


def _chain(count: int, node: Any) -> Callable[[], Any]:
    names = [f"s{number}" for number in range(count)]
    graph = StateGraph(Counter)
    for name in names:
        graph.add_node(name, node)
    for before, after in zip([START, *names], names, strict=False):
        graph.add_edge(before, after)
    app = graph.compile()

    async def work() -> int:
        return (await app.ainvoke({"n": 0}, {"recursion_limit": count + 5}))["n"]

    return work


def _node(number: int, seconds: float) -> Any:
    async def node(_state: Done) -> Done:
        await _rest(seconds)
        return {"done": [number]}

    return node


async def _rest(seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)
