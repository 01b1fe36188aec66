"""`aura check --examples`: which examples a model plans as they stand, and how the others differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.cli.example_plans import compared
from agent.contracts import ExampleStep, Plan, PlanExample, PlanStep, TaskCard
from tests.e2e.program import Program, is_planning, plan

TASKS = """
lamp:
  meta:
    description: Switches a lamp.
    effects: write
    inputs:
      room: {required: true}
      level: {type: integer, default: 5}
    examples:
      - {say: light in the hall, inputs: {room: hall}}
      - {say: 浴室灯开到三, inputs: {room: 浴室, level: 3}}
  steps: []
"""
PLAN = """
examples:
  - say: light in the attic and tell me the time, but leave the cellar dark
    steps:
      - {for: light in the attic, task: lamp, inputs: {room: attic}}
      - {for: tell me the time, task: aura_base/now}
      - {for: but leave the cellar dark, task: skip}
"""


@pytest.fixture
def aura(tmp_path, scripted_model):
    return Program(tmp_path / "home", scripted_model.environment)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere/house"
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks/all.yaml").write_text(TASKS, encoding="utf-8")
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return folder


def says(words: str):
    return lambda request: is_planning(request) and f"Request: {words}" in request["messages"][-1]["content"]


def lamp(**inputs: Any) -> tuple[str, dict[str, Any]]:
    return "house/lamp", inputs


ATTIC = "light in the attic"


def test_a_plan_that_is_its_example_is_no_difference(aura, scripted_model, house):
    scripted_model.say(plan(lamp(room="hall")), when=says("light in the hall"))
    scripted_model.say(plan(lamp(room="浴室", level=3)), when=says("浴室"))
    scripted_model.say(plan(("aura_base/now", {}), lamp(room="attic", level=5)), when=says(ATTIC))
    done = aura("check", "--examples", str(house))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "3 of 3 examples are planned as they stand" in done.stderr


def test_another_plan_is_told_with_its_tasks_and_inputs(aura, scripted_model, house):
    scripted_model.say(plan(lamp(room="hall", level=9)), when=says("light in the hall"))
    scripted_model.say(plan(lamp(room="灯", level=3)), when=says("浴室"))
    scripted_model.say(plan(lamp(room="attic")), when=says(ATTIC))
    scripted_model.say(plan(lamp(room="attic")), when=is_planning, times=None)
    done = aura("check", "--examples", str(house))
    assert done.returncode == 1
    assert "differs  light in the hall\n         house/lamp: also level (9)" in done.stdout
    assert "as meant 浴室灯开到三\n         house/lamp: room is '灯' (in the example: '浴室')" in done.stdout
    assert "planned house/lamp instead of house/lamp, aura_base/now" in done.stdout
    assert "1 of 3 examples" in done.stderr


def test_a_script_gets_every_example(aura, scripted_model, house):
    (house / "plan.yaml").write_text("", encoding="utf-8")
    scripted_model.say(plan(lamp(room="hall")), when=says("light in the hall"))
    scripted_model.say("no plan at all", when=is_planning, times=None)
    document = aura.json("check", "--examples", str(house), code=1)
    assert document[0] == {
        "say": "light in the hall",
        "expected": ["house/lamp"],
        "planned": ["house/lamp"],
        "differences": [],
        "values": [],
    }
    assert document[1]["differences"][0].startswith("no plan: ")


def test_plans_with_mistakes_are_not_planned(aura, house):
    (house / "plan.yaml").write_text(PLAN.replace("task: lamp", "task: lam"), encoding="utf-8")
    done = aura("check", "--examples", str(house))
    assert done.returncode == 1
    assert "there is no task 'lam'" in done.stdout
    assert "examples are planned" not in done.stderr


def test_the_order_of_steps_ids_and_references_do_not_count():
    card = TaskCard(task="a/b", inputs={"properties": {"x": {}, "y": {"default": 1}}})
    example = PlanExample(
        say="x",
        steps=[
            ExampleStep(words="x", task="a/b", inputs={"x": 1}),
            ExampleStep(words="y", task="llm", inputs={"instruction": "${s1}"}),
            ExampleStep(words="z", task="a/b", inputs={"x": "${s2.notes[0].id}"}),
        ],
    )
    steps = [
        PlanStep(id="s9", kind="llm", instruction="anything"),
        PlanStep(id="s8", task="a/b", inputs={"x": 1, "y": 1}),
        PlanStep(id="s7", task="a/b", inputs={"x": "${s9}"}),
    ]
    result = compared(example, Plan(steps=steps), {"a/b": card})
    assert (result.differences, result.values) == ([], [])
    lacking = [steps[0], steps[1].model_copy(update={"inputs": {"y": 2}}), steps[2]]
    result = compared(example, Plan(steps=lacking), {"a/b": card})
    assert result.differences == ["a/b: no x (in the example: 1)", "a/b: also y (2)"]
