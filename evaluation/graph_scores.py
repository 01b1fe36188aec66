"""Scores of a plan against a graph that somebody else published, as TaskBench counts: nodes, links, exact, valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

from agent.contracts import TaskCard
from evaluation.planned import Planned

WORDS = frozenset({"llm", "ask_user", "agent"})
"""Steps that call no tool: no node of a published graph."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The tools that a request needs, each as often as it is needed, and which feeds which."""

    nodes: Sequence[str]
    links: Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class GraphScore:
    """How near a plan is to a graph.

    Attributes:
        node: F1 of the tools.
        link: F1 of the pairs; 1 where neither has any.
        exact: the same tools and the same pairs.
    """

    node: float
    link: float
    exact: bool


def graph_of(plan: Planned) -> Graph:
    """The tools and pairs of a plan; a pair may lead through a step that calls no tool."""
    tools = {step.id: step.name for step in plan.steps if step.name not in WORDS}
    by_id = {step.id: step for step in plan.steps}

    def givers(name: str, seen: frozenset[str]) -> set[str]:
        found: set[str] = set()
        for need in by_id[name].needs:
            if need in by_id and need not in seen:
                found |= {need} if need in tools else givers(need, seen | {need})
        return found

    links = {(tools[giver], tools[taker]) for taker in tools for giver in givers(taker, frozenset({taker}))}
    return Graph(list(tools.values()), links)


def score(plan: Graph, wanted: Graph) -> GraphScore:
    """Compares a plan with the published graph."""
    links = set(plan.links), set(wanted.links)
    same = Counter(plan.nodes) == Counter(wanted.nodes) and links[0] == links[1]
    return GraphScore(f1(plan.nodes, wanted.nodes), f1(*links), same)


def f1(found: Collection[Hashable], wanted: Collection[Hashable]) -> float:
    """The harmonic mean of precision and recall, where each thing counts as often as it is there."""
    if not found and not wanted:
        return 1.0
    common = (Counter(found) & Counter(wanted)).total()
    return 2 * common / (len(found) + len(wanted))


def is_valid(plan: Planned, cards: Sequence[TaskCard]) -> bool:
    """Whether a plan could run: known tools, their required inputs and no others, and no step that needs a later one.

    Args:
        plan: the plan.
        cards: the tools.
    """
    known = {card.task: card for card in cards}
    earlier: set[str] = set()
    for step in plan.steps:
        card = known.get(step.name)
        if card is None and step.name not in WORDS:
            return False
        if card is not None and not set(card.required) <= step.inputs <= set(card.properties):
            return False
        if not step.needs <= earlier:
            return False
        earlier.add(step.id)
    return bool(plan.steps)


def shape(graph: Graph) -> str:
    """TaskBench's word for a graph: single, chain or dag."""
    if len(graph.nodes) <= 1:
        return "single"
    takers = Counter(giver for giver, _ in graph.links)
    givers = Counter(taker for _, taker in graph.links)
    in_line = len(graph.links) == len(graph.nodes) - 1 and max([*takers.values(), *givers.values()], default=0) <= 1
    return "chain" if in_line else "dag"
