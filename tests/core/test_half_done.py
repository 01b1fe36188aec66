"""What a task did before it failed, stopped or was ended is told, so that nobody does it twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.engine.so_far import results_so_far
from aura_core.expressions import compile_template
from aura_core.ground.half_done import with_done
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.project import Project

KEEP = """
from aura_core.api import action

@action("keep", effects="write", inline=True)
def keep(text: str = "x") -> str:
    return text
"""


@pytest.fixture(autouse=True)
def keeps(project: Project) -> None:
    project.write("p/actions/keep.py", KEEP)


@pytest.mark.parametrize(
    ("task", "done", "said"),
    [
        ("{steps: [{id: save, action: keep}], returns: '{{ nothing }}'}", ("save (p/keep)",), "save (p/keep)."),
        ("{steps: [{action: keep}, {action: fail}]}", ("steps[0] (p/keep)",), "steps[0] (p/keep)."),
        ("{steps: [{name: Keep it, action: keep}, {action: crash}]}", ("Keep it (p/keep)",), "Keep it (p/keep)."),
        (
            "{steps: [{for: 3, do: [{id: save, action: keep}]}, {action: fail}]}",
            ("save (p/keep)",) * 3,
            "save (p/keep) 3 times.",
        ),
        ("{steps: [{run_task: inner}, {action: fail}]}", ("steps[0] (p/keep)",), "steps[0] (p/keep)."),
        (
            "{steps: [{parallel: [[{id: save, action: keep}], [{action: echo}]]}, {go_task: bad}]}",
            ("save (p/keep)",),
            "save (p/keep).",
        ),
        ("{meta: {timeout: 0.2}, steps: [{id: save, action: keep}, {action: sleep, params: {seconds: 9}}]}",
         ("save (p/keep)",), "was ended. Done before that, and not undone: save (p/keep)."),
        ("{steps: [{action: echo}, {action: fail}]}", (), "it broke"),
        ("{steps: [{action: keep, when: '{{ false }}'}, {action: fail}]}", (), "it broke"),
    ],
)  # fmt: skip
async def test_a_failure_names_what_was_done_before_it(project: Project, task: str, done: tuple[str, ...], said: str):
    project.task("inner", "steps: [{action: keep}]")
    project.task("bad", "steps: [{action: fail}]")
    result = await project.run(task)
    assert result.error is not None
    assert result.error.done == done
    assert result.error.message.endswith(said)
    assert ("not undone" in result.error.message) == bool(done)


async def test_what_another_task_of_the_run_did_is_not_told_nor_what_was_recovered(project: Project):
    project.task("well", "{steps: [{action: keep}, {action: fail}], on_failure: {recover: true, steps: []}}")
    project.task("bad", "{steps: [{id: save, action: keep}, {action: fail}]}")
    async with project.running() as framework:
        run = RunInfo(corr_id="r1")
        assert (await framework.submit(Tasklet("p/well", run=run))).ok
        failed = await framework.submit(Tasklet("p/bad", run=run))
        assert failed.error is not None
        assert failed.error.done == ("save (p/keep)",)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30), st.text(max_size=20))
def test_everything_that_was_done_is_told_or_counted(done: list[str], message: str):
    told = with_done(message, done)
    if not done:
        assert told == message
        return
    assert told.startswith(message)
    names = list(dict.fromkeys(done))
    assert all(name in told.removeprefix(message) for name in names[:5])
    assert (f"and {len(names) - 5} more." in told) == (len(names) > 5)


@pytest.mark.parametrize(
    ("returns", "result"),
    [
        ("'{{ rows }}'", [1, 2]),
        ("{rows: '{{ rows }}', later: '{{ later }}', kind: constant}", {"rows": [1, 2]}),
        ("{all: {rows: '{{ rows }}'}, pair: ['{{ rows }}', '{{ later }}']}", {"all": {"rows": [1, 2]}}),
        ("'{{ rows | length }} rows were sent.'", None),
        ("The windows are open.", None),
        ("'{{ later }}'", None),
        ("{later: '{{ later }}'}", None),
    ],
)
async def test_a_stopped_task_gives_the_values_it_has_found_and_no_sentence(project: Project, returns: str, result):
    found = await project.run(f"{{steps: [{{set: {{rows: [1, 2]}}}}, {{stop: enough}}], returns: {returns}}}")
    assert (found.status, found.message, found.result) == ("stopped", "enough", result)


async def test_a_task_that_stops_inside_another_hands_back_what_it_has_found(project: Project):
    project.task("inner", "{steps: [{set: {a: 1}}, {stop: enough}], outputs: {a: '{{ a }}', b: '{{ b }}'}}")
    got = await project.run("{steps: [{run_task: inner, output_to: got}], returns: '{{ got }}'}")
    assert got.result == {"a": 1}


def test_nothing_is_found_of_a_task_that_returns_nothing():
    assert results_so_far(None, {}) is None
    assert results_so_far(compile_template({}), {}) is None
