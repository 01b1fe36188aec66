"""A task that was edited while it waited: what was done is found again where it stands now, and is not repeated."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from aura_core.engine.shape import Shape, shape_of
from aura_core.language.source import Source
from aura_core.language.task import TaskDefinition, TaskFile
from tests.fixtures.crashing import ACTIONS, World, life
from tests.fixtures.project import Project

ZERO = "- {action: write, params: {name: zero}}\n"
FIRST = "- {action: write, params: {name: first}}\n"
ASK = "- {ask: Go on?}\n"
SEEN = """
from typing import Any
from aura_core.api import action, requires_services

class Seen:
    number = 0

@action("glimpse", inline=True)
@requires_services(world="world")
def glimpse(world: Any) -> Any:
    seen = Seen()
    seen.number = len(world.entries)
    return seen
"""


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("p/actions/world.py", ACTIONS)
    project.task("part", "meta: {inputs: {n: {}}}\nsteps: [{action: write, params: {name: 'part {{ inputs.n }}'}}]")
    return project


async def edited(lab: Project, before: str, *after: str) -> World:
    """What happens when a task waits at a question, is edited once or more often, and is answered in the end."""
    world = World()
    lab.task("t", f"steps:\n{dedent(before)}")
    assert await life(lab, world) is None
    for text in after:
        lab.task("t", f"steps:\n{dedent(text)}")
        if text is after[-1]:
            world.answers |= {"Go on?": "yes", "Go on now?": "yes"}
        result = await life(lab, world)
    assert result is not None
    assert result.ok, result.error
    return world


BLOCKS = {
    "a loop": "- {for: [a, b], do: [{action: write, params: {name: '{{ item }}'}}]}\n",
    "a loop side by side": "- {for: [a], parallel: 2, do: [{action: write, params: {name: '{{ item }}'}}]}\n",
    "branches": "- parallel: [[{action: write, params: {name: a}}], [{action: write, params: {name: b}}]]\n",
    "another task": "- {run_task: part, pass_params: {n: 1}}\n",
    "a branch of if": "- {if: '{{ true }}', then: [{action: write, params: {name: a}}]}\n",
    "the time": "- {action: write, params: {name: '{{ now() }}'}}\n",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("inserted", [ZERO, "- {set: {at: '{{ now() }}'}}\n", *BLOCKS.values()])
async def test_a_step_inserted_before_what_was_done_repeats_nothing(lab, block, inserted):
    alone = await edited(lab, block + ASK, block + ASK)
    what = await edited(lab, inserted + ASK, inserted + ASK)
    world = await edited(lab, block + ASK, inserted + block + ASK)
    assert len(world.happened) == len(alone.happened) + len(what.happened)
    assert len(world.asked) == 1, "the question that waits is found again too"


@pytest.mark.parametrize(
    ("before", "after", "happened"),
    [
        pytest.param(FIRST + ZERO + ASK, ZERO + FIRST + ASK, ["first", "zero"], id="reordered"),
        pytest.param(FIRST + ASK, ASK + FIRST, ["first"], id="moved behind the question"),
        pytest.param(FIRST + ASK + FIRST, ASK + FIRST + ZERO, ["first", "first", "zero"], id="one of two taken out"),
        pytest.param(FIRST + ASK, FIRST + FIRST + ASK, ["first", "first"], id="doubled"),
        pytest.param(
            FIRST + ASK, "- {if: '{{ true }}', then: [{action: write, params: {name: first}}]}\n" + ASK, ["first"],
            id="put under a condition",
        ),
        pytest.param(
            FIRST + ASK, "- {action: flaky, params: {name: first}, continue_on_failure: true}\n" + ASK,
            ["first", "first"], id="another action in its place",
        ),
        pytest.param(
            "- {id: mail, action: write, params: {name: first}}\n" + ASK,
            "- {ask: Go on?}\n- {id: mail, action: write, params: {name: first}, output_to: x, retry: {attempts: 2}}\n",
            ["first"], id="an id, and other keys",
        ),
        pytest.param(
            FIRST + ASK, "- {id: new, action: write, params: {name: first}}\n" + ASK, ["first"], id="given an id"
        ),
        pytest.param(
            "- parallel: [[{action: write, params: {name: a}}], [{action: write, params: {name: b}}]]\n" + ASK,
            "- parallel:\n    - [{action: write, params: {name: new}}]\n    - [{action: look}, {action: write, params: "
            "{name: a}}]\n    - [{action: write, params: {name: b}}, {action: write, params: {name: then}}]\n" + ASK,
            ["a", "b", "new", "then"], id="a branch more, and longer ones",
        ),
        pytest.param(
            "- {for: [a, b], do: [{action: write, params: {name: '{{ item }}'}}]}\n" + ASK,
            "- {for: [c, b, a], do: [{action: look}, {action: write, params: {name: '{{ item }}'}}]}\n" + ASK,
            ["a", "b", "c"], id="a longer loop over another list",
        ),
    ],
)  # fmt: skip
async def test_what_was_done_is_found_where_it_stands_now(lab, before, after, happened):
    world = await edited(lab, before, after)
    assert sorted(world.happened) == sorted(happened)
    assert len(world.asked) == 1


REWORDED = "- {ask: Go on now?}\n"


@pytest.mark.parametrize(
    ("before", "after", "happened"),
    [
        pytest.param(FIRST + ASK + FIRST, REWORDED + FIRST, ["first", "first"], id="the first of two taken out"),
        pytest.param(FIRST + ASK + FIRST, FIRST + REWORDED, ["first"], id="the second of two taken out"),
        pytest.param(FIRST + ASK + FIRST, REWORDED + FIRST + FIRST, ["first", "first"], id="the first moved behind"),
        pytest.param(FIRST + ASK, REWORDED + FIRST, ["first"], id="the only one moved behind"),
        pytest.param(ASK + FIRST, FIRST + REWORDED, ["first"], id="one to come moved before"),
        pytest.param(
            FIRST + ZERO + ASK + FIRST, REWORDED + FIRST + ZERO, ["first", "first", "zero"], id="two at once"
        ),
        pytest.param(FIRST + ASK + FIRST, FIRST, ["first", "first"], id="one of two, and nobody can tell which"),
        pytest.param(
            FIRST + "- {id: q, ask: Go on?}\n" + FIRST, FIRST + "- {id: q, ask: Go on now?}\n", ["first"],
            id="with an id",
        ),
        pytest.param(
            "- if: '{{ true }}'\n  then: [{action: write, params: {name: first}}, {ask: Go on?}, "
            "{action: write, params: {name: first}}]\n",
            "- if: '{{ true }}'\n  then: [{ask: Go on now?}, {action: write, params: {name: first}}]\n",
            ["first", "first"], id="inside a block",
        ),
        pytest.param(
            "- {run_task: part, pass_params: {n: 1}}\n" + ASK + "- {run_task: part, pass_params: {n: 1}}\n",
            REWORDED + "- {run_task: part, pass_params: {n: 1}}\n", ["part 1", "part 1"], id="another task",
        ),
    ],
)  # fmt: skip
async def test_a_step_to_come_is_not_taken_for_an_equal_one_that_was_done(lab, before, after, happened):
    assert sorted((await edited(lab, before, after)).happened) == happened


async def test_what_one_edit_took_out_and_the_next_brings_back_stays_done(lab):
    world = await edited(lab, FIRST + ASK + FIRST, REWORDED + FIRST, FIRST + ASK + FIRST)
    assert world.happened == ["first", "first"]


async def test_an_answered_question_is_found_by_its_place_but_none_that_was_never_asked(lab):
    world = World({"Whom?": "Anna"})
    lab.task("t", f"steps:\n- {{ask: Whom?}}\n{FIRST}{ASK}")
    assert await life(lab, world) is None
    lab.task("t", f"steps:\n{FIRST}{REWORDED}- {{ask: Again?}}\n")
    world.answers |= {"Go on now?": "yes", "Again?": "yes"}
    result = await life(lab, world)
    assert result is not None
    assert result.ok, result.error
    assert world.happened == ["first"]
    assert sorted(world.asked.values()) == ["Again?", "Go on now?", "Go on?", "Whom?"]


async def test_a_task_edited_again_and_again_repeats_nothing(lab):
    world = await edited(lab, FIRST + ASK, ZERO + FIRST + ASK, ZERO + ASK, FIRST + ZERO + ASK, ASK + FIRST + ZERO)
    assert world.happened == ["first", "zero"]
    assert len(world.asked) == 1


async def test_an_effect_that_was_done_is_not_done_again_with_other_values(lab):
    lab.write("p/actions/seen.py", SEEN)
    world = World()
    lab.task(
        "t",
        """
        steps:
          - {action: glimpse, output_to: seen}
          - {action: write, params: {name: "{{ seen.number }}"}, output_to: done}
          - {run_task: part, pass_params: {n: "{{ seen.number }}"}}
          - {ask: Go on?}
        returns: "{{ done.name }}"
        """,
    )
    await life(lab, world)
    world.answers["Go on?"] = "yes"
    with capture_logs() as logs:
        result = await life(lab, world)
    assert result is not None
    assert result.result == "0"
    assert world.happened == ["0", "part 0"]
    assert [line["step"] for line in logs if line["event"] == "recorded_with_other_params"] == ["steps[1]", "steps[0]"]


BROKEN_OFF = """
from aura_core.api import Context, action, requires_services

