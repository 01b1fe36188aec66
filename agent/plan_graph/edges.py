"""The edges of a plan as a networkx graph: which step needs which, what order is safe, where the cycles are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from agent.contracts import PlanStep
from agent.references import find_references

if TYPE_CHECKING:
    import networkx as nx


def reference_ids(step: PlanStep) -> set[str]:
    """Ids of all steps whose results a step reads, in its inputs, instruction, question or options."""
    given = (step.inputs, step.instruction, step.question, step.options)
    return find_references([value for value in given if value])


def needed_ids(step: PlanStep) -> set[str]:
    """Ids of all steps that must have succeeded: declared ones and those it refers to."""
    return set(step.depends_on) | reference_ids(step)


def graph_of(steps: Sequence[PlanStep]) -> nx.DiGraph[str]:
    """An edge from each step to those that need it; ids that no step of the plan has are left out."""
    import networkx as nx  # noqa: PLC0415 (a run that plans nothing needs no graph)

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(step.id for step in steps)
    graph.add_edges_from((need, step.id) for step in steps for need in needed_ids(step) if need in graph)
    return graph


def order_steps_safely(steps: Sequence[PlanStep]) -> list[PlanStep]:
    """All steps once, every step after those it needs; otherwise in the order in which they were planned (seed 004).

    Never fails: steps of a cycle stay together, in planned order.
    """
    import networkx as nx  # noqa: PLC0415 (see `graph_of`)

    by_id = {step.id: step for step in steps}
    position = {step.id: place for place, step in reversed(list(enumerate(steps)))}
    condensed: nx.DiGraph[int] = nx.condensation(graph_of(steps))
    group_of: dict[str, int] = condensed.graph["mapping"]
    groups: dict[int, list[str]] = {}
    for step in steps:
        groups.setdefault(group_of[step.id], []).append(step.id)
    first = {group: min(position[step] for step in ids) for group, ids in groups.items()}
    ordered: Iterable[int] = nx.lexicographical_topological_sort(condensed, key=first.__getitem__)
    return [by_id[step] for group in ordered for step in groups[group]]


def leads_to(steps: Sequence[PlanStep], before: str, after: str) -> bool:
    """Whether `after` needs `before`, directly or through others."""
    import networkx as nx  # noqa: PLC0415 (see `graph_of`)

    graph = graph_of(steps)
    return before in graph and after in graph and nx.has_path(graph, before, after)


def cycles(steps: Sequence[PlanStep]) -> list[list[str]]:
    """Groups of steps that need each other, each group in planned order; a step that needs itself is one."""
    import networkx as nx  # noqa: PLC0415 (see `graph_of`)

    graph = graph_of(steps)
    position = {step.id: place for place, step in enumerate(steps)}
    groups = [sorted(group, key=lambda step: position[step]) for group in nx.strongly_connected_components(graph)]
    knots = [group for group in groups if len(group) > 1 or graph.has_edge(group[0], group[0])]
    return sorted(knots, key=lambda group: position[group[0]])


def with_edges(steps: Sequence[PlanStep], extra: Iterable[tuple[str, str]]) -> list[PlanStep]:
    """The steps with further edges (from, to) in `depends_on`; an edge that a path already implies is left out."""
    import networkx as nx  # noqa: PLC0415 (see `graph_of`)

    graph = graph_of(steps)
    added: dict[str, list[str]] = {}
    for before, after in extra:
        if not nx.has_path(graph, before, after):
            graph.add_edge(before, after)
            added.setdefault(after, []).append(before)
    return [
        step.model_copy(update={"depends_on": [*step.depends_on, *added[step.id]]}) if step.id in added else step
        for step in steps
    ]
