"""Whatever plans say of tasks in tasks, handlers, checks and transitions: no limit is exceeded, and every run ends."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from aura_core.framework import Framework
from aura_core.language.states import StateMap, load_states
from aura_core.state_planner.routes import Routes
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.examples import examples
from tests.fixtures.project import Project

LIMITS = {"a": 1, "b": 2}
STATES = ("s0", "s1", "s2")
ACTIONS = """
    from aura_core.api import Context, action, requires_services

    @action("use")
    @requires_services(desk="desk")
    async def use(desk, context: Context, names: list[str]) -> None:
        await desk.use(context.run.corr_id, names)

    @action("go")
    @requires_services(desk="desk")
    def go(desk, state: str) -> None:
        desk.state = state

    @action("is_in")
    @requires_services(desk="desk")
    async def is_in(desk, state: str) -> bool:
        return desk.state == state

    @action("is_due")
    @requires_services(desk="desk")
    async def is_due(desk, name: str) -> bool:
        return desk.is_due(name)
"""


class Desk:
    """What is used, by which run how often at this moment; a limit that is exceeded is remembered."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.now: dict[str, Counter[str]] = {name: Counter() for name in LIMITS}
        self.broken: list[tuple[str, list[str]]] = []
        self.fired: Counter[str] = Counter()

    async def use(self, run: str, names: list[str]) -> None:
        for name in names:
            self.now[name][run] += 1
            users = [user for user, times in self.now[name].items() if times]
            if len(users) > LIMITS[name]:
                self.broken.append((name, users))
        try:
            for _ in range(6):
                await asyncio.sleep(0)
        finally:
            for name in names:
                self.now[name][run] -= 1

    def is_due(self, name: str) -> bool:
        self.fired[name] += 1
        return self.fired[name] <= 3


TAGS = st.lists(st.sampled_from(sorted(LIMITS)), unique=True, max_size=2)
LEADS = st.lists(
    st.tuples(st.sampled_from(["run", "branch", "beside", "failure", "go"]), st.integers(1, 3)), max_size=3
)
TASK = st.fixed_dictionaries(
    {
        "tags": TAGS,
        "leads": LEADS,
        "interrupts": st.sets(st.sampled_from(["i0", "i1"])),
        "state": st.none() | st.sampled_from(STATES),
    }
)
HANDLER = st.fixed_dictionaries({"tags": TAGS, "leads": LEADS, "mode": st.sampled_from(["pause", "beside"])})
HELPER = st.fixed_dictionaries({"tags": TAGS, "leads": LEADS})
SCENE = st.fixed_dictionaries(
    {
        "tasks": st.lists(TASK, min_size=2, max_size=5),
        "handlers": st.tuples(HANDLER, HANDLER),
        "checks": st.lists(HELPER, min_size=3, max_size=3),
        "ways": st.lists(HELPER, min_size=3, max_size=3),
        "parallel": st.booleans(),
        "begin": st.sampled_from(STATES),
        "submitted": st.lists(st.integers(0, 4), min_size=2, max_size=8),
    }
)


