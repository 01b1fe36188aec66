"""From results to figures: verdicts and graph scores counted for each planner; nothing here is drawn or worded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from evaluation.cases import Case
from evaluation.graph_scores import GraphScore, graph_of, is_valid, score, shape
from evaluation.planned import planned_from
from evaluation.verdict import Judged, Verdict, judge
from evaluation.workloads import Foreign


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of our own requests: the case, the verdict and the row of results."""

    case: Case
    judged: Judged
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ForeignOutcome:
    """What became of a request to other people's tools.

    Attributes:
        one: the request.
        node: F1 of the tools; None where no plan is published.
        link: F1 of the pairs; None where no plan is published.
        exact: the published plan; None where there is none.
        valid: it could run.
        shape: whether it is single, chain or dag, as is published; None where that is not.
        row: the row of results.
    """

    one: Foreign
    node: float | None
    link: float | None
    exact: bool | None
    valid: bool
    shape: bool | None
    row: Mapping[str, Any]


def own_outcomes(rows: Iterable[Mapping[str, Any]], cases: Iterable[Case]) -> list[Outcome]:
    """A verdict for each row whose case is still there."""
    by_id = {case.id: case for case in cases}
    return [Outcome(by_id[row["id"]], _judged(by_id[row["id"]], row), row) for row in rows if row["id"] in by_id]


def _judged(case: Case, row: Mapping[str, Any]) -> Judged:
    return Judged("error", row["error"]) if row["plan"] is None else judge(case, planned_from(row["plan"]))


def foreign_outcomes(rows: Iterable[Mapping[str, Any]], requests: Iterable[Foreign]) -> list[ForeignOutcome]:
    """Scores for each row whose request is still there; where there is no plan they are 0."""
    by_id = {one.id: one for one in requests}
    return [_foreign(by_id[row["id"]], row) for row in rows if row["id"] in by_id]


def _foreign(one: Foreign, row: Mapping[str, Any]) -> ForeignOutcome:
    plan = planned_from(row["plan"] or {})
    graph = graph_of(plan)
    scored = (score(graph, one.graph) if graph.nodes else GraphScore(0, 0, exact=False)) if one.graph else None
    return ForeignOutcome(
        one,
        scored.node if scored else None,
        scored.link if scored else None,
        scored.exact if scored else None,
        is_valid(plan, one.cards),
        shape(graph) == one.kind if one.kind and not one.graph else None,
        row,
    )


def share(outcomes: Sequence[Outcome], verdict: Verdict) -> float | None:
    """How many of the outcomes have this verdict, from 0 to 1; None without any."""
    return Counter(outcome.judged.verdict for outcome in outcomes)[verdict] / len(outcomes) if outcomes else None


def interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share: where it would lie with many more requests of the same kind.

    Args:
        hits: how many.
        of: of how many, at least 1.
    """
    z, found = 1.96, hits / of
    middle = (found + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(found * (1 - found) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def warm_seconds(rows: Iterable[Mapping[str, Any]]) -> list[float]:
    """How long plans took, in order of length, without the first one of a run, which loads and reads."""
    return sorted(row["seconds"] for row in rows if row["warm"])


def quantile(values: Sequence[float], part: float) -> float | None:
    """The value below which that part of the values lies; None without any.

    Args:
        values: in ascending order.
        part: from 0 to 1.
    """
    return values[min(len(values) - 1, math.ceil(part * len(values)) - 1 if part else 0)] if values else None


def mean(values: Iterable[float | bool | None]) -> float | None:
    """The mean of what is known; None if nothing is."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None


def ratio(value: float | None, beside: float | None) -> float | None:
    """One value as a multiple of another; None where that is not known or nothing."""
    return value / beside if value is not None and beside else None


def middle(values: Iterable[float]) -> float | None:
    """The median; None without values."""
    known = list(values)
    return median(known) if known else None
