"""The small built-in actions: text, JSON, files for authors, log, sleep, fail; and how plans use them in YAML."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from aura_core.errors import ActionError
from aura_core.framework import Framework
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from plans.aura_base.actions import structured, text

from .conftest import PLANS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


# --- text ------------------------------------------------------------------------------------------------------


def test_words_are_counted_as_people_count_them():
    assert text.count("It's a well-known fact:\n3 words, 日本") == {"words": 7, "characters": 35, "lines": 2}
    assert text.count("") == {"words": 0, "characters": 0, "lines": 0}


def test_shortening_cuts_between_words():
    assert text.shorten("one two three four", 12) == "one two…"
    assert text.shorten("short", 10) == "short"
    assert text.shorten("x" * 30, 10) == "xxxxxxxxx…"
    assert text.shorten("abc", 0) == ""


@given(st.text(max_size=200), st.integers(1, 50))
def test_a_shortened_text_is_never_longer_than_asked(body: str, length: int):
    assert len(text.shorten(body, length)) <= length


def test_a_template_takes_names_only():
    assert text.fill("Dear {name}, {{not}} {count}", {"name": "Ann {count}", "count": 2}) == "Dear Ann {count}, {not} 2"
    with pytest.raises(ActionError, match=r"\{nme\} has no value; values given: name"):
        text.fill("Dear {nme}", {"name": "Ann"})
    with pytest.raises(ActionError, match="has no value"):
        text.fill("{name.__class__}", {"name": "Ann"})


def test_splitting_and_joining():
    assert text.split("a, b,c", ",") == ["a", " b", "c"]
    assert text.split(" a  b ") == ["a", "b"]
    assert text.lines("a\n\n  b \n") == ["a", "b"]
    assert text.join(["a", 1, True], "-") == "a-1-True"
    assert text.slice_text("abcdef", 1, -1) == "bcde"
    assert text.replace("a-b-c", "-", "+", 1) == "a+b-c"


def test_text_cannot_grow_without_bounds():
    with pytest.raises(ActionError, match="at most 1,000,000"):
        text.replace("a" * 10_000, "a", "b" * 1_000)
    with pytest.raises(ActionError, match="is empty"):
        text.replace("abc", "", "x")


# --- JSON ------------------------------------------------------------------------------------------------------


@given(JSON)
def test_json_comes_back_as_it_was(value: Any):
    assert structured.parse(structured.dump(value)) == value


def test_a_code_fence_around_json_is_no_hindrance():
    assert structured.parse('\ufeff```json\n{"a": [1]}\n```') == {"a": [1]}


@pytest.mark.parametrize(("bad", "place"), [("{", "line 1, column 2"), ('{\n"a": x}', "line 2, column 6")])
def test_broken_json_is_refused_with_its_place(bad: str, place: str):
    with pytest.raises(ActionError, match=place):
        structured.parse(bad)
    with pytest.raises(ActionError, match="more than 100 levels deep"):
        structured.parse("[" * 200_000)


def test_what_is_no_json_is_not_written():
    with pytest.raises(ActionError, match="cannot be written"):
        structured.dump({"a": float("nan")})


def test_a_path_reaches_inside():
    value = {"rows": [{"name": "Ann"}, {"name": "Bob"}], "a b": 1}
    assert structured.get(value, "rows[0].name") == "Ann"
    assert structured.get(value, "rows[-1].name") == "Bob"
    assert structured.get(value, "a b") == 1
    assert structured.get(value, "") == value
    assert structured.get(value, "rows[5]", default=None) is None
    with pytest.raises(ActionError, match=r"no 'rows\[5\]'"):
        structured.get(value, "rows[5].name")
    with pytest.raises(ActionError, match="cannot read the path"):
        structured.get(value, "rows[x]")


@given(OBJECTS, OBJECTS)
def test_merging_keeps_both_and_the_second_wins(first: dict[str, Any], second: dict[str, Any]):
    before = json.dumps([first, second])
    merged = structured.merge(first, second)
    assert set(merged) == set(first) | set(second)
    assert all(merged[key] == value for key, value in second.items() if not isinstance(value, dict))
    assert all(merged[key] == value for key, value in first.items() if key not in second)
    assert json.dumps([first, second]) == before


# --- in YAML ---------------------------------------------------------------------------------------------------

TASKS = """
greet:
  steps:
    - action: text.fill
      params: {template: "Hello {name}", values: {name: "{{ inputs.name }}"}}
      output_to: greeting
    - action: text.upper
      params: {text: "{{ greeting }}"}
      output_to: loud
    - action: log
      params: {message: "{{ loud }}", level: warning}
    - action: sleep
      params: {seconds: 0}
  returns: "{{ loud }}"
  meta: {inputs: {name: {type: string, required: true}}}

