"""Actions of a recorded task: after a kill, what was done is not done again, and the task takes the same path."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from aura_core.ground.journal import MOMENT, NotKeptError, kept, revived
from aura_core.tasklet import RunInfo
from tests.fixtures.crashing import ACTIONS, World, life
from tests.fixtures.project import Project

MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("p/actions/world.py", ACTIONS)
    return project


async def test_actions_before_a_question_are_not_repeated_after_a_kill_while_it_waits(lab):
    lab.task(
        "t",
        """
        steps:
          - {action: write, params: {name: A}, output_to: a}
          - {ask: "Go on?", output_to: answer}
          - {action: write, params: {name: "B {{ a.name }} {{ a.number }} {{ answer }}"}}
        """,
    )
    world = World()
    assert await life(lab, world) is None
    assert await life(lab, world) is None
    world.answers["Go on?"] = "yes"
    result = await life(lab, world)
    assert result is not None
    assert result.ok
    assert world.happened == ["A", "B A 1 yes"]
    assert len(world.asked) == 1


@pytest.mark.parametrize("killed_after", range(2, 7))
async def test_each_turn_of_a_loop_happens_once(lab, killed_after):
    lab.task("t", "steps: [{for: 5, do: [{action: write, params: {name: '{{ item }}'}}]}]")
    world = World()
    await life(lab, world, dies_after=killed_after)
    assert len(world.happened) == killed_after - 1, "the text of the task is recorded first"
    await life(lab, world)
    assert world.happened == ["0", "1", "2", "3", "4"]


async def test_the_same_thing_done_twice_on_purpose_is_done_twice(lab):
    lab.task("t", "steps: [{for: 3, do: [{action: write, params: {name: same}}]}]")
    world = World()
    await life(lab, world, dies_after=2)
    await life(lab, world)
    assert world.happened == ["same"] * 3
    assert len(world.once) == 3


async def test_a_call_after_recorded_ones_keeps_the_key_of_its_first_attempt(lab):
    lab.task("t", "steps: [{for: 2, do: [{action: write, params: {name: same}}]}]")
    world = World()
    await life(lab, world)
    keys = list(world.once)
    again = World()
    await life(lab, again, dies_after=1)
    await life(lab, again)
    assert list(again.once) == keys


async def test_branches_are_told_apart_whoever_comes_first(lab):
    lab.task(
        "t",
        """
        steps:
          - for: 4
            parallel: 4
            do:
              - {action: sleep, params: {seconds: "{{ 0.01 * (4 - item) }}"}}
              - {action: look, output_to: seen}
              - {action: write, params: {name: "{{ item }} {{ seen }}"}}
              - {action: write, params: {name: "then {{ item }} {{ seen }}"}}
        """,
    )
    world = World()
    await life(lab, world, dies_after=3)
    result = await life(lab, world)
    assert result is not None
    assert result.ok
    assert len(set(world.once.values())) == len(world.once) == 8, "every effect once, from the same look"


async def test_a_recorded_look_leads_the_same_way_again(lab):
    lab.task(
        "t",
        """
        steps:
          - {action: look, output_to: seen}
          - if: "{{ seen % 2 }}"
            then: [{action: write, params: {name: "odd"}}]
            else: [{action: write, params: {name: "even"}}]
          - {action: write, params: {name: "last {{ seen }}"}}
        """,
    )
    world = World()
    await life(lab, world, dies_after=3)
    await life(lab, world)
    assert len(world.happened) == 2


async def test_the_moment_that_an_expression_asked_for_stays(lab, monkeypatch):
    lab.task(
        "t",
        """
        steps:
          - {set: {asked_at: "{{ now() }}"}}
          - {action: write, params: {name: "{{ asked_at }}"}}
          - {ask: "It is {{ asked_at }}. Go on?"}
        returns: "{{ asked_at.year }}"
        """,
    )
    world = World()
    moments = iter([datetime(2026, 1, 1).astimezone(), datetime(2027, 2, 2).astimezone()])
    monkeypatch.setattr("aura_core.ground.replay_key.real_now", lambda: next(moments))
    await life(lab, world)
    (question,) = world.asked.values()
    world.answers[question] = "yes"
    result = await life(lab, world)
    assert result is not None
    assert result.result == 2026
    assert len(world.happened) == len(world.asked) == 1


async def test_each_branch_asks_the_time_for_itself(lab, monkeypatch):
    lab.task(
        "t",
        """
        steps:
          - parallel:
              - - {action: sleep, params: {seconds: 0.02}}
                - {action: write, params: {name: "slow {{ now() }}"}}
              - - {action: write, params: {name: "quick {{ now() }}"}}
          - {ask: "Done?"}
        """,
    )
    moments = (MIDNIGHT + timedelta(days=number) for number in range(9))
    monkeypatch.setattr("aura_core.ground.replay_key.real_now", lambda: next(moments))
    world = World()
    await life(lab, world)
    world.answers["Done?"] = "yes"
    await life(lab, world)
    assert len(world.happened) == 2, "the second life does not wait for the slow one, so it asks in another order"


async def test_an_action_that_succeeded_in_its_third_attempt_is_not_tried_from_the_start_again(lab):
    lab.task(
        "t", "steps: [{action: flaky, params: {name: f}, retry: {attempts: 5}}, {action: write, params: {name: x}}]"
    )
    world = World()
    await life(lab, world, dies_after=1)
    await life(lab, world)
    assert world.happened == ["f", "f", "f", "x"]


ORDER = """
from typing import Any
from aura_core.api import action, requires_services

