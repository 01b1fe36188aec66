"""The report: tables of everything that has results, and docs/evaluation.md with plots; no figure is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.builds import EARLIER
from evaluation import results, workloads
from evaluation.cases import KINDS, LANGUAGES, PARTS, Part, load_cases
from evaluation.figures import (
    ForeignOutcome,
    Outcome,
    foreign_outcomes,
    interval,
    mean,
    middle,
    own_outcomes,
    quantile,
    ratio,
    share,
    warm_seconds,
)
from evaluation.systems import SYSTEMS
from evaluation.verdict import VERDICTS

DOCUMENT = results.ROOT / "docs" / "evaluation.md"
PLOTS = DOCUMENT.parent / "evaluation"
FIGURES = re.compile(r"(<!-- figures:[^\n]*-->\n).*?(<!-- end of figures -->)", re.DOTALL)
OWN: Mapping[str, Part] = {f"own-{part}": part for part in PARTS}
Row = Mapping[str, Any]


def write(folder: Path) -> list[str]:
    """Puts tables and plots into docs/evaluation.md.

    Args:
        folder: of the results.

    Returns:
        What was written, a line each.
    """
    from evaluation import plots  # noqa: PLC0415 (matplotlib is in the extra `eval` alone)

    drawn = plots.draw(own(folder), foreign(folder), PLOTS)
    pictures = "".join(f"![{path.stem}](evaluation/{path.name})\n\n" for path in drawn)
    text = DOCUMENT.read_text(encoding="utf-8")
    changed = FIGURES.sub(lambda match: f"{match[1]}\n{tables(folder)}{pictures}{match[2]}", text)
    DOCUMENT.write_text(changed, encoding="utf-8")
    return [f"{path.relative_to(results.ROOT)} is written." for path in (DOCUMENT, *drawn)]


def own(folder: Path) -> dict[str, dict[str, list[Outcome]]]:
    """Set -> planner -> outcomes, of our own requests."""
    found = results.known(folder)
    return {
        name: {
            system: own_outcomes(kept.rows(), load_cases(OWN[name])) for system, kept in _in_order(found[name]).items()
        }
        for name in OWN
        if name in found
    }


def foreign(folder: Path) -> dict[str, dict[str, list[ForeignOutcome]]]:
    """Set -> planner -> outcomes, of other people's tools."""
    return {
        name: {
            system: foreign_outcomes(kept.rows(), workloads.load(name.removesuffix("-with-history")))
            for system, kept in _in_order(systems).items()
        }
        for name, systems in results.known(folder).items()
        if name not in OWN
    }


def _in_order(systems: Mapping[str, results.Results]) -> dict[str, results.Results]:
    """Planners as they are named, what is without a part behind the whole."""
    known = list(SYSTEMS)

    def place(name: str) -> tuple[int, str]:
        first = name.split(" without ", maxsplit=1)[0]
        return (known.index(first) if first in known else len(known), name)

    return {name: systems[name] for name in sorted(systems, key=place)}


def tables(folder: Path) -> str:
    """Everything that has results, as Markdown."""
    blocks = [
        block
        for name, systems in own(folder).items()
        for block in (
            f"### Our own requests, the {OWN[name]} part",
            _verdicts(systems),
            _kinds(systems),
            _costs(systems),
        )
    ]
    for name, systems in foreign(folder).items():
        blocks += [f"### Other people's tools: {name}", _graphs(systems)]
    return "".join(f"{block}\n\n" for block in blocks) or "There are no results yet.\n\n"


def _verdicts(systems: Mapping[str, Sequence[Outcome]]) -> str:
    head = ["planner", "n", *(f"right, {lang}" for lang in LANGUAGES), "right", "95%", *VERDICTS[1:]]
    return _table(head, [_verdict_row(name, outcomes) for name, outcomes in systems.items() if outcomes])


def _verdict_row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    right = sum(outcome.judged.verdict == "right" for outcome in outcomes)
    low, high = interval(right, len(outcomes))
    languages = [_percent(share([one for one in outcomes if one.case.lang == lang], "right")) for lang in LANGUAGES]
    counts = [str(sum(one.judged.verdict == verdict for one in outcomes)) for verdict in VERDICTS[1:]]
    span = f"{100 * low:.0f} to {100 * high:.0f}%"
    return [name, str(len(outcomes)), *languages, _percent(right / len(outcomes)), span, *counts]


def _kinds(systems: Mapping[str, Sequence[Outcome]]) -> str:
    rows = [
        [name, *(_percent(share([one for one in outcomes if one.case.kind == kind], "right")) for kind in KINDS)]
        for name, outcomes in systems.items()
    ]
    return _table(["right by kind", *KINDS], rows)


def _costs(systems: Mapping[str, Sequence[Outcome]]) -> str:
    head = ["planner", "build", "tokens read", "tokens written", "seconds", "95% within", "longest", "load"]
    rows = {name: [one.row for one in outcomes] for name, outcomes in systems.items()}
    beside = rows.get(EARLIER, [])
    more = [f"tokens written × {EARLIER}", f"seconds × {EARLIER}"] if beside else []
    return _table([*head, *more], [[name, *_cost(its), *_times(its, beside)] for name, its in rows.items()])


def _times(rows: Sequence[Row], beside: Sequence[Row]) -> list[str]:
    """Median tokens and seconds as multiples of another planner's, on the requests that both have planned."""
    if not beside:
        return []
    common = {row["id"] for row in rows} & {row["id"] for row in beside}
    its, others = ([row for row in each if row["id"] in common] for each in (rows, beside))
    tokens = ratio(middle(row["written"] for row in its), middle(row["written"] for row in others))
    return [_number(tokens, 2), _number(ratio(middle(warm_seconds(its)), middle(warm_seconds(others))), 2)]


def _cost(rows: Sequence[Row]) -> list[str]:
    seconds = warm_seconds(rows)
    return [
        ", ".join(sorted({row["build"] for row in rows})),
        _number(middle(row["read"] for row in rows), 0),
        _number(middle(row["written"] for row in rows), 0),
        _number(middle(seconds), 1),
        _number(quantile(seconds, 0.95), 1),
        _number(quantile(seconds, 1.0), 1),
        _number(middle(row["load"] for row in rows), 1),
    ]


def _graphs(systems: Mapping[str, Sequence[ForeignOutcome]]) -> str:
    head = ["planner", "n", "node F1", "link F1", "exact", "valid", "shape", "tokens written", "seconds", "longest"]
    return _table(head, [_graph_row(name, outcomes) for name, outcomes in systems.items() if outcomes])


def _graph_row(name: str, outcomes: Sequence[ForeignOutcome]) -> list[str]:
    cost = _cost([one.row for one in outcomes])
    return [
        name,
        str(len(outcomes)),
        _number(mean(one.node for one in outcomes), 2),
        _number(mean(one.link for one in outcomes), 2),
        _percent(mean(one.exact for one in outcomes)),
        _percent(mean(one.valid for one in outcomes)),
        _percent(mean(one.shape for one in outcomes)),
        cost[2],
        cost[3],
        cost[5],
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
