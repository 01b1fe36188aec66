"""State planning: the state a task requires is found, reached, verified, or the task does not run and says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog

from aura_core.engine.recording import begin
from aura_core.errors import StatePlanningError
from aura_core.execution.cancellation import may_end
from aura_core.execution.task_events import TaskChanged
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.language.states import State, Transition
from aura_core.language.task import TaskDefinition
from aura_core.state_planner import PlanningLimits, StatePlanner
from aura_core.state_planner.sensing import Sensing
from aura_core.state_planner.transitions import Transitions
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.project import Project
from tests.fixtures.world import World, write_states, write_task

QUICK = PlanningLimits(look_delay=0, check_seconds=10, transition_seconds=10)


@pytest.fixture
def world() -> World:
    return World("off")


@asynccontextmanager
async def running(
    project: Project, world: World, planning: PlanningLimits = QUICK, **options: Any
) -> AsyncIterator[Framework]:
    async with project.running(services={"world": world, **options.pop("services", {})}, **options) as framework:
        framework.execution_manager.state_planner = StatePlanner(framework.orchestrator, planning)
        yield framework


async def run(project: Project, world: World, task: str = "p/t", **options: Any) -> TaskResult:
    async with running(project, world, **options) as framework:
        return await framework.submit(Tasklet(task))


def message(result: TaskResult) -> str:
    assert result.error is not None
    assert result.error.type == "StatePlanningError", result.error
    return result.error.message


async def test_a_task_that_meets_its_state_runs_at_once(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    world.state = "ready"
    assert (await run(project, world)).result == "t"
    assert (world.looked, world.went, world.worked) == (["ready"], [], [("t", "ready")])


async def test_the_cheapest_way_is_taken_and_every_stop_verified(project: Project, world: World):
    write_states(project, ["off", "slow", "fast", "ready"], {
        "off>ready": 9, "off>slow": 2, "slow>ready": 6, "off>fast": 3, "fast>ready": 1,
    })  # fmt: skip
    write_task(project, "t", "ready")
    assert (await run(project, world)).ok
    assert world.went == [("off>fast", "off"), ("fast>ready", "fast")]
    assert world.looked[-2:] == ["fast", "ready"]
    assert world.worked == [("t", "ready")]


async def test_states_are_looked_for_from_the_wanted_one_outward_then_by_priority(project: Project, world: World):
    states: dict[str, dict[str, Any]] = {
        "off": {},
        "far": {"priority": 99},
        "left": {},
        "right": {"priority": 1},
        "ready": {},
    }
    write_states(project, states, {"left>ready": 1, "right>ready": 1, "far>left": 1, "off>far": 1})
    write_task(project, "t", "ready")
    assert (await run(project, world)).ok
    assert world.looked[:5] == ["ready", "right", "left", "far", "off"]


async def test_parallel_checks_run_side_by_side_and_the_first_that_holds_ends_the_others(
    project: Project, world: World
):
    parallel: dict[str, dict[str, Any]] = {name: {"parallel": True} for name in ("a", "b", "ready")}
    write_states(project, {**parallel, "off": {}}, ["a>ready", "b>ready", "off>ready"])
    write_task(project, "t", "ready")
    world.state = "b"
    world.before_look = {"a": asyncio.Event(), "ready": asyncio.Event()}  # never set: only ending them lets it go on

    world.ways["b>ready"] = lambda: world.before_look.clear() or "ready"
    assert (await run(project, world)).ok
    assert sorted(world.looked[:3]) == ["a", "b", "ready"]
    assert world.went == [("b>ready", "b")]


async def test_checks_that_are_not_parallel_run_one_after_the_other(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    world.before_look = {"ready": asyncio.Event()}
    async with running(project, world) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await world.here.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert world.looked == ["ready"]
        world.before_look["ready"].set()
        assert (await work).ok


async def test_a_transition_that_fails_or_lies_is_replaced_by_another_way(project: Project, world: World):
    write_states(project, ["off", "mid", "ready"], {"off>ready": 1, "off>mid": 5, "mid>ready": 5})
    write_task(project, "t", "ready")
    for lie in (lambda: "off", lambda: None):
        world.state, world.went = "off", []
        world.ways["off>ready"] = lie
        assert (await run(project, world)).ok
        assert [way for way, _ in world.went] == ["off>ready", "off>mid", "mid>ready"]


async def test_after_a_transition_that_led_elsewhere_the_way_begins_where_it_led(project: Project, world: World):
    write_states(project, ["off", "lost", "ready"], {"off>ready": 1, "lost>ready": 7})
    write_task(project, "t", "ready")
    world.ways["off>ready"] = lambda: "lost"
    assert (await run(project, world)).ok
    assert world.went == [("off>ready", "off"), ("lost>ready", "lost")]


async def test_the_only_way_is_tried_again_and_may_work_then(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    answers = iter(["off", "off", "ready"])
    world.ways["off>ready"] = lambda: next(answers)
    assert (await run(project, world)).ok
    assert len(world.went) == 3


async def test_a_state_that_comes_late_is_waited_for(project: Project, world: World):
    states: dict[str, dict[str, Any]] = {"off": {}, "ready": {"verify": {"attempts": 1000, "delay": "1ms"}}}
    write_states(project, states, ["off>ready"])
    write_task(project, "t", "ready")
    world.ways["off>ready"] = lambda: "on its way"
    async with running(project, world) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await world.looks_for("ready", times=4)
        world.state = "ready"
        assert (await work).ok
    assert len(world.went) == 1


async def test_a_transition_that_always_lies_ends_in_an_error_that_says_all(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    world.ways["off>ready"] = lambda: "off"
    text = message(await run(project, world, planning=PlanningLimits(replans=2, look_delay=0)))
    assert "Task p/t was not started: it requires the state 'ready' of plan p, which is in the state 'off'" in text
    assert "Tried: off → ready by go_0 (it ended well, but 'ready' was not reached), 3 times. What to do" in text
    assert "see to these transitions" in text
    assert (len(world.went), world.worked) == (3, [])


async def test_where_no_way_leads_on_the_error_says_where_it_stands(project: Project, world: World):
    write_states(project, ["off", "other", "ready"], ["other>ready"])
    write_task(project, "t", "ready")
    text = message(await run(project, world))
    assert "which is in the state 'off'. Tried: nothing, for no transition leads there." in text
    assert "add a transition from 'off' towards 'ready' to states.yaml" in text


async def test_a_plan_in_no_known_state_is_looked_at_again_and_then_refused(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    world.state = "somewhere"
    text = message(await run(project, world))
    assert "which is in no state that its checks know" in text
    assert 'add a transition `from: "*"`' in text
    assert world.looked == ["ready", "off"] * 3


async def test_a_transition_from_anywhere_helps_when_no_check_holds(project: Project, world: World):
    write_states(project, ["off", "ready"], {"*>off": 1, "off>ready": 1})
    write_task(project, "t", "ready")
    world.state = "somewhere"
    assert (await run(project, world)).ok
    assert world.went == [("*>off", "somewhere"), ("off>ready", "off")]


async def test_a_transition_from_anywhere_is_a_way_from_every_state(project: Project, world: World):
    write_states(project, ["off", "stuck", "ready"], {"*>off": 1, "off>ready": 1})
    write_task(project, "t", "ready")
    world.state = "stuck"
    assert (await run(project, world)).ok
    assert [way for way, _ in world.went] == ["*>off", "off>ready"]


async def test_of_two_transitions_between_the_same_states_the_cheaper_is_tried_first(project: Project, world: World):
    write_states(project, ["off", "ready"], [])
    project.task("dear", "steps: [{action: go, params: {way: 'dear>ready'}}]")
    project.task("cheap", "steps: [{action: fail}]")
    project.write(
        "p/states.yaml",
        """
        states: {off: {check: is_off}, ready: {check: is_ready}}
        transitions:
          - {from: off, to: ready, cost: 5, task: dear}
          - {from: off, to: ready, cost: 1, task: cheap}
        """,
    )
    write_task(project, "t", "ready")
    with structlog.testing.capture_logs() as logs:
        assert (await run(project, world)).ok
    failed = [entry["reason"] for entry in logs if entry["event"] == "state_transition_failed"]
    assert failed == ["it broke"]
    assert [way for way, _ in world.went] == ["dear>ready"]


async def test_a_check_that_fails_is_logged_and_counts_as_no(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    project.task("moves2", "steps: [{action: crash}]")
    project.write(
        "p/states.yaml",
        """
        states: {broken: {check: moves2, priority: 9}, off: {check: is_off}, ready: {check: is_ready}}
        transitions: [{from: off, to: ready, task: go_0}, {from: broken, to: ready, task: go_0}]
        """,
    )
    write_task(project, "t", "ready")
    with structlog.testing.capture_logs() as logs:
        assert (await run(project, world)).ok
    said = [entry for entry in logs if entry["event"] == "state_check_failed" and entry["log_level"] == "warning"]
    assert [(entry["state"], "a bug" in entry["reason"]) for entry in said] == [("broken", True)]


@pytest.mark.parametrize("returns", ["false", "0", "''", "[]"])
async def test_a_check_holds_only_with_something_true(project: Project, world: World, returns: str):
    write_states(project, ["off", "ready"], ["off>ready"])
    project.task("never", f"steps: []\nreturns: {returns}")
    project.write("p/states.yaml", "states: {ready: {check: never}}")
    write_task(project, "t", "ready")
    assert "no state that its checks know" in message(await run(project, world))


async def test_a_check_that_hangs_is_ended_and_counts_as_no(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    world.before_look = {"ready": asyncio.Event()}
    limits = PlanningLimits(replans=0, look_delay=0, check_seconds=0.02)
    text = message(await run(project, world, planning=limits))
    assert "off → ready by go_0 (it ended well, but 'ready' was not reached)" in text


async def test_a_transition_that_hangs_is_ended_and_says_so(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    world.before_go = {"off>ready": asyncio.Event()}
    text = message(await run(project, world, planning=PlanningLimits(replans=0, look_delay=0, transition_seconds=0.02)))
    assert "transition p/go_0 took longer than 0.02 s and was ended" in text


async def test_a_state_of_a_required_plan_is_reached_by_that_plans_tasks(project: Project, world: World):
    project.write("q/plan.yaml", "name: q")
    write_states(project, ["off", "ready"], ["off>ready"], plan="q")
    project.write("p/plan.yaml", "name: p\nrequires: [q]")
    project.task("t", "meta: {requires_initial_state: q/ready}\nsteps: []\nreturns: ran")
    assert (await run(project, world)).result == "ran"
    assert world.went == [("off>ready", "off")]


async def test_planning_takes_no_slots_of_its_own_and_shows_as_a_phase(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready", resources=["device"])
    tasks = project.plans / "p/tasks/moves.yaml"
    tasks.write_text(tasks.read_text().replace("go_0:\n", "go_0:\n  meta: {resources: [device]}\n"))
    async with running(project, world) as framework:
        with framework.events.subscribe(TaskChanged) as told:
            async with asyncio.timeout(10):
                assert (await framework.submit(Tasklet("p/t"))).ok
            assert [event.phase for event in told.pending()] == ["queued", "planning", "running", "success"]


async def test_the_tasks_time_begins_after_planning(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready", timeout=0.05)
    world.before_go = {"off>ready": asyncio.Event()}
    async with running(project, world) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await world.here.wait()
        await asyncio.sleep(0.1)
        world.before_go["off>ready"].set()
        assert (await work).ok


async def test_two_tasks_of_a_plan_never_plan_at_the_same_time(project: Project, world: World):
    write_states(project, ["off", "day", "night"], ["off>day", "off>night", "day>night", "night>day"])
    write_task(project, "work_by_day", "day")
    write_task(project, "sleep_by_night", "night")
    world.before_go = {"off>day": asyncio.Event()}
    async with running(project, world) as framework, asyncio.TaskGroup() as group:
        first = group.create_task(framework.submit(Tasklet("p/work_by_day")))
        await world.here.wait()
        second = group.create_task(framework.submit(Tasklet("p/sleep_by_night")))
        for _ in range(50):
            await asyncio.sleep(0)
        assert world.went == [("off>day", "off")]
        world.before_go["off>day"].set()
        assert (await first).ok
        assert (await second).ok
    assert world.went == [("off>day", "off"), ("day>night", "day")]


async def test_cancelling_ends_the_transition_before_the_slot_is_free(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready", resources=["device"])
    project.task("other", "meta: {resources: [device]}\nsteps: [{action: work, params: {name: other}}]")
    ended: list[str] = []

    async def go(way: str) -> None:
        world.here.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(f"{way}, while {world.worked}")

    world.go = go
    async with running(project, world) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await world.here.wait()
        other = asyncio.create_task(framework.submit(Tasklet("p/other")))
        work.cancel()
        assert (await other).ok
    assert ended == ["off>ready, while []"]
    assert world.worked == [("other", "off")]


async def test_cancelling_while_parallel_checks_run_ends_them_all(project: Project, world: World):
    write_states(project, {"a": {"parallel": True}, "ready": {"parallel": True}}, ["a>ready"])
    write_task(project, "t", "ready")
    world.before_look = {"a": asyncio.Event(), "ready": asyncio.Event()}
    async with running(project, world) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await world.looks_for("a")
        await world.looks_for("ready")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert framework.execution_manager.busy == 0
        world.before_look.clear()
        world.state = "ready"
        assert (await framework.submit(Tasklet("p/t"))).ok  # the plan's turn is free again


class Person:
    """A chat whose person answers when the test lets them."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answered = asyncio.Event()

    async def ask(self, run: RunInfo, text: str, options: list[str]) -> str:
        self.asked.set()
        await self.answered.wait()
        return "done"


