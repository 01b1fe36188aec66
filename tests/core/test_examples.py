"""Examples and types in the task language: what is taken, and what an author reads who made a mistake."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.language.plan_manager import PlanManager
from aura_core.language.result_references import REFERENCE, has_references, kind_of_path

TASKS = """
find:
  meta:
    gives: {"parcels[].id": parcel.id}
    inputs:
      query: {required: true}
      most: {type: integer, maximum: 9}
    examples:
      - {say: find boots, inputs: {query: boots, most: 3}}
      - {say: "найди $${s1}", inputs: {query: "$${s1}"}}
  steps: []
latest:
  meta: {gives: parcel.id}
  steps: []
send:
  meta:
    inputs:
      parcel: {required: true, needs: parcel.id}
      count: {type: integer}
  steps: []
"""
PLAN = """
examples:
  - say: find boots, then send them
    steps:
      - {for: find boots, task: find, inputs: {query: boots}}
      - {for: send them, task: tour/send, inputs: {parcel: "${s1.parcels[0].id}", count: "${s1.parcels[0].count}"}}
"""


class Tour:
    """A plan `tour` in a folder of plans."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Tour:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return self

    def problems(self, plan: str = PLAN, tasks: str = TASKS) -> list[str]:
        self.write("tour/plan.yaml", plan).write("tour/tasks/all.yaml", tasks)
        manager = PlanManager([self.root])
        return [
            f"{Path(problem.path).name}:{problem.line}:{problem.column}: {problem.message} | {problem.hint}"
            for problem in manager.load()
        ]

    def only(self, plan: str = PLAN, tasks: str = TASKS) -> str:
        (problem,) = self.problems(plan, tasks)
        return problem


def told(problems: list[str], says: str, text: str) -> list[str]:
    """Where a mistake is told: the line, and what stands at the column; `…` in the words is anything."""
    pattern = ".*".join(re.escape(part) for part in says.split(" … "))
    places = [problem.split(":")[1:3] for problem in problems if re.search(pattern, problem)]
    return [f"{line} {text.splitlines()[int(line) - 1][int(column) - 1 :]}" for line, column in places]


@pytest.fixture
def tour(tmp_path: Path) -> Tour:
    return Tour(tmp_path)


def test_examples_and_types_are_read(tour: Tour):
    tour.write("tour/plan.yaml", PLAN).write("tour/tasks/all.yaml", TASKS)
    manager = PlanManager([tour.root])
    assert manager.load() == []
    plan = manager.plans["tour"]
    assert plan.tasks["find"].meta.gives == {"parcels[].id": "parcel.id"}
    assert plan.tasks["latest"].meta.gives == {"": "parcel.id"}
    assert plan.tasks["send"].input_schema()["properties"]["parcel"]["needs"] == "parcel.id"
    assert [example.say for example in plan.tasks["find"].meta.examples] == ["find boots", "найди $${s1}"]
    (example,) = plan.file.examples
    assert [(step.words, step.task) for step in example.steps] == [("find boots", "find"), ("send them", "tour/send")]


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("most: 3", "mots: 3", "9 mots:", "the task tour/find has no input 'mots' … did you mean 'most'?"),
        ("most: 3", "most: 30", "9 30", "the input 'most' of tour/find does not fit"),
        ("{query: boots, most: 3}", "{most: 3}", "9 {most", "the task tour/find needs 'query' … a whole call"),
        ("query: boots", 'query: "a ${s1}"', "9 ${s1}", "${s1} refers to no step before this one … no step comes"),
        ("query: boots", 'query: "${s1[*]}"', '9 "${s1[*]}', "'${s1[*]}' is no reference … write ${s1} or"),
        ("say: find boots", "say: ' '", "9 ' '", "some words are wanted"),
        ("say: find boots", "says: find boots", "9 says:", "unknown key 'says' … did you mean 'say'?"),
        ("gives: parcel.id", "gives: a parcel", "13 a parcel", "'a parcel' is not a type"),
        ('"parcels[].id"', '"parcels[0].id"', '4 "parcels[0]', "is not a path into the result"),
        ("count: {type: integer}", "count: {type: array, items: {needs: a}}", "19 {type: array", "needs stands beside"),
        ("needs: parcel.id", "needs: [a]", "18 [a]", "text is wanted"),
    ],
)
def test_a_mistake_in_a_task_has_its_place(tour: Tour, old: str, new: str, place: str, says: str):
    assert old in TASKS
    tasks = TASKS.replace(old, new, 1)
    assert [at for at in told(tour.problems("", tasks), says, tasks) if at.startswith(place)]


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("for: find boots", "for: Find boots", "5 Find", "'Find boots' is no part of the request … word for word"),
        ("for: send them", "for: find boots", "6 find boots", "'find boots' is what s1 serves already"),
        ("task: find,", "task: fnd,", "5 fnd", "there is no task 'fnd' … did you mean 'find'?"),
        (
            "task: tour/send",
            "task: tour/sand",
            "6 tour/sand",
            "there is no task 'tour/sand' … did you mean 'tour/send'?",
        ),
        ("task: find,", "task: llm,", "5 query:", "llm has no input 'query' … instruction"),
        ("task: find,", "job: find,", "5 job:", "unknown key 'job' … known keys: for"),
        ("{query: boots}", "{}", "5 {}", "the task tour/find needs 'query'"),
        ("{query: boots}", '{query: "${s2}"}', '5 "${s2}', "${s2} refers to no step before this one"),
        (
            "s1.parcels[0].id}",
            "s1.parcels[0]}",
            '6 "${s1.parcels[0]}',
            "'parcel' of tour/send needs parcel.id … as parcels[].id",
        ),
        ("find boots, then", "' ' #", "3 ' '", "some words are wanted"),
    ],
)
def test_a_mistake_in_a_plan_has_its_place(tour: Tour, old: str, new: str, place: str, says: str):
    assert old in PLAN
    plan = PLAN.replace(old, new, 1)
    assert [at for at in told(tour.problems(plan), says, plan) if at.startswith(place)]


