"""Reach: a run takes the places of everything that it may lead to, and of nothing else; what could not is an error."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from aura_core.errors import Problem
from aura_core.framework import Framework
from aura_core.interrupts import InterruptFired
from aura_core.language.plan_manager import PlanManager
from aura_core.scheduler.topics import happening_of, matches
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

ACTIONS = """
    from aura_core.api import Context, action, requires_services

    @action("use", effects="write")
    @requires_services(desk="desk")
    async def use(desk, name: str) -> None:
        await desk.use(name)

    @action("power", effects="write")
    @requires_services(desk="desk")
    async def power(desk) -> None:
        await desk.use("cam")
        desk.on = True

    @action("is_on")
    @requires_services(desk="desk")
    async def is_on(desk) -> bool:
        return desk.on

    @action("is_low")
    @requires_services(desk="desk")
    async def is_low(desk) -> bool:
        return desk.low
"""
USE_CAM = "meta: {resources: [cam]}\nsteps: [{action: use, params: {name: cam}}]"
LOW = "low: {condition: {action: is_low}, task: sweep, every: 10ms, cooldown: 0, %s}"


class Desk:
    """Where things are used, each for some turns of the event loop; it knows how many used one at the same time."""

    def __init__(self) -> None:
        self.on = False
        self.low = False
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def use(self, name: str) -> None:
        self.now[name] += 1
        self.most[name] = max(self.most[name], self.now[name])
        self.begun.set()
        await self.go.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        self.now[name] -= 1
        self.low = False


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def plan(project: Project) -> Project:
    project.write("p/actions/desk.py", ACTIONS)
    for name, tags in {"look": "eye", "turn_on": "hand", "sweep": "broom", "deep": "lamp", "elsewhere": "far"}.items():
        project.task(name, f"meta: {{resources: [{tags}]}}\nsteps: []")
    project.task("both", "steps: [{run_task: sweep}, {go_task: deep}]")
    return project


def _holds(framework: Framework, task: str) -> set[str]:
    generation = framework.generations.current
    return set(generation.resources_of(generation.task(task)))


def _problems(project: Project) -> list[Problem]:
    return PlanManager([project.plans], services=["desk"]).load()


@pytest.mark.parametrize(
    ("task", "places"),
    [
        ("meta: {resources: [cam]}\nsteps: [{run_task: both}]", {"cam", "broom", "lamp"}),
        ("steps: [{action: fail}]\non_failure: {steps: [{if: true, then: [{run_task: both}]}]}", {"broom", "lamp"}),
        ("meta: {activates_interrupts: [low]}\nsteps: []", {"broom", "lamp"}),
        ("meta: {activates_interrupts: [p/low, everywhere]}\nsteps: []", {"broom", "lamp"}),
        ("meta: {activates_interrupts: [everywhere]}\nsteps: []", set[str]()),
        ("meta: {requires_initial_state: on}\nsteps: []", {"eye", "hand", "broom"}),
        ("meta: {requires_initial_state: p/off}\nsteps: []", {"eye", "hand", "broom"}),
    ],
)
async def test_a_run_takes_the_places_of_all_it_may_lead_to_and_no_others(
    plan: Project, desk: Desk, task: str, places: set[str]
):
    plan.write("p/interrupts.yaml", (LOW % "mode: beside").replace("sweep", "both") + "\n" + EVERYWHERE)
    plan.write("p/states.yaml", STATES)
    plan.task("quiet", "steps: []")
    plan.task("is_off", "steps: [{run_task: sweep}]")
    plan.task("t", task.replace(": on}", ': "on"}'))
    plan.task("caller", "steps: [{run_task: t}]")
    async with plan.running(services={"desk": desk}) as framework:
        assert _holds(framework, "p/t") == places


EVERYWHERE = "everywhere: {condition: {action: is_low}, task: quiet, scope: global}"
STATES = """
    states: {"on": {check: look}, "off": {check: is_off}, lost: {check: look}}
    transitions:
      - {from: "off", to: "on", task: turn_on}
      - {from: "*", to: "off", task: turn_on}
      - {from: "on", to: lost, task: elsewhere}