async def test_a_transition_may_ask_a_person_while_another_task_waits_for_its_turn(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    project.task("help", "steps: [{ask: Switch it on please}, {action: go, params: {way: 'off>ready'}}]")
    states = project.plans / "p/states.yaml"
    states.write_text(states.read_text().replace("task: go_0", "task: help"))
    write_task(project, "t", "ready")
    write_task(project, "u", "ready")
    person = Person()
    one = ExecutionLimits(concurrency=1)
    async with running(project, world, services={"chat": person}, limits=one) as framework, asyncio.timeout(20):
        both = [asyncio.create_task(framework.submit(Tasklet(f"p/{name}"))) for name in "tu"]
        await person.asked.wait()
        for _ in range(50):
            await asyncio.sleep(0)
        person.answered.set()
        assert [(await task).ok for task in both] == [True, True]
    assert [way for way, _ in world.went] == ["off>ready"]


async def test_planning_counts_no_outside_effects_of_the_task(project: Project, world: World):
    """A repetition after a crash may plan differently; the keys of the task's own effects must not move."""
    project.write(
        "p/actions/keys.py",
        """
        from aura_core.api import Context, action

        @action("key")
        def key(context: Context) -> str:
            return context.run.once_key("mark")
        """,
    )
    project.task("look", "steps: [{action: key, output_to: k}]\nreturns: true")
    project.write("p/states.yaml", "states: {ready: {check: look}}")
    project.task("t", "meta: {requires_initial_state: ready}\nsteps: [{action: key, output_to: k}]\nreturns: '{{ k }}'")
    async with project.running() as framework:
        result = await framework.submit(Tasklet("p/t", run=RunInfo(idempotency_key="run/step")))
    assert result.result == "run/step/1/mark"


async def test_a_state_that_comes_after_the_last_try_counts(project: Project, world: World):
    states: dict[str, dict[str, Any]] = {"off": {}, "ready": {"verify": {"attempts": 1, "delay": 0}}}
    write_states(project, states, ["off>ready"])
    write_task(project, "t", "ready")
    world.ways["off>ready"] = lambda: "on its way"
    world.before_look = {"ready": asyncio.Event()}
    async with running(project, world, planning=PlanningLimits(replans=0, look_delay=0)) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        for times in (1, 2):
            await world.looks_for("ready", times=times)
            world.before_look["ready"].set()
            world.before_look["ready"] = asyncio.Event()
        await world.looks_for("ready", times=3)
        world.state = "ready"
        world.before_look["ready"].set()
        assert (await work).ok
    assert len(world.went) == 1


async def test_parallel_checks_of_which_none_holds_leave_the_others_to_be_asked(project: Project, world: World):
    parallel: dict[str, dict[str, Any]] = {name: {"parallel": True, "priority": 1} for name in ("ready", "steady")}
    write_states(project, {**parallel, "off": {}}, ["off>ready", "steady>ready"])
    write_task(project, "t", "ready")
    assert (await run(project, world)).ok
    assert sorted(world.looked[:2]) == ["ready", "steady"]
    assert world.looked[2] == "off"


@pytest.mark.parametrize("where", ["check", "transition"])
async def test_a_cancellation_that_comes_back_as_another_error_still_ends_the_task(
    project: Project, world: World, where: str
):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")

    async def turned(_name: str) -> bool:
        world.here.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("the device went away") from None
        return False

    if where == "check":
        world.look = turned
    else:
        world.go = turned
    async with running(project, world) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await world.here.wait()
        with framework.events.subscribe(TaskChanged) as told:
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert [event.phase for event in told.pending()] == ["cancelled"]
    assert world.worked == []


@pytest.fixture
def ending() -> Iterator[None]:
    with may_end(lambda: True):
        yield


async def test_what_fails_while_the_task_is_being_ended_is_its_end_and_no_answer(ending: None):
    async def too_late(_ref: str) -> TaskResult:
        raise TimeoutError("too late")

    with pytest.raises(asyncio.CancelledError):
        await Sensing("p", {"ready": State(check="look")}, too_late).holds("ready")
    journey = Transitions(
        "p/t",
        "p",
        states=None,  # pyright: ignore[reportArgumentType] (one transition looks at no others)
        routes=None,  # pyright: ignore[reportArgumentType]
        sensing=None,  # pyright: ignore[reportArgumentType]
        travel=too_late,
        limits=QUICK,
    )
    with pytest.raises(asyncio.CancelledError):
        await journey._run(Transition.model_validate({"from": "off", "to": "ready", "task": "go"}))


async def test_a_state_can_be_reached_outside_any_task(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    project.task("free", "steps: []")
    async with running(project, world) as framework:
        planner = StatePlanner(framework.orchestrator, QUICK)
        find = framework.orchestrator("p").runtime.find_task
        await planner.reach(find("free"), RunInfo())
        assert world.looked == []
        await planner.reach(find("t"), RunInfo())
    assert world.state == "ready"


async def test_a_state_that_an_edit_took_away_is_named(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    async with running(project, world) as framework:
        task = framework.orchestrator("p").runtime.find_task("t")
    write_states(project, ["off", "set"], ["off>set"])
    project.task("t", "steps: []")
    async with running(project, world) as framework:
        with pytest.raises(StatePlanningError, match="requires the state 'ready', which plan p does not have"):
            await StatePlanner(framework.orchestrator, QUICK).reach(task, RunInfo())


async def test_a_task_whose_state_is_not_reached_does_not_begin_and_has_failed_for_its_hooks(
    project: Project, world: World
):
    write_states(project, ["off", "other", "ready"], ["other>ready"])
    write_task(project, "t", "ready")
    seen: list[str] = []
    with structlog.testing.capture_logs() as logs:
        async with running(project, world) as framework:
            for moment in ("before_task_run", "after_task_success", "after_task_failure", "after_task_run"):
                framework.hooks.register(moment, lambda moment=moment: seen.append(moment))
            with framework.events.subscribe(TaskChanged) as told:
                await framework.submit(Tasklet("p/t"))
                assert [event.phase for event in told.pending()] == ["queued", "planning", "error"]
    assert seen == ["after_task_failure", "after_task_run"]
    assert [entry["status"] for entry in logs if entry["event"] == "task_failed"] == ["error"]
    assert "task_crashed" not in [entry["event"] for entry in logs]
    assert world.worked == []


async def test_a_bug_in_planning_is_an_unexpected_error_and_no_failure_to_plan(project: Project, world: World):
    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")

    class Broken(StatePlanner):
        async def reach(self, task: TaskDefinition, run: RunInfo) -> None:
            raise ZeroDivisionError

    with structlog.testing.capture_logs() as logs:
        async with running(project, world) as framework:
            framework.execution_manager.state_planner = Broken(framework.orchestrator)
            result = await framework.submit(Tasklet("p/t"))
    assert result.error is not None
    assert result.error.type == "ZeroDivisionError"
    assert "task_crashed" in [entry["event"] for entry in logs]


async def test_planning_begins_when_the_task_has_its_places_and_keeps_them_until_it_has_run(
    project: Project, world: World
):
    write_states(project, ["off", "ready"], ["off>ready"])
    for name in ("t", "u"):
        write_task(project, name, "ready", resources=["device"])
    world.before_go = {"off>ready": asyncio.Event()}
    world.before_work = {"t": asyncio.Event()}
    async with running(project, world) as framework, asyncio.TaskGroup() as group:
        with framework.events.subscribe(TaskChanged) as told:
            works = [group.create_task(framework.submit(Tasklet(f"p/{name}"))) for name in "tu"]
            await world.here.wait()
            world.here.clear()
            world.before_go["off>ready"].set()
            await world.here.wait()
            assert [(event.task, event.phase) for event in told.pending() if event.task == "p/u"] == [("p/u", "queued")]
            world.before_work["t"].set()
            assert [(await work).ok for work in works] == [True, True]
    assert [name for name, _ in world.worked] == ["t", "u"]


async def test_planning_is_not_recorded_with_whatever_submitted_the_task(project: Project, world: World):
    class Nowhere:
        def recall(self, key: str) -> Any:
            raise AssertionError(key)

        async def record(self, entries: Any) -> None:
            raise AssertionError(entries)

    write_states(project, ["off", "ready"], ["off>ready"])
    write_task(project, "t", "ready")
    begin(Nowhere(), "")
    try:
        assert (await run(project, world)).result == "t"
    finally:
        begin(None, "")