@action("pay", effects="external")
@requires_services(world="world")
async def pay(world, context: Context) -> None:
    await world.happen("paid", context.run.once_key("pay"))
    if "Go on?" not in world.answers:
        world.dead.set()
    await world.happen("and told")
"""


@pytest.mark.parametrize("before", ["", FIRST, "- {action: look}\n"])
async def test_an_effect_that_was_broken_off_has_its_key_again_behind_an_inserted_step(lab, before):
    lab.write("p/actions/pay.py", BROKEN_OFF)
    world = await edited(lab, before + "- {action: pay}\n" + ASK, before + "- {set: {z: 1}}\n- {action: pay}\n" + ASK)
    assert world.happened.count("paid") == 2, "nobody knows how far it came"
    assert list(world.once.values()).count("paid") == 1


some = st.lists(st.sampled_from("xyz"), max_size=4)


def writes(names: list[str]) -> str:
    return "".join(f"- {{action: write, params: {{name: {name}}}}}\n" for name in names)


@settings(max_examples=40, deadline=None)
@given(some, some, some, some, st.sampled_from(["", "first", "second"]))
def test_what_was_done_is_done_once_and_what_was_not_is_done_once(before, behind, now_before, now_behind, reworded):
    """Steps of three kinds are inserted, taken out and moved around a question that waits.

    A step is one that was on the same side of the question, if there is one; else it was moved over.
    """

    async def both_lives() -> World:
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder))
            project.write("p/actions/world.py", ACTIONS)
            world = World({"Whom?": "Anna"})
            project.task("t", f"steps:\n- {{ask: Whom?}}\n{writes(before)}{ASK}{writes(behind)}")
            assert await life(project, world) is None
            whom = "Whom, please?" if reworded == "first" else "Whom?"
            ask = REWORDED if reworded == "second" else ASK
            project.task("t", f"steps:\n- {{ask: '{whom}'}}\n{writes(now_before)}{ask}{writes(now_behind)}")
            world.answers |= {"Go on?": "yes", "Go on now?": "yes", "Whom, please?": "Bert"}
            result = await life(project, world)
            assert result is not None
            assert result.ok, result.error
            return world

    world = asyncio.run(both_lives())
    expected: Counter[str] = Counter(before)
    for name in "xyz":
        stayed = min(before.count(name), now_before.count(name))
        kept = min(behind.count(name), now_behind.count(name))
        moved = min(before.count(name) - stayed, now_behind.count(name) - kept)
        expected[name] += now_before.count(name) + now_behind.count(name) - stayed - moved
    assert Counter(world.happened) == +expected
    assert len(world.asked) == (3 if reworded == "second" else 2), "what was answered is not asked again"


def shape(steps: list[dict], before: Shape | None = None) -> Shape:
    file = TaskFile.model_validate({"steps": steps})
    for index, step in enumerate(file.steps):
        step.settle(("steps", index))
    task = TaskDefinition("p", "t", file, Source("t.yaml", ""))
    return shape_of(task, [list(row) for row in before.rows] if before else ())


step_texts = st.builds(lambda name: {"action": "a", "params": {"n": name}}, st.sampled_from("xyz"))
nested = st.recursive(
    step_texts,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda body: {"for": 2, "do": body}),
        st.lists(st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=3).map(lambda some: {"parallel": some}),
    ),
    max_leaves=6,
)
tasks = st.lists(nested, min_size=1, max_size=5)


@given(tasks, st.lists(tasks, max_size=3))
def test_names_are_unique_and_a_shape_that_comes_back_has_its_names_back(first, between):
    before = now = shape(first)
    for steps in between:
        now = shape(steps, now)
        assert len({row.name for row in now.rows}) == len(now.rows)
        lines = [line for branches in now.branches.values() for line in branches]
        assert len(set(lines)) == len(lines)
    assert shape(first, before) == before
    assert {row.name for row in now.rows} >= {row.name for row in before.rows}


@given(tasks, tasks)
def test_steps_added_at_the_end_or_the_beginning_leave_the_names_of_the_others(steps, more):
    before = shape(steps)
    assert list(shape([*steps, *more], before).names.values())[: len(before.names)] == list(before.names.values())
