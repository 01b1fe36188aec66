"""A jump goes to the top-level step that holds its target, from any depth to any depth, and each step runs in order."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aura_core.tasklet import Tasklet
from tests.fixtures.examples import examples
from tests.fixtures.project import Project

WRAPPINGS = ("if", "else", "for", "for side by side", "while", "parallel")
PATHS = st.lists(st.sampled_from(WRAPPINGS), max_size=4)


def wrapped(step: dict[str, Any], path: list[str]) -> dict[str, Any]:
    """The step inside blocks, the first of the path outermost; every block runs it once."""
    for kind in reversed(path):
        step = {
            "if": {"if": True, "then": [step]},
            "else": {"if": False, "then": [{"action": "fail"}], "else": [step]},
            "for": {"for": 1, "do": [step]},
            "for side by side": {"for": 1, "parallel": 2, "do": [step]},
            "while": {"while": True, "do": [step, {"go_step": "after"}]},
            "parallel": {"parallel": [[step], [{"set": {"beside": 1}}]]},
        }[kind]
    return step


@settings(max_examples=examples(60))
@given(source=PATHS, target=PATHS, forward=st.booleans(), last=st.sampled_from(["go", "stop"]))
def test_a_jump_from_any_depth_to_any_depth(source: list[str], target: list[str], forward: bool, last: str):
    note = {"action": "note", "params": {"text": "target"}}
    held = wrapped({"id": "held", "if": True, "then": [note]}, [kind for kind in target if kind != "while"])
    jump = wrapped({"go_step": "held"} if last == "go" else {"stop": "enough"}, source)
    skipped = {"action": "note", "params": {"text": "skipped"}}
    begin = {"id": "begin", "set": {"log": "{{ log if log is defined else [] }}"}}
    if forward:
        steps = [begin, jump, skipped, held]
    else:
        twice = {"go_step": "after", "when": "{{ log | length == 2 }}"}
        steps = [begin, held, twice, jump, skipped]
    steps.append({"id": "after", "set": {"end": True}})
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        project.task("t", yaml.safe_dump({"steps": steps, "returns": "{{ log }}"}))
        result = asyncio.run(_run(project))
    if last == "stop":
        assert (result.status, result.message) == ("stopped", "enough")
    else:
        assert (result.status, result.result) == ("success", ["target"] * (1 if forward else 2)), result.error


async def _run(project: Project) -> Any:
    async with project.running() as framework:
        return await framework.submit(Tasklet("p/t"))
