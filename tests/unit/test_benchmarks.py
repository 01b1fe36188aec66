"""The benchmarks run: every case does its work, the report has its shape, targets are judged."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from benchmarks import peers, runner
from benchmarks.__main__ import main
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, figure, ratio
from benchmarks.cases import CASES
from benchmarks.graphs import Graph, random_graph
from benchmarks.runner import run_case

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def untidied(request, monkeypatch):
    """What is measured here is made up: tidying the memory of a whole suite each time would take the longest."""
    if "slow" not in request.keywords:
        monkeypatch.setattr(runner, "_tidy", lambda: None)


def _fixed(name, *values):
    left = list(values)

    async def measure():
        value = left.pop(0)
        if isinstance(value, Exception):
            raise value
        return value

    return Contestant(name, measure)


def _case(*contestants, targets=()):
    @asynccontextmanager
    async def prepare(_size):
        yield [Series("s", "µs", contestants)]

    return Case("made-up", "a case of this test", prepare, targets)


async def _run(case, size=1.0, rounds=1):
    return await run_case(case, Size(size), rounds, lambda _line: None)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.slow
async def test_every_case_runs_and_every_contestant_does_the_work(name):
    outcome = await _run(CASES[name], size=0.01)
    rows = [row for table in outcome.tables for row in table.rows]
    assert [row.failure for row in rows] == [""] * len(rows)
    assert AURA in {row.name for row in rows}
    assert {verdict.met for verdict in outcome.verdicts} <= {None}
    unmeasured = {verdict.text for verdict in outcome.verdicts if verdict.measured is None}
    beside_others = {figure.text for figure in CASES[name].targets if name in ("start", "first_answer")}
    assert unmeasured <= {"at most a third of pypyr's", *beside_others}


@pytest.mark.slow
def test_the_json_document_has_its_shape():
    command = [sys.executable, "-m", "benchmarks", "--case", "fork", "--json", "--size", "0.01", "--rounds", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    document = json.loads(done.stdout)
    assert document.keys() == {"taken", "rounds", "size", "missing", "machine", "versions", "cases"}
    assert document["machine"]["cores"] >= 1
    (case,) = document["cases"]
    assert case.keys() == {"case", "title", "seconds", "series", "targets"}
    (series,) = case["series"]
    assert series.keys() == {"name", "unit", "more_is_better", "contestants"}
    ours = next(row for row in series["contestants"] if row["name"] == AURA)
    assert ours.keys() == {"name", "median", "rounds", "failure", "to_floor", "to_aura"}
    assert len(ours["rounds"]) == 2
    assert ours["to_aura"] == 1
    assert case["targets"][0].keys() == {"text", "limit", "measured", "met"}


def test_an_unknown_case_is_refused_with_the_names_that_exist(capsys):
    assert main(["--case", "lops"]) == 2
    error = capsys.readouterr().err
    assert "'lops'" in error
    assert all(name in error for name in CASES)


def test_the_cases_can_be_listed(capsys):
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(CASES)


async def test_figures_are_medians_of_rounds_taken_in_turns():
    order = []

    def noting(name):
        async def measure():
            order.append(name)
            return float(len(order))

        return Contestant(name, measure)

    outcome = await _run(_case(noting(FLOOR), noting(AURA)), rounds=3)
    assert order == [FLOOR, AURA, AURA, FLOOR, FLOOR, AURA]
    assert [row.median for row in outcome.tables[0].rows] == [4.0, 3.0]


async def test_a_contestant_that_breaks_hides_nobody():
    outcome = await _run(_case(_fixed(FLOOR, 1.0, ValueError("gone")), _fixed(AURA, 2.0, 2.0)), rounds=2)
    floor, ours = outcome.tables[0].rows
    assert (floor.median, floor.failure) == (None, "ValueError: gone")
    assert ours.median == 2.0


def test_a_peer_that_is_not_installed_is_named_with_what_to_do(monkeypatch, capsys):
    monkeypatch.setitem(peers.MODULES, "pypyr", "no_such_module")
    assert peers.peer("pypyr", "steps", 2) == []
    monkeypatch.setitem(CASES, "made-up", _case(_fixed(AURA, 2.0)))
    assert main(["--case", "made-up", "--rounds", "1"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Not installed")]
    assert "pypyr" in line
    assert "make bench" in line


async def test_a_peer_that_cannot_begin_fails_alone(monkeypatch):
    monkeypatch.setitem(peers.MODULES, "pypyr", "json")
    outcome = await _run(_case(*peers.peer("pypyr", "steps", 2, way="foreach"), _fixed(AURA, 2.0)))
    broken, ours = outcome.tables[0].rows
    assert broken.name == "pypyr, foreach"
    assert "ModuleNotFoundError" in broken.failure
    assert ours.median == 2.0


def test_a_case_at_which_aura_fails_is_no_success(monkeypatch, capsys):
    monkeypatch.setitem(CASES, "made-up", _case(_fixed(AURA, ValueError("gone"))))
    assert main(["--case", "made-up", "--rounds", "1"]) == 1
    assert "failed: ValueError: gone" in capsys.readouterr().out


async def test_targets_are_met_missed_or_not_measured():
    targets = (
        Target("at most 2", 2.0, figure("s")),
        Target("at most 1", 1.0, figure("s")),
        Target("at least 3", 3.0, figure("s"), at_least=True),
        Target("at most twice the floor", 2.0, ratio("s", FLOOR)),
        Target("a peer", 1.0, ratio("s", "pypyr")),
    )
    outcome = await _run(_case(_fixed(FLOOR, 1.0), _fixed(AURA, 2.0), targets=targets))
    assert [verdict.met for verdict in outcome.verdicts] == [True, False, False, True, None]
    small = await _run(_case(_fixed(FLOOR, 1.0), _fixed(AURA, 2.0), targets=targets), size=0.5)
    assert {verdict.met for verdict in small.verdicts} == {None}


def test_a_missed_target_fails_only_when_asked_to(monkeypatch, capsys):
    def missing():
        return _case(_fixed(AURA, 2.0), targets=(Target("at most 1", 1.0, figure("s")),))

    for arguments, code in ((["--strict"], 1), ([], 0)):
        monkeypatch.setitem(CASES, "made-up", missing())
        assert main(["--case", "made-up", "--rounds", "1", *arguments]) == code
        assert "MISSED: at most 1: 2.00" in capsys.readouterr().out


def test_a_random_graph_has_no_circle_and_its_critical_path_is_its_longest_chain():
    graph = random_graph(50)
    assert all(need < node for node, needs in enumerate(graph.needs) for need in needs)
    assert graph.needs == random_graph(50).needs
    assert Graph([[], [0], [0], [1, 2]], [1.0, 2.0, 5.0, 1.0]).critical_path == 7.0
