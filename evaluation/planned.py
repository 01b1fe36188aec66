"""What a planner made of a request, in the one form that is scored: steps with names, inputs and what they need."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][\w-]*)")


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Attributes:
        id: unique in the plan.
        name: the task, or `llm`, `ask_user`, `agent`.
        given: everything that it is given, as one JSON text.
        needs: ids of the steps whose results reach it, or after which it runs.
        refers: ids of the steps that its inputs name.
        inputs: names of its inputs.
        effects: read, write or external.
        confirmed: whether the person must allow it first, whatever it does.
    """

    id: str
    name: str
    given: str = "{}"
    needs: frozenset[str] = frozenset()
    refers: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    effects: str = "read"
    confirmed: bool = False


@dataclass(frozen=True)
class Planned:
    """A whole plan.

    Attributes:
        steps: in the order of the plan.
        unserved: what the planner says that it leaves out.
    """

    steps: Sequence[Step]
    unserved: Sequence[str] = field(default_factory=list[str])

    @cached_property
    def reach(self) -> Mapping[str, frozenset[str]]:
        """Step -> every step that comes before it, near or far."""
        needs = {step.id: step.needs for step in self.steps}
        before: dict[str, frozenset[str]] = {}
        for step in self.steps:
            found: set[str] = set()
            waiting = list(step.needs)
            while waiting:
                name = waiting.pop()
                if name in needs and name not in found:
                    found.add(name)
                    waiting += needs[name]
            before[step.id] = frozenset(found)
        return before


def planned_from(document: Mapping[str, Any]) -> Planned:
    """Reads the JSON document of a plan, as `aura plan --json` prints it."""
    steps = [_step(cast("Mapping[str, Any]", raw)) for raw in document.get("steps", [])]
    unserved = [*document.get("unserved", []), *document.get("notes", [])]
    return Planned(steps, [str(line) for line in unserved])


def _step(raw: Mapping[str, Any]) -> Step:
    told = {"instruction": raw.get("instruction", ""), "question": raw.get("question", "")}
    inputs: Mapping[str, Any] = raw.get("inputs") or {}
    given = json.dumps({**{name: words for name, words in told.items() if words}, **inputs}, ensure_ascii=False)
    refers = frozenset(REFERENCE.findall(given))
    return Step(
        id=str(raw["id"]),
        name=str(raw.get("task") or raw.get("kind") or "llm"),
        given=given,
        needs=refers | frozenset(raw.get("depends_on", [])),
        refers=refers,
        inputs=frozenset(inputs),
        effects=str(raw.get("effects", "read")),
        confirmed=bool(raw.get("confirm")),
    )