class Order:
    names: list[str]

@action("order")
@requires_services(world="world")
def order(world: Any) -> Order:
    '''Another one in every life, and none that could be recorded.'''
    made = Order()
    made.names = ["b", "a", "c"] if world.entries else ["a", "b", "c"]
    return made
"""


async def test_a_list_that_is_another_one_after_the_kill_loses_nothing(lab):
    lab.write("p/actions/order.py", ORDER)
    body = "[{action: write, params: {name: '{{ item }}'}}, {action: write, params: {name: told}}]"
    lab.task("t", f"steps: [{{action: order, output_to: order}}, {{for: '{{{{ order.names }}}}', do: {body}}}]")
    world = World()
    await life(lab, world, dies_after=2)
    assert world.happened == ["a"]
    await life(lab, world)
    assert sorted(world.happened) == ["a", "b", "c", "told", "told", "told"]


async def test_tasks_inside_and_tasks_that_follow_are_recorded_too(lab):
    lab.task(
        "sub", "meta: {inputs: {n: {}}}\nsteps: [{action: write, params: {name: 'sub {{ inputs.n }}'}}]\nreturns: 1"
    )
    lab.task("next", "steps: [{action: write, params: {name: next}}, {ask: Done?}]")
    lab.task("t", "steps: [{for: 2, do: [{run_task: sub, pass_params: {n: '{{ item }}'}}]}, {go_task: next}]")
    world = World()
    await life(lab, world, dies_after=1)
    await life(lab, world, dies_after=1)
    await life(lab, world)
    world.answers["Done?"] = "yes"
    await life(lab, world)
    assert world.happened == ["sub 0", "sub 1", "next"]


async def test_files_and_variables_that_a_recorded_action_left_are_there_again(lab):
    lab.task("t", "steps: [{action: keep, params: {name: k}}, {ask: Done?}]\nreturns: '{{ kept }}'")
    world = World()
    await life(lab, world)
    world.answers["Done?"] = "yes"
    result = await life(lab, world)
    assert result is not None
    assert result.result == "k"
    assert [(file.path.name, file.caption) for file in result.attachments] == [("k", "this is k")]
    assert world.happened == ["k"]


async def test_an_effect_whose_result_cannot_be_kept_is_not_repeated_and_says_so(lab):
    lab.task("t", "steps: [{action: handle, params: {name: h}}, {ask: Done?}]")
    world = World()
    await life(lab, world)
    world.answers["Done?"] = "yes"
    result = await life(lab, world)
    assert world.happened == ["h"]
    assert result is not None
    assert result.error is not None
    assert "is not done again" in result.error.message


STATEFUL = """
from typing import Any
from aura_core.api import Context, action, requires_services

@action("bump", effects="write")
@requires_services(world="world")
async def bump(world: Any, context: Context) -> None:
    await world.happen("bump")
    async with context.state.edit() as data:
        data["n"] = data.get("n", 0) + 1

@action("gather", effects="write")
@requires_services(world="world")
async def gather(name: str, world: Any, context: Context) -> None:
    await world.happen(name)
    context.variables["got"].append(name)

@action("made", effects="write")
@requires_services(world="world")
async def made(world: Any) -> object:
    from pathlib import Path
    await world.happen("made")
    return {"path": Path("/a/b"), "names": {"x", "y"}, "raw": b"z"}