def test_what_gives_no_type_is_named(tour: Tour):
    problem = tour.only(tasks=TASKS.replace('    gives: {"parcels[].id": parcel.id}\n', ""))
    assert "${s1.parcels[0].id} is not | tour/find gives none" in problem


def test_a_result_that_is_of_the_type_itself_is_taken_whole(tour: Tour):
    plan = PLAN.replace("task: find, inputs: {query: boots}", "task: latest").replace("s1.parcels[0].id", "s1")
    assert tour.problems(plan) == []


def test_the_model_s_own_steps_and_tasks_of_plans_that_are_not_here_are_fine(tour: Tour):
    plan = """
    examples:
      - say: who am I, and say hello to Ann
        steps:
          - {for: who am I, task: ask_user, inputs: {question: Who?, options: [you]}}
          - {for: say hello, task: post/send, inputs: {text: "${s1}"}}
          - {for: to Ann, task: llm, inputs: {instruction: "hello ${s2.id}"}}
    """
    assert tour.problems(plan) == []


def test_tasks_of_a_plan_that_is_not_required_are_its_own_affair(tour: Tour):
    tour.write("post/plan.yaml", "").write(
        "post/tasks/send.yaml", "meta: {inputs: {to: {required: true}}}\nsteps: []\n"
    )
    plan = "examples: [{say: send it, steps: [{for: send it, task: %s}]}]\n"
    assert tour.problems(plan % "post/send") == []
    assert tour.problems(plan % "post/sand") == []
    required = "requires: [post]\n" + plan
    assert "the task post/send needs 'to'" in tour.only(required % "post/send")
    assert "there is no task 'post/sand'" in tour.only(required % "post/sand")


def test_nothing_else_of_a_plan_is_lost_over_a_broken_example(tour: Tour):
    plan = PLAN.replace("for: find boots", "four: find boots") + "requires: [nothing]\n"
    problems = " ".join(tour.problems(plan))
    assert "unknown key 'four'" in problems
    assert "there is no plan 'nothing'" in problems


@given(st.lists(st.one_of(st.integers(0, 99), st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True)), max_size=5))
def test_a_path_of_a_reference_has_the_form_of_gives(parts: list[int | str]):
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    match = REFERENCE.fullmatch(f"${{s1{path}}}")
    assert match is not None
    wanted = "".join("[]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")
    assert kind_of_path(match["path"]) == wanted


def test_a_reference_is_seen_at_any_depth_and_an_escaped_one_is_text():
    assert has_references({"a": [1, {"b": "x ${s1.y} z"}]})
    assert not has_references({"a": [1, {"b": "$${s1}"}], "c": None})
