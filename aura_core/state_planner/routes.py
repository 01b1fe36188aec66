"""Routes: the states of a plan as a networkx graph: how far it is to a state, and the cheapest way there."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from aura_core.language.states import ANY_STATE

if TYPE_CHECKING:
    import networkx as nx

    from aura_core.language.states import StateMap, Transition


class Routes:
    """The ways between states, and which of them failed on this journey.

    A transition that failed is taken again only when no way without it is left: of two ways, the one with fewer
    failures counts, and of those the cheaper.

    Args:
        states: the plan's states.
    """

    def __init__(self, states: StateMap) -> None:
        self._states = states
        self._failures: Counter[int] = Counter()
        self._penalty = sum(way.cost for way in states.transitions.values()) + 1.0

    def failed(self, index: int) -> None:
        """Remembers that a transition did not lead where it should.

        Args:
            index: its position in states.yaml.
        """
        self._failures[index] += 1

    def nearest_first(self, target: str) -> list[str]:
        """All states, those from which `target` is cheapest to reach first, of equals the higher priority first."""
        import networkx as nx  # noqa: PLC0415 (few plans have states)

        reverse = self._graph().reverse(copy=False)
        distances: dict[str, float] = nx.single_source_dijkstra_path_length(reverse, target)
        states = self._states.states
        return sorted(states, key=lambda name: (distances.get(name, float("inf")), -states[name].priority, name))

    def cheapest(self, start: str | None, target: str) -> list[int] | None:
        """The transitions of the cheapest way, by their positions in states.yaml; None if there is no way.

        Args:
            start: where it begins; None: in no known state.
            target: where it ends.
        """
        import networkx as nx  # noqa: PLC0415 (the same)

        graph = self._graph()
        try:
            path: list[str] = nx.dijkstra_path(graph, start or ANY_STATE, target)
        except nx.NetworkXNoPath:
            return None
        return [graph[here][there]["index"] for here, there in pairwise(path)]

    def _graph(self) -> nx.DiGraph[str]:
        import networkx as nx  # noqa: PLC0415 (the same)

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from([*self._states.states, ANY_STATE])
        for index, transition in self._states.transitions.items():
            anywhere = transition.from_ == ANY_STATE
            for start in [*self._states.states, ANY_STATE] if anywhere else [transition.from_]:
                if start != transition.to:
                    self._connect(graph, start, index, transition)
        return graph

    def _connect(self, graph: nx.DiGraph[str], start: str, index: int, transition: Transition) -> None:
        weight = transition.cost + self._failures[index] * self._penalty
        if not graph.has_edge(start, transition.to) or weight < graph[start][transition.to]["weight"]:
            graph.add_edge(start, transition.to, weight=weight, index=index)