"""


@pytest.mark.parametrize("killed_after", range(1, 5))
async def test_what_expressions_saw_of_the_plans_data_they_see_again(lab, killed_after):
    lab.write("p/actions/state.py", STATEFUL)
    lab.task(
        "t",
        """
        steps:
          - {set: {n: "{{ state.get('n', 0) }}", there: "{{ 'n' in state }}", many: "{{ state | length }}"}}
          - {action: write, params: {name: "{{ n }} {{ there }} {{ many }}"}}
          - {action: bump}
          - {action: write, when: "{{ state.n == 1 }}", params: {name: last}, output_to: last}
          - {action: write, params: {name: "{{ last.name }} {{ [1, 2, 3, 4, 5, 6, 7, 8] | random }}"}, output_to: end}
        returns: "{{ end.name }}"
        """,
    )
    world = World()
    result = await life(lab, world, dies_after=killed_after) or await life(lab, world)
    assert result is not None
    assert result.ok, result.error
    assert world.happened == ["0 False 0", "bump", "last", result.result]


async def test_what_an_action_changed_in_place_and_what_json_has_not_come_back(lab):
    lab.write("p/actions/state.py", STATEFUL)
    lab.task(
        "t",
        """
        steps:
          - {set: {got: []}}
          - {action: gather, params: {name: a}}
          - {action: gather, params: {name: b}}
          - {action: made, output_to: made}
          - {ask: Done?}
        returns: ["{{ got }}", "{{ made.path.name }}", "{{ made.names | sort }}", "{{ made.raw | length }}"]
        """,
    )
    world = World()
    await life(lab, world)
    world.answers["Done?"] = "yes"
    result = await life(lab, world)
    assert result is not None
    assert result.result == [["a", "b"], "b", ["x", "y"], 1]
    assert world.happened == ["a", "b", "made"]


async def test_where_there_is_nothing_to_choose_from_the_step_says_so(lab):
    lab.task("t", "steps: [{set: {a: '{{ [] | random }}'}}]")
    result = await life(lab, World())
    assert result is not None
    assert result.error is not None
    assert "nothing to choose from" in result.error.message


async def test_a_task_that_asks_the_same_twice_gets_two_answers(lab):
    lab.task("t", "steps: [{for: 2, do: [{ask: Again?}]}]")
    world = World({"Again?": "yes"})
    await life(lab, world)
    await life(lab, world)
    assert list(world.asked.values()) == ["Again?", "Again?"]


async def test_a_task_that_only_reads_writes_no_entry(lab):
    lab.task("t", "steps: [{for: 50, do: [{action: look}]}]\nreturns: '{{ now() }}'")
    world = World()
    await life(lab, world)
    assert world.writes == 0


async def test_looks_are_recorded_together_with_the_effect_that_follows(lab):
    lab.task("t", "steps: [{for: 50, do: [{action: look}]}, {action: write, params: {name: x}}]")
    world = World()
    await life(lab, world)
    assert world.writes == 2
    assert len([key for key in world.entries if not key.startswith("text")]) == 51


async def test_tasks_of_one_step_are_told_apart_by_their_scope(lab):
    lab.task("t", "steps: [{action: write, params: {name: x}}]")
    world = World()
    await life(lab, world, scope="call:1:")
    await life(lab, world, scope="call:2:")
    await life(lab, world, scope="call:1:")
    assert world.happened == ["x", "x"]


class Note(BaseModel):
    text: str
    tags: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("value", "back"),
    [
        ({"a": [1, 2.5, None, True, "x"]}, {"a": [1, 2.5, None, True, "x"]}),
        ((1, (2, 3)), [1, [2, 3]]),
        (Note(text="t", tags=("a",)), {"text": "t", "tags": ["a"]}),
        ([date(2026, 1, 2)], [date(2026, 1, 2)]),
        ({"at": MIDNIGHT}, {"at": MIDNIGHT}),
        (RunInfo(corr_id="x").calls, {}),
    ],
)
def test_what_comes_back_of_a_result(value, back):
    assert revived(kept(value)) == back


@pytest.mark.parametrize("value", [object(), {1: 2}, {(1, 2)}, float("nan"), {MOMENT: 1}, [object()], Note])
def test_what_cannot_come_back_is_not_kept(value):
    with pytest.raises(NotKeptError):
        kept(value)


def test_a_value_that_holds_itself_is_not_kept():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(NotKeptError, match="holds itself"):
        kept(endless)


async def test_a_task_that_runs_another_twice_and_itself_in_the_end_is_recorded_as_a_whole(lab):
    lab.task(
        "t",
        """
        steps:
          - {run_task: reader}
          - {run_task: reader}
          - {run_task: inner, pass_params: {name: A}}
          - {run_task: inner, pass_params: {name: A}}
        """,
    )
    lab.task("reader", "steps: [{action: look}]")
    lab.task(
        "inner",
        """
        meta: {inputs: {name: {required: true}}}
        steps:
          - {action: write, params: {name: "{{ inputs.name }}"}}
          - {if: "{{ inputs.name == 'A' }}", then: [{run_task: inner, pass_params: {name: B}}]}
        """,
    )
    world = World()
    await life(lab, world, dies_after=3)
    await life(lab, world)
    assert world.happened == ["A", "B", "A", "B"]
