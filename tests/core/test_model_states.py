"""Mistakes in states.yaml and interrupts.yaml: each with its file, line, column and advice, before anything runs."""

from __future__ import annotations

import pytest

from aura_core.language.states import Transition
from tests.fixtures.project import Project

TASKS = {
    "look": "steps: []",
    "go": "steps: [{action: echo}]",
    "picky": "meta: {requires_initial_state: ready}\nsteps: []",
    "writes": "steps: [{action: change}]",
    "t": "meta: {requires_initial_state: ready, activates_interrupts: [low]}\nsteps: []",
}
ACTIONS = """
from aura_core.api import action

@action("change", effects="write", inline=True)
def change() -> None: ...

@action("low", inline=True)
def low(limit: int = 1) -> bool:
    return False
"""
STATES = "states:\n  'off': {check: look}\n  ready: {check: look}\ntransitions:\n"
WAY = STATES + "  - {from: 'off', to: ready, task: go}\n"
GUARD = "low: {condition: {action: low}, task: go}"


async def problems(project: Project, states: str = WAY, interrupts: str = GUARD, **tasks: str) -> list[str]:
    project.write("p/actions/more.py", ACTIONS)
    for name, text in {**TASKS, **tasks}.items():
        project.task(name, text)
    project.write("p/states.yaml", states)
    project.write("p/interrupts.yaml", interrupts)
    async with project.running_with_problems() as framework:
        return [str(problem).replace(str(project.plans), "plans") for problem in framework.problems]


async def test_what_is_right_has_no_problems(project: Project):
    found = await problems(project, picky="steps: []")
    assert found == []


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        (
            "  - {from: 'off', to: redy, task: go}",
            "states.yaml:5:23",
            "there is no state 'redy': did you mean 'ready'?",
        ),
        ("  - {from: of, to: ready, task: go}", "states.yaml:5:12", "there is no state 'of': did you mean 'off'?"),
        ("  - {from: 'off', to: ready, task: gone}", "states.yaml:5:36", "no task 'gone'"),
        ("  - {from: ready, to: ready, task: go}", "states.yaml:5:23", "from 'ready' to itself"),
        ("  - {from: 'off', to: ready, task: go, cost: -1}", "states.yaml:5:46", "or more is wanted"),
        ("  - {from: 'off', to: ready, task: go, cost: .inf}", "states.yaml:5:46", "finite number"),
        ("  - {from: 'off', to: ready, task: go, prize: 1}", "states.yaml:5:40", "unknown key 'prize'"),
        ("  - {from: 'off', to: ready}", "states.yaml:5:5", "the key 'task' is missing"),
        ("  - {from: 'off', to: ready, task: picky}", "states.yaml:5:36", "requires the state 'ready' itself"),
        ("  - {from: ready, to: 'off', task: go}", "tasks/t.yaml:1:32", "no transition leads to the state 'ready'"),
        ("  - {from: 'off', to: ready, task: go}\n" * 2, "states.yaml:6:5", "is there twice: remove one"),
    ],
)
async def test_a_transition_that_cannot_be(project: Project, line: str, place: str, said: str):
    found = await problems(project, STATES + line)
    assert any(place in problem and said in problem for problem in found), found


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("states: {ready: {check: lok}}", "states.yaml:1:25", "no task 'lok'"),
        ("states: {ready: {check: writes}}", "states.yaml:1:25", "a check may only look, but"),
        ("states: {ready: {check: picky}}", "states.yaml:1:25", "requires the state 'ready' itself"),
        ("states: {ready: {}}", "states.yaml:1:10", "the key 'check' is missing"),
        ("states: {ready: {check: look, parallel: 3}}", "states.yaml:1:41", "true or false is wanted"),
        ("states: {ready: {check: look, verify: {attempts: 0}}}", "states.yaml:1:50", "1 or more is wanted"),
        ("states: {'two words': {check: look}, ready: {check: look}}", "states.yaml:1:10", "cannot be a state"),
        ("states: {'*': {check: look}, ready: {check: look}}", "states.yaml:1:10", "cannot be a state"),
        (
            "states: {steady: {check: look}}",
            "tasks/t.yaml:1:32",
            "there is no state 'ready' [task p/t]: did you mean 'steady'?",
        ),
        ("states: {ready: {check: look}}\nmoves: []", "states.yaml:2:1", "unknown key 'moves'"),
        ("[1]", "states.yaml:1:1", "mapping"),
        ("states: {ready: [", "states.yaml:2:1", "did not find expected node content"),
    ],
)
async def test_a_state_that_cannot_be(project: Project, text: str, place: str, said: str):
    found = await problems(project, text)
    assert any(place in problem and said in problem for problem in found), found