def _task(spec: dict[str, Any], position: int, count: int, *first: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """A task that uses what it names, does `first`, then leads to tasks of higher numbers, so that it ends.

    What comes behind is not certain to run: a `go_task` further down travels up.
    """
    use = {"action": "use", "params": {"names": spec["tags"]}}
    steps: list[dict[str, Any]] = [use, *first]
    on_failure: list[dict[str, Any]] = []
    jump: list[dict[str, Any]] = []
    for how, further in spec["leads"]:
        if position + further >= count:
            continue
        run = {"run_task": f"t{position + further}"}
        if how == "failure":
            on_failure = [run]
        elif how == "go":
            jump = [{"go_task": run["run_task"]}]
        else:
            steps += {"run": [run], "branch": [{"if": True, "then": [run]}], "beside": [{"parallel": [[run], [use]]}]}[
                how
            ]
    task: dict[str, Any] = {"meta": {"resources": [f"{tag}:{LIMITS[tag]}" for tag in spec["tags"]], **meta}}
    if on_failure:
        task["on_failure"] = {"steps": on_failure, "recover": True}
        jump = [{"action": "fail"}]
    return {**task, "steps": [*steps, *jump]}


def _write(project: Project, scene: dict[str, Any]) -> None:
    count = len(scene["tasks"])
    tasks: dict[str, Any] = {}
    for number, spec in enumerate(scene["tasks"]):
        meta: dict[str, Any] = {"activates_interrupts": sorted(spec["interrupts"])}
        if spec["state"] is not None:
            meta["requires_initial_state"] = spec["state"]
        tasks[f"t{number}"] = _task(spec, number, count, **meta)
    interrupts: dict[str, Any] = {}
    for number, spec in enumerate(scene["handlers"]):
        tasks[f"h{number}"] = _task(spec, -1, count)
        condition = {"action": "is_due", "params": {"name": f"i{number}"}}
        rest = {"every": "10ms", "cooldown": 0, "mode": spec["mode"]}
        interrupts[f"i{number}"] = {"condition": condition, "task": f"h{number}", **rest}
    states: dict[str, Any] = {}
    ways: list[dict[str, Any]] = []
    for number, (name, check, way) in enumerate(zip(STATES, scene["checks"], scene["ways"], strict=True)):
        look = {"action": "is_in", "params": {"state": name}, "output_to": "seen"}
        tasks[f"c{number}"] = {**_task({**check, "leads": []}, 0, count, look), "returns": "{{ seen }}"}
        tasks[f"w{number}"] = _task(way, -1, count, {"action": "go", "params": {"state": name}})
        states[name] = {"check": f"c{number}", "parallel": scene["parallel"], "verify": {"attempts": 2, "delay": 0}}
        start = STATES[number - 1] if number else "*"
        ways.append({"from": start, "to": name, "task": f"w{number}"})
    project.write("p/actions/desk.py", ACTIONS)
    project.write("p/tasks/all.yaml", json.dumps(tasks))
    project.write("p/interrupts.yaml", json.dumps(interrupts))
    project.write("p/states.yaml", json.dumps({"states": states, "transitions": ways}))


async def _drive(folder: Path, scene: dict[str, Any]) -> Desk:
    project, desk = Project(folder), Desk(scene["begin"])
    _write(project, scene)
    async with project.running(services={"desk": desk}) as framework:
        numbers = [number % len(scene["tasks"]) for number in scene["submitted"]]
        tasklets = [Tasklet(f"p/t{number}", run=RunInfo(f"run{index}")) for index, number in enumerate(numbers)]
        works = [asyncio.create_task(framework.submit(tasklet)) for tasklet in tasklets]
        await asyncio.wait(works, timeout=30)
        assert [work.result().error for work in works] == [None] * len(works)
        _check_nothing_is_left(framework)
    return desk


def _check_nothing_is_left(framework: Framework) -> None:
    manager = framework.execution_manager
    assert {name: manager.resources.semaphore(name).held for name in LIMITS} == dict.fromkeys(LIMITS, 0)


@settings(max_examples=examples(30))
@given(scene=SCENE)
def test_no_limit_is_exceeded_by_anything_a_run_leads_to_and_every_run_ends(scene: dict[str, Any]):
    with tempfile.TemporaryDirectory() as folder:
        desk = asyncio.run(_drive(Path(folder), scene))
    assert desk.broken == []


WAYS = st.lists(
    st.tuples(st.sampled_from([*STATES, "s3", "*"]), st.sampled_from([*STATES, "s3"]), st.integers(0, 3)).filter(
        lambda way: way[0] != way[1]
    ),
    unique_by=lambda way: way[:2],
    max_size=10,
)


def _state_map(folder: Path, ways: list[tuple[str, str, int]]) -> StateMap:
    written = {
        "states": {name: {"check": f"is_{name}"} for name in (*STATES, "s3")},
        "transitions": [{"from": a, "to": b, "cost": cost, "task": f"{a}>{b}"} for a, b, cost in ways],
    }
    (folder / "states.yaml").write_text(json.dumps(written), encoding="utf-8")
    states, problems = load_states(folder)
    assert problems == []
    return cast("StateMap", states)


@settings(max_examples=examples(100))
@given(
    ways=WAYS,
    target=st.sampled_from(STATES),
    starts=st.lists(st.none() | st.sampled_from(STATES), min_size=1, max_size=9),
)
def test_no_journey_takes_a_way_whose_places_are_not_taken(
    ways: list[tuple[str, str, int]], target: str, starts: list[str | None]
):
    with tempfile.TemporaryDirectory() as folder:
        states = _state_map(Path(folder), ways)
    taken = set(states.tasks_towards(target))
    assert {state.check for state in states.states.values()} <= taken
    routes = Routes(states)
    for start in starts:
        way = [] if start == target else routes.cheapest(start, target) or []
        assert {states.transitions[index].task for index in way} <= taken
        if way:
            routes.failed(way[-1])