"""


async def test_a_task_inside_another_brings_neither_its_state_nor_its_interrupts(plan: Project, desk: Desk):
    plan.write("p/interrupts.yaml", LOW % "mode: pause")
    plan.write("p/states.yaml", STATES.replace("is_off", "look"))
    plan.task("t", 'meta: {requires_initial_state: "on", activates_interrupts: [low], resources: [cam]}\nsteps: []')
    plan.task("caller", "steps: [{run_task: t}]")
    async with plan.running(services={"desk": desk}) as framework:
        assert _holds(framework, "p/caller") == {"cam"}
        assert _holds(framework, "p/t") == {"cam", "broom", "eye", "hand"}


async def test_states_and_handlers_of_a_required_plan_count_as_that_plan_means_them(plan: Project, desk: Desk):
    plan.write("p/interrupts.yaml", LOW % "mode: pause")
    plan.write("p/states.yaml", STATES.replace("is_off", "look"))
    plan.write("q/plan.yaml", "name: q\nrequires: [p]")
    for name in ("look", "sweep", "turn_on"):
        plan.write(f"q/tasks/{name}.yaml", "meta: {resources: [wrong]}\nsteps: []")
    plan.write("q/tasks/t.yaml", "meta: {requires_initial_state: p/on, activates_interrupts: [p/low]}\nsteps: []")
    async with plan.running(services={"desk": desk}) as framework:
        assert _holds(framework, "q/t") == {"broom", "eye", "hand"}


async def test_a_handler_waits_for_nobody_and_a_limit_holds_for_it(plan: Project, desk: Desk):
    plan.write("p/interrupts.yaml", LOW % "mode: pause")
    plan.task("sweep", USE_CAM)
    plan.task("photo", USE_CAM)
    plan.task("t", "meta: {activates_interrupts: [low]}\nsteps: [{action: use, params: {name: pen}}]")
    desk.low = True
    desk.go.clear()
    async with plan.running(services={"desk": desk}) as framework, asyncio.timeout(10):
        photo = asyncio.create_task(framework.submit(Tasklet("p/photo")))
        await desk.begun.wait()
        works = [asyncio.create_task(framework.submit(Tasklet("p/t"))) for _ in range(3)]
        for _ in range(50):
            await asyncio.sleep(0)
        assert desk.now == {"cam": 1}
        desk.go.set()
        assert all(result.ok for result in await asyncio.gather(photo, *works))
    assert desk.most == {"cam": 1, "pen": 1}


@pytest.mark.parametrize("own", ["", ", resources: ['cam:1']"])
async def test_tasks_whose_way_to_a_state_needs_what_they_need_end_one_after_the_other(
    plan: Project, desk: Desk, own: str
):
    plan.write(
        "p/states.yaml",
        "states: {ready: {check: is_ready}}\ntransitions: [{from: '*', to: ready, task: turn_on}]",
    )
    plan.task("is_ready", "meta: {resources: [cam]}\nsteps: [{action: is_on}]")
    plan.task("turn_on", "meta: {resources: [cam], effects: write}\nsteps: [{action: power}]")
    plan.task("photo", USE_CAM)
    for name in ("a", "b"):
        plan.task(
            name, f"meta: {{requires_initial_state: ready{own}}}\nsteps: [{{action: use, params: {{name: cam}}}}]"
        )
    async with plan.running(services={"desk": desk}) as framework, asyncio.timeout(10):
        submitted = [framework.submit(Tasklet(f"p/{name}")) for name in ("a", "photo", "b", "a")]
        assert all(result.ok for result in await asyncio.gather(*submitted))
        cam = framework.execution_manager.resources.semaphore("cam")
        assert (cam.held, cam.limit) == (0, 1)
    assert desk.most == {"cam": 1}


@pytest.mark.parametrize("mode", ["pause", "beside"])
def test_a_handler_beside_all_tasks_that_needs_a_place_is_an_error_at_load(plan: Project, mode: str):
    file = plan.write("p/interrupts.yaml", (LOW % f"mode: {mode}, scope: global").replace("sweep", "both"))
    (problem,) = _problems(plan)
    assert (problem.path, problem.line, problem.column) == (str(file), 1, file.read_text().index("both") + 1)
    assert problem.message == (
        "the handler p/both needs places of 'broom' (for p/sweep), 'lamp' (for p/deep), "
        "but with `scope: global` it takes none"
    )
    assert "`scope: task`" in problem.hint
    assert "`on_event: 'interrupt.fired:p/low'`" in problem.hint


async def test_what_the_error_advises_can_be_done(plan: Project, desk: Desk):
    plan.write("p/interrupts.yaml", (LOW % "mode: beside, scope: global").replace("sweep", "tell"))
    plan.task("tell", "steps: []")
    plan.task("sweep", USE_CAM.replace("{resources", "{on_event: 'interrupt.fired:p/low', resources"))
    plan.task("t", "steps: [{action: use, params: {name: pen}}]")
    desk.low = True
    desk.go.clear()
    async with plan.running(services={"desk": desk}) as framework, asyncio.timeout(10):
        with framework.events.subscribe(InterruptFired) as events:
            work = asyncio.create_task(framework.submit(Tasklet("p/t")))
            happening = happening_of(await anext(aiter(events)))
        desk.go.set()
        assert (await work).ok
        sweep = framework.plans.task("p/sweep")
    assert happening is not None
    assert matches(sweep.meta.on_event or "", happening)


def test_one_resource_with_two_limits_on_the_way_of_a_run_is_still_an_error_at_load(plan: Project):
    plan.write("p/interrupts.yaml", LOW % "mode: pause")
    plan.task("sweep", "meta: {resources: ['cam:2']}\nsteps: []")
    plan.task("t", "meta: {activates_interrupts: [low], resources: ['cam:1']}\nsteps: []")
    (problem,) = _problems(plan)
    assert (Path(problem.path).name, problem.message) == (
        "t.yaml", "the resource 'cam' has the limit 1 here, but 2 in task p/sweep",
    )  # fmt: skip


def test_a_broken_task_on_the_way_is_one_mistake_and_not_two(plan: Project):
    plan.write("p/interrupts.yaml", (LOW % "scope: global").replace("sweep", "both"))
    plan.task("both", "steps: [{run_task: nowhere}]")
    assert [problem.message for problem in _problems(plan)] == ["there is no task 'nowhere'"]
