"""The schema that editors complete and check with: fresh, documented, and of one mind with the loader."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agent.cli import run
from aura_core.language.loader import ROOT_KEYS
from aura_core.language.schema import FILES, language_schema, schema_text
from aura_core.language.source import Source
from aura_core.language.steps import STEP_KINDS
from tests.fixtures.examples import examples

ONLY_THE_LOADER = {"expression", "condition", "cron", "timezone", "resource", "pattern", "input_spec"}
"""What takes more than a schema to see."""
ROOT = Path(__file__).parents[2]
VALIDATORS: dict[str, Callable[[Any], Any]] = {
    kind: fastjsonschema.compile(language_schema(kind), use_default=False) for kind in FILES
}


def fits(kind: str, value: Any) -> bool:
    try:
        VALIDATORS[kind](value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


def refused(kind: str, value: Any) -> set[str]:
    try:
        TypeAdapter(FILES[kind][0]).validate_python(value)
    except ValidationError as error:
        return {detail["type"] for detail in error.errors(include_url=False)}
    return set()


@pytest.mark.parametrize("kind", FILES)
def test_the_copy_in_docs_is_fresh(kind: str):
    path = ROOT / "docs" / "schema" / f"{kind}.json"
    assert path.read_text(encoding="utf-8") == schema_text(kind), (
        f"aura check --schema {kind} > docs/schema/{kind}.json"
    )


def test_the_command_prints_the_schema_that_is_asked_for(capsys: pytest.CaptureFixture[str]):
    assert run(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == language_schema("task")
    assert run(["check", "--schema", "states"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Aura: states"
    assert run(["check", "--schema", "stats"]) == 1
    assert "did you mean 'states'?" in capsys.readouterr().err
    assert run(["check", "--schema", "plan", "task"]) == 1
    assert "one schema" in capsys.readouterr().err.lower()


def _keys(schema: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("additionalProperties") is False:
            yield from schema["properties"].items()
        for part in schema.values():
            yield from _keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _keys(part)


@pytest.mark.parametrize("kind", FILES)
def test_every_key_says_what_it_is_for(kind: str):
    described = [(key, rules.get("description", "")) for key, rules in _keys(language_schema(kind))]
    assert described
    assert [key for key, text in described if len(text) < 8] == []


def test_every_kind_of_step_is_offered():
    step = language_schema("task")["$defs"]["Step"]
    assert set(STEP_KINDS) < set(step["properties"])
    assert len(step["oneOf"]) == len(step["allOf"]) == len(STEP_KINDS)


def _files() -> Iterator[tuple[str, Path]]:
    for folder in [*(ROOT / "plans").iterdir(), *(ROOT / "tests" / "core" / "plans").iterdir()]:
        yield from (("task", path) for path in sorted(folder.glob("tasks/**/*.y*ml")))
        yield from ((kind, folder / f"{kind}.yaml") for kind in FILES if (folder / f"{kind}.yaml").is_file())


@pytest.mark.parametrize(("kind", "path"), [*_files()], ids=str)
def test_the_plans_of_this_house_fit(kind: str, path: Path):
    VALIDATORS[kind](Source.read(path).load())


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ({"steps": []}, True),
        ({"a": {"steps": []}, "b/c": {"steps": [{"stop": 1}]}}, True),
        ({}, False),
        ({"a": 1}, False),
        ({"a b": {"steps": []}}, False),
        ({"a/": {"steps": []}}, False),
        ({"steps": [], "other": {"steps": []}}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_file_is_one_task_or_several(value: Any, right: bool):
    assert fits("task", value) is right


STEP: dict[str, Any] = {"action": "say", "params": {"a": 1}}
EVERYTHING: list[tuple[str, Any]] = [
    ("task", {"steps": [{"action": "a", "params": "{{ x }}", "output_to": "b", "timeout": "1m", "wait_before": 1}]}),
    ("task", {"steps": [{"action": "a", "retry": {"attempts": 3, "delay": "1s", "backoff": 1.5, "on": ["E", 1]}}]}),
    ("task", {"steps": [{"if": "{{ x }}", "then": [STEP], "else": [STEP], "id": 1, "name": "n", "when": True}]}),
    ("task", {"steps": [{"for": 3, "as": "x", "do": [STEP], "parallel": 2, "collect": "c"}]}),
    ("task", {"steps": [{"while": False, "do": [{"while": " {{ a }}\n", "do": [STEP]}], "max_iterations": 5}]}),
    ("task", {"steps": [{"run_task": "a/b/c", "pass_params": {}, "output_to": "é"}, {"go_step": 1}]}),
    ("task", {"steps": [{"go_task": "a", "inputs": {"a": 1}}, {"parallel": [[STEP], []]}]}),
    ("task", {"steps": [{"set": {"a": 1, "_b": [2]}}, {"stop": None}, {"ask": "x", "options": [1], "output_to": "a"}]}),
    (
        "task",
        {
            "meta": {"title": "t", "command": "übung-1", "expose": "no", "effects": "write", "untrusted": True},
            "steps": [],
        },
    ),
    ("task", {"meta": {"inputs": {"a": {"type": "integer", "minimum": 1, "maximum": 2.5}, "b": {}}}, "steps": []}),
    (
        "task",
        {"meta": {"inputs": {"a": {"type": "array", "items": {"type": "object", "properties": {}}}}}, "steps": []},
    ),
    ("task", {"meta": {"timeout": 5, "resources": ["net:4", "disk"], "priority": -1}, "steps": []}),
    ("task", {"meta": {"requires_initial_state": "a/b", "activates_interrupts": ["x"], "on_event": "e"}, "steps": []}),
    ("task", {"meta": {"schedule": {"cron": "0 8 * * *", "timezone": "UTC", "missed": "all"}}, "steps": []}),
    ("task", {"meta": {"schedule": {"every": "15m", "cron": None, "inputs": {"a": 1}}}, "steps": []}),
    ("task", {"steps": [], "returns": 1, "outputs": None, "on_failure": {"steps": [STEP], "recover": "yes"}}),
    ("plan", {"name": "a", "version": 1, "title": "t", "description": "d", "requires": ["b"], "trusted": True}),
    ("plan", {"resources": {"camera": 1}, "ui": {"menu": [1]}}),
    (
        "states",
        {"states": {"a": {"check": "c", "priority": 1, "parallel": True, "verify": {"attempts": 2, "delay": 0}}}},
    ),
    ("states", {"transitions": [{"from": "*", "to": "b", "cost": 0.5, "task": "p/t"}]}),
    ("interrupts", {"low": {"condition": {"action": "a", "params": {}}, "task": "t", "every": 5, "cooldown": 0}}),
    (
        "interrupts",
        {"low": {"condition": {"action": "a"}, "task": "t", "scope": "global", "mode": "beside", "priority": 2}},
    ),
]


@pytest.mark.parametrize(("kind", "value"), EVERYTHING, ids=str)
def test_what_is_right_is_right_for_both(kind: str, value: Any):
    VALIDATORS[kind](value)
    TypeAdapter(FILES[kind][0]).validate_python(value)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield (*path, key)
        yield from _places(part, (*path, key))


odd_scalars = [
    None,
    True,
    0,
    -1,
    7,
    10**9,
    0.5,
    "",
    " ",
    "x",
    "a b",
    "no",
    "5",
    "5m",
    "0s",
    "{{ x }}",
    "loop",
    "a//b",
    "*",
]
odd_parts: list[Any] = [
    [],
    [1],
    {},
    {"x": 1},
    {"action": "a"},
    [{"action": "a"}],
    {"action": "a", "stop": "b"},
    "net:0",
]
odd_values = st.sampled_from(odd_scalars) | st.sampled_from(odd_parts)
odd_keys = st.sampled_from(
    [*STEP_KINDS, "id", "whn", "else_", "as_", "do", "params", "output_to", "minLength", "attempts"]
)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, Any]:
    kind, value = copy.deepcopy(draw(st.sampled_from(EVERYTHING)))
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(list(_places(value)) or [("steps",)]))
        inside = value
        for key in way:
            inside = inside[key]
        change = draw(st.sampled_from(["drop", "replace", "rename", "add"]))
        if change == "replace" or isinstance(inside, list):
            inside[last] = copy.deepcopy(draw(odd_values))
        elif change == "drop":
            inside.pop(last, None)
        elif change == "rename":
            inside[draw(odd_keys)] = inside.pop(last, 1)
        else:
            inside[draw(odd_keys)] = copy.deepcopy(draw(odd_values))
    return kind, value


@settings(max_examples=examples(400))
@given(spoilt())
def test_whatever_is_spoilt_editor_and_loader_say_the_same(sample: tuple[str, Any]):
    kind, value = sample
    assume(kind != "task" or not isinstance(value, dict) or ROOT_KEYS & value.keys())
    refusals = refused(kind, value)
    if fits(kind, value):
        assert refusals <= ONLY_THE_LOADER, value
    else:
        assert refusals, value