async def test_a_required_state_needs_a_plan_that_has_states(project: Project):
    project.write("q/plan.yaml", "name: q")
    project.write("q/tasks/t.yaml", "meta: {requires_initial_state: ready}\nsteps: []")
    project.write("r/plan.yaml", "name: r\nrequires: [p]")
    project.write("r/tasks/t.yaml", "meta: {requires_initial_state: p/reddy}\nsteps: []")
    found = await problems(project)
    assert any("q/tasks/t.yaml:1:32" in problem and "the plan 'q' has no states" in problem for problem in found), found
    assert any("r/tasks/t.yaml:1:32" in problem and "did you mean 'ready'" in problem for problem in found), found


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("low: {condition: {action: lwo}, task: go}", "interrupts.yaml:1:27", "no action 'lwo': did you mean 'low'?"),
        (
            "low: {condition: {action: low, params: {limt: 2}}, task: go}",
            "interrupts.yaml:1:41",
            "did you mean 'limit'",
        ),
        ("low: {condition: {action: change}, task: go}", "interrupts.yaml:1:27", "cannot be a condition"),
        ("low: {condition: {action: low}, task: gone}", "interrupts.yaml:1:39", "no task 'gone'"),
        ("low: {condition: {action: low}, task: picky}", "interrupts.yaml:1:39", "requires the state 'ready'"),
        ("low: {condition: {action: low}, task: go, every: soon}", "interrupts.yaml:1:50", "not a duration"),
        ("low: {condition: {action: low}, task: go, every: 0}", "interrupts.yaml:1:50", "above zero"),
        ("low: {condition: {action: low}, task: go, every: 1ms}", "interrupts.yaml:1:50", "10ms or more"),
        ("low: {condition: {action: low}, task: go, cooldown: -1}", "interrupts.yaml:1:53", "a duration is wanted"),
        ("low: {condition: {action: low}, task: go, mode: hold}", "interrupts.yaml:1:49", "'pause' or 'beside'"),
        ("low: {condition: {action: low}, task: go, scope: all}", "interrupts.yaml:1:50", "'task' or 'global'"),
        ("low: {condition: {action: low}, task: go, whe: 1}", "interrupts.yaml:1:43", "unknown key 'whe'"),
        ("slow: {condition: {action: low}, task: go}", "tasks/t.yaml:1:62", "there is no interrupt 'low'"),
        ("low: {condition: {action: low}}", "interrupts.yaml:1:1", "the key 'task' is missing"),
        ("low one: {condition: {action: low}, task: go}", "interrupts.yaml:1:1", "cannot be an interrupt"),
    ],
)
async def test_an_interrupt_that_cannot_be(project: Project, text: str, place: str, said: str):
    found = await problems(project, interrupts=text)
    assert any(place in problem and said in problem for problem in found), found


async def test_an_interrupt_of_another_plan_is_activated_by_its_full_name_if_that_plan_is_required(project: Project):
    project.write("q/plan.yaml", "name: q\nrequires: [p]")
    project.write("q/tasks/t.yaml", "meta: {activates_interrupts: [p/low, p/lwo]}\nsteps: []")
    project.write("r/plan.yaml", "name: r")
    project.write("r/tasks/t.yaml", "meta: {activates_interrupts: [p/low]}\nsteps: []")
    found = [problem for problem in await problems(project, picky="steps: []") if "/p/" not in problem]
    assert len(found) == 2
    assert "q/tasks/t.yaml:1:39: there is no interrupt 'p/lwo'" in found[0] or "no interrupt 'lwo'" in found[0]
    assert "r/tasks/t.yaml:1:31" in found[1]
    assert "requires" in found[1]


async def test_a_task_is_not_told_twice_of_an_interrupts_file_that_cannot_be_read(project: Project):
    found = await problems(project, interrupts="low: [", picky="steps: []")
    assert len(found) == 1
    assert "interrupts.yaml" in found[0]


async def test_an_interrupt_is_activated_once(project: Project):
    found = await problems(project, t="meta: {activates_interrupts: [low, low]}\nsteps: []")
    assert any("tasks/t.yaml:1:36" in problem and "'low' is there twice" in problem for problem in found), found


async def test_the_mistakes_of_a_file_are_told_at_once(project: Project):
    found = await problems(project, "states: {a: {check: x}, b: {check: y}}\ntransitions: [{from: c, to: d, task: z}]")
    places = [part.partition("states.yaml:")[2][:4] for part in found if "states.yaml:" in part]
    assert sorted(places) == ["1:21", "1:36", "2:22", "2:29", "2:38"]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("5", "states.yaml:1:1: states.yaml is a mapping"),
        ("states: [1]", "states.yaml:1:9: a mapping (`key: value`) is wanted"),
        ("transitions: {a: 1}", "states.yaml:1:14: a list (`- item`) is wanted"),
        ("states: {ready: {check: look, verify: {attemps: 2}}}", "did you mean 'attempts'?"),
        ("states: {ready: {check: asking}}", "the check p/asking needs 'name': nobody gives a check inputs"),
        ("states: {ready: {check: hidden}}", "a check may only look, but p/writes has effects 'write'"),
        ("states: {ready: {check: around}}", "a check may only look, but step steps[0] of p/inside calls p/change"),
        ("states: {ready: {check: look}}\ntransitions: [{from: '*', to: ready, task: picky2}]", "requires the state"),
    ],
)
async def test_states_that_cannot_be_read_or_kept(project: Project, states: str, said: str):
    found = await problems(
        project,
        states,
        asking="meta: {inputs: {name: {required: true}}}\nsteps: []",
        hidden="steps: [{run_task: loop}, {run_task: writes}]",
        loop="steps: [{run_task: loop}]",
        writes="meta: {effects: write}\nsteps: []",
        around="steps: [{run_task: inside}]",
        inside="steps: [{action: change}]",
        picky2="meta: {requires_initial_state: q/else}\nsteps: []",
    )
    assert any(said in line for line in found), found


async def test_a_state_of_a_plan_that_is_not_there(project: Project):
    found = await problems(project, picky="meta: {requires_initial_state: nowhere/ready}\nsteps: []")
    assert any("there is no plan 'nowhere'" in line for line in found), found


async def test_an_empty_states_file_is_fine(project: Project):
    found = await problems(project, "", picky="steps: []", t="steps: []")
    assert found == []


def test_a_transition_says_what_it_does():
    way = Transition.model_validate({"from": "a", "to": "b", "task": "go"})
    assert str(way) == "a → b by go"
