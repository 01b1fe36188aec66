"""The report: tables for people, one JSON document for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.case import AURA, FLOOR
from benchmarks.runner import Outcome, Row, Table, Verdict

NAME_WIDTH = 30
FIGURE_WIDTH = 11


def header(
    machine: Mapping[str, object], versions: Mapping[str, str], missing: Sequence[str], taken: str, rounds: int
) -> str:
    """What stands above all tables."""
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}",
        f"{machine['python']}; {taken}",
        "with " + ", ".join(f"{name} {number}" for name, number in versions.items()),
        f"Each figure is the median of {rounds} rounds in which the contestants took turns.",
    ]
    if missing:
        lines.append(
            f"Not installed here, so left out: {', '.join(missing)}. `make bench` installs them and runs this."
        )
    if machine["busy"]:
        lines.append(f"TAKEN UNDER LOAD: {machine['load_at_start']} tasks a core ran here before this began.")
    return "\n".join(lines)


def text(outcome: Outcome) -> str:
    """The tables and verdicts of one case, for people."""
    blocks = [f"\n== {outcome.case.name}: {outcome.case.title} ({outcome.seconds:.1f} s)"]
    blocks += [_table(table) for table in outcome.tables]
    blocks += [_verdict(verdict) for verdict in outcome.verdicts]
    return "\n".join(blocks)


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many targets were met, and which were not."""
    verdicts = [verdict for outcome in outcomes for verdict in outcome.verdicts]
    missed = [verdict for verdict in verdicts if verdict.met is False]
    met = sum(verdict.met is True for verdict in verdicts)
    judged = met + len(missed)
    lines = [f"{met} of {judged} targets met", *(_verdict(verdict) for verdict in missed)] if judged else []
    if judged < len(verdicts):
        lines.append(f"{len(verdicts) - judged} targets not judged: they speak of the full size, with all peers")
    return "\n".join(["", *lines])


def document(
    machine: Mapping[str, object],
    versions: Mapping[str, str],
    outcomes: Sequence[Outcome],
    **how: object,
) -> dict[str, Any]:
    """Everything as one JSON value: {taken, rounds, size, missing, machine, versions, cases: [{case, title, …}]}.

    Args:
        machine: from `machine.describe`.
        versions: from `machine.versions`.
        outcomes: one a case.
        how: when and how it was taken, and without whom: `taken`, `rounds`, `size`, `missing`.
    """
    return {
        **how,
        "machine": dict(machine),
        "versions": dict(versions),
        "cases": [_case(outcome) for outcome in outcomes],
    }


def _case(outcome: Outcome) -> dict[str, Any]:
    return {
        "case": outcome.case.name,
        "title": outcome.case.title,
        "seconds": round(outcome.seconds, 3),
        "series": [
            {
                "name": table.series.name,
                "unit": table.series.unit,
                "more_is_better": table.series.more_is_better,
                "contestants": [_row(row, table.rows) for row in table.rows],
            }
            for table in outcome.tables
        ],
        "targets": [
            {"text": verdict.text, "limit": verdict.limit, "measured": verdict.measured, "met": verdict.met}
            for verdict in outcome.verdicts
        ],
    }


def _row(row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "name": row.name,
        "median": row.median,
        "rounds": row.rounds,
        "failure": row.failure or None,
        "to_floor": _ratio(row, rows, FLOOR),
        "to_aura": _ratio(row, rows, AURA),
    }


def _ratio(row: Row, rows: Sequence[Row], name: str) -> float | None:
    other = next((other.median for other in rows if other.name == name), None)
    return row.median / other if row.median is not None and other else None


def _table(table: Table) -> str:
    more = ", more is better" if table.series.more_is_better else ""
    columns = ("median", "least", "most", "× floor", "× Aura")
    head = "".join(f"{column:>{FIGURE_WIDTH}}" for column in columns)
    lines = [f"\n{table.series.name} ({table.series.unit}{more})", f"  {'':<{NAME_WIDTH}}{head}"]
    for row in table.rows:
        if row.median is None:
            lines.append(f"  {row.name:<{NAME_WIDTH}}  failed: {row.failure}")
            continue
        cells = (row.median, min(row.rounds), max(row.rounds))
        ratios = (_ratio(row, table.rows, FLOOR), _ratio(row, table.rows, AURA))
        shown = "".join(f"{_number(cell):>{FIGURE_WIDTH}}" for cell in (*cells, *ratios))
        lines.append(f"  {row.name:<{NAME_WIDTH}}{shown}")
    return "\n".join(lines)


def _verdict(verdict: Verdict) -> str:
    if verdict.measured is None:
        return f"  not measured: {verdict.text}"
    word = {True: "met", False: "MISSED", None: "not judged"}[verdict.met]
    return f"  {word}: {verdict.text}: {_number(verdict.measured)}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if value == 0:
        return "0"
    for least, form in ((1000, "{:,.0f}"), (100, "{:.0f}"), (10, "{:.1f}"), (1, "{:.2f}")):
        if abs(value) >= least:
            return form.format(value)
    return f"{value:.3f}"
