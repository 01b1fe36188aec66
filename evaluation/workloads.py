"""Public sets of requests to tools that are not ours, read from a folder beside the checkout; the repo holds none.

`taskbench_<domain>_tools.json` with `taskbench_requests.jsonl` (TaskBench, microsoft/JARVIS), and `bfcl_sample.jsonl`
(Berkeley Function Calling Leaderboard). A row of requests may carry the published plan as
`steps: [{"id", "tool", "depends_on"}]`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from agent.contracts import PastPlan, TaskCard
from agent.tool_lists import cards_from
from evaluation.graph_scores import Graph

ROOT = Path(__file__).resolve().parents[1]
VARIABLE = "AURA_WORKLOADS"


@dataclass(frozen=True, slots=True)
class Foreign:
    """One request to tools that are not ours.

    Attributes:
        id: unique in its set.
        request: the words.
        cards: the tools.
        graph: the published plan; None where none is.
        kind: single, chain or dag as published; empty where that is not told.
        group: requests of one group have the same tools, so each can learn from the others' plans.
        steps: the published plan as a past plan is written.
    """

    id: str
    request: str
    cards: Sequence[TaskCard]
    graph: Graph | None = None
    kind: str = ""
    group: str = ""
    steps: Sequence[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def folder() -> Path | None:
    """Where the sets are: what AURA_WORKLOADS names, else `../shared/workloads` beside the checkout; None without."""
    named = os.environ.get(VARIABLE)
    place = Path(named).expanduser() if named else ROOT.parent / "shared" / "workloads"
    return place if place.is_dir() else None


def load(name: str) -> list[Foreign]:
    """The requests of one set, empty if it is not there.

    Args:
        name: taskbench or bfcl.
    """
    place = folder()
    if place is None:
        return []
    return list({"taskbench": _taskbench, "bfcl": _bfcl}[name](place))


def past_of(one: Foreign, everything: Sequence[Foreign]) -> list[PastPlan]:
    """The plans of all other requests to the same tools."""
    return [
        PastPlan(request=other.request, steps=list(other.steps))
        for other in everything
        if other.group and other.group == one.group and other.id != one.id and other.steps
    ]


def _taskbench(place: Path) -> Iterator[Foreign]:
    @cache
    def cards(domain: str) -> Sequence[TaskCard]:
        return _taskbench_cards(json.loads((place / f"taskbench_{domain}_tools.json").read_text(encoding="utf-8")))

    for row in _rows(place / "taskbench_requests.jsonl"):
        steps = cast("list[Mapping[str, Any]]", row.get("steps") or [])
        yield Foreign(
            id=f"{row['domain']}-{row['id']}",
            request=row["request"],
            cards=cards(row["domain"]),
            graph=_graph(steps) if steps else None,
            kind=row.get("type", ""),
            group=row["domain"],
            steps=_written(steps),
        )


def _taskbench_cards(document: Mapping[str, Any]) -> list[TaskCard]:
    """TaskBench's own form: {"nodes": [{"id", "desc", "parameters" or "input-type"}]}."""
    return cards_from([_function(node) for node in document["nodes"]])[0]


def _function(node: Mapping[str, Any]) -> dict[str, Any]:
    named: list[Mapping[str, Any]] = node.get("parameters", [])
    properties: dict[str, Any] = {one["name"]: {"type": "string", "description": one["desc"]} for one in named}
    kinds: list[str] = node.get("input-type", [])
    for place, kind in enumerate(kinds):
        name = kind if kinds.count(kind) == 1 else f"{kind}{kinds[: place + 1].count(kind)}"
        properties[name] = {"type": "string"}
    results: list[str] = node.get("output-type", [])
    return {
        "name": node["id"],
        "description": node["desc"],
        "parameters": {"type": "object", "properties": properties, "required": list(properties)},
        **({"returns": {"type": "string", "description": ", ".join(results)}} if results else {}),
    }


def _graph(steps: Sequence[Mapping[str, Any]]) -> Graph:
    tools: dict[str, str] = {str(step["id"]): str(step["tool"]) for step in steps}
    links = {(tools[str(need)], str(step["tool"])) for step in steps for need in step.get("depends_on", [])}
    return Graph(list(tools.values()), links)


def _written(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A published plan as past plans are written: references by place; what else an input held is not published."""
    places = {str(step["id"]): number for number, step in enumerate(steps, start=1)}
    return [
        {
            "task": str(step["tool"]),
            "inputs": {f"input{place}": f"${{s{places[str(need)]}}}" for place, need in enumerate(step["depends_on"])},
        }
        for step in steps
    ]


def _bfcl(place: Path) -> Iterator[Foreign]:
    """The rows with one turn: their calls are independent, so no result reaches another call."""
    for row in _rows(place / "bfcl_sample.jsonl"):
        if "function" not in row:
            continue
        calls = [name for call in row["ground_truth"] for name in call]
        request = " ".join(str(message["content"]) for message in row["question"][0])
        yield Foreign(row["id"], request, cards_from(row["function"])[0], Graph(calls, ()), "dag", "")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)