nap:
  meta: {inputs: {seconds: {type: number, required: true}}}
  steps:
    - action: sleep
      params: {seconds: "{{ inputs.seconds }}"}

give_up:
  steps:
    - action: fail
      params: {message: "The shop is closed; try tomorrow."}

keep:
  meta: {effects: write}
  steps:
    - action: file.exists
      params: {path: data.json}
      output_to: before
    - action: json.dump
      params: {value: {items: [1, 2]}, indent: null}
      output_to: body
    - action: file.write
      params: {path: data.json, text: "{{ body }}", if_exists: fail}
      output_to: file
    - action: file.read
      params: {path: data.json}
      output_to: back
    - action: json.parse
      params: {text: "{{ back.text }}"}
      output_to: value
    - action: json.get
      params: {value: "{{ value }}", path: "items[1]"}
      output_to: second
  returns: {before: "{{ before.exists }}", second: "{{ second }}", bytes: "{{ file.bytes }}"}
"""


@pytest.fixture
async def shop(tmp_path: Path, files: Path) -> AsyncIterator[Callable[..., Awaitable[TaskResult]]]:
    """A plan of an author, beside the built-in ones."""
    folder = tmp_path / "plans" / "shop"
    (folder / "tasks").mkdir(parents=True)
    (folder / "plan.yaml").write_text("name: shop\n")
    (folder / "tasks" / "shop.yaml").write_text(TASKS)
    settings = {"aura_base": {"limits": {"sleep_seconds": 5, "file_bytes": 100}}}
    async with Framework([PLANS, folder.parent], tmp_path / "data", settings=settings) as framework:
        assert framework.problems == []

        async def run(task: str, **inputs: Any) -> TaskResult:
            info = RunInfo(corr_id="r1", session_id="s1", files_folder=files)
            return await framework.submit(Tasklet(f"shop/{task}", inputs, run=info))

        yield run


async def test_another_plan_uses_the_built_in_actions_by_their_names(shop):
    with structlog.testing.capture_logs() as logs:
        result = await shop("greet", name="Ann")
    assert (result.status, result.result) == ("success", "HELLO ANN")
    line = next(each for each in logs if each["event"] == "HELLO ANN")
    assert (line["log_level"], line["plan"], line["corr_id"]) == ("warning", "shop", "r1")


async def test_a_sleep_is_bounded_by_the_setting_of_the_built_in_plan_and_can_be_cancelled(shop):
    too_long = await shop("nap", seconds=6)
    assert too_long.error is not None
    assert "0 to 5 seconds" in too_long.error.message
    sleeping = asyncio.create_task(shop("nap", seconds=5))
    await asyncio.sleep(0.1)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping


async def test_a_task_can_fail_on_purpose(shop):
    result = await shop("give_up")
    assert result.status == "error"
    assert result.error.message == "The shop is closed; try tomorrow."


async def test_files_and_json_go_together(shop, files: Path):
    result = await shop("keep")
    assert (result.status, result.result) == ("success", {"before": False, "second": 2, "bytes": 17}), result.error
    assert (files / "data.json").read_text() == '{"items": [1, 2]}'
    (files / "data.json").write_text("other")
    again = await shop("keep")
    assert "a file data.json already" in again.error.message


async def test_size_limits_hold_in_both_directions(shop, files: Path):
    (files / "data.json").write_text("x" * 101)
    result = await shop("keep")
    assert "already" in result.error.message or "at most 100" in result.error.message
    assert (files / "data.json").read_text() == "x" * 101
