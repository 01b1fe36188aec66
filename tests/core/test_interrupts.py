"""Interrupts: what a guard finds while a task runs is handled first, and the task loses nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Any

import pytest
import structlog

from aura_core.errors import NotFoundError
from aura_core.execution.slots import Slots
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.ground.events import EventBus
from aura_core.interrupts import InterruptFired, InterruptService
from aura_core.interrupts.watched import Watched
from aura_core.interrupts.watcher import Watcher
from aura_core.language.interrupts import Interrupt, InterruptCondition
from aura_core.orchestrator import Orchestrator
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.guarded import Disk, write_guarded
from tests.fixtures.project import Project


@pytest.fixture
def disk() -> Disk:
    return Disk()


@asynccontextmanager
async def running(project: Project, disk: Disk, **options: Any) -> AsyncIterator[Framework]:
    before = asyncio.all_tasks()
    async with project.running(services={"disk": disk, **options.pop("services", {})}, **options) as framework:
        yield framework
    assert asyncio.all_tasks() == before


def begin(framework: Framework, task: str = "p/t", **fields: Any) -> asyncio.Task[TaskResult]:
    return asyncio.create_task(framework.submit(Tasklet(task, **fields)))


async def test_a_task_is_held_between_two_steps_while_the_handler_runs(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        await asyncio.sleep(0)
        disk.go("a")
        assert (await work).status == "success"
    assert disk.log == ["a begins", "a done", "sweep begins", "sweep done", "b begins", "b done"]


async def test_a_handler_beside_runs_while_the_task_works_on(project: Project, disk: Disk):
    write_guarded(project, {"low": {"mode": "beside"}})
    disk.waits = {"a", "sweep"}
    disk.low["low"] = True
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("sweep")
        disk.go("a")
        await disk.begun("b")
        disk.go("sweep")
        assert (await work).ok
    assert disk.log.index("sweep begins") < disk.log.index("b begins") < disk.log.index("sweep done")


async def test_after_a_handler_the_guard_rests_for_its_cooldown(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h", "mode": "beside"}, "other": {}})
    disk.waits = {"a"}
    disk.low["low"] = True
    async with running(project, disk) as framework:
        with framework.events.subscribe(InterruptFired, lambda event: event.phase == "done") as done:
            work = begin(framework)
            event = await asyncio.wait_for(done.next(), 20)
            looks = disk.looks["low"]
            disk.low["low"] = True
            await disk.looked("other", 5)
            assert disk.looks["low"] == looks
            disk.go("a")
            assert (await work).ok
    assert (event.interrupt, event.handler, event.mode, event.task) == ("p/low", "p/sweep", "beside", "p/t")
    assert disk.log.count("sweep begins") == 1


async def test_without_a_cooldown_a_guard_looks_again(project: Project, disk: Disk):
    write_guarded(project, {"low": {"mode": "beside"}})
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        with framework.events.subscribe(InterruptFired, lambda event: event.phase == "done") as done:
            work = begin(framework)
            for _ in range(3):
                disk.low["low"] = True
                await asyncio.wait_for(done.next(), 20)
            disk.go("a")
            assert (await work).ok


async def test_a_task_that_activates_nothing_is_not_watched(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    project.task("plain", "steps: [{action: work, params: {name: a}}]")
    disk.low["low"] = True
    async with running(project, disk) as framework:
        assert (await framework.submit(Tasklet("p/plain"))).ok
    assert disk.looks == {}


async def test_a_condition_that_raises_is_logged_once_and_the_task_goes_on(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    disk.waits = {"a"}
    disk.broken = {"low"}
    with structlog.testing.capture_logs() as log:
        async with running(project, disk) as framework:
            work = begin(framework)
            await disk.looked("low", 4)
            disk.broken = set()
            await disk.looked("low", 2)
            disk.go("a")
            assert (await work).ok
    failed = [entry for entry in log if entry["event"] == "interrupt_condition_failed"]
    assert len(failed) == 1
    assert "no such disk" in failed[0]["reason"]


async def test_a_condition_that_hangs_is_ended(project: Project, disk: Disk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aura_core.interrupts.handling.CONDITION_SECONDS", 0.05)
    project.write(
        "p/actions/hang.py",
        """
        import asyncio
        from aura_core.api import action, requires_services

        @action("hang")
        @requires_services(disk="disk")
        async def hang(disk):
            disk.log.append("hangs")
            await asyncio.Event().wait()
        """,
    )
    write_guarded(project, {"low": {}})
    project.write("p/interrupts.yaml", "low: {condition: {action: hang}, task: sweep, every: 10ms}")
    disk.waits = {"a"}
    with structlog.testing.capture_logs() as log:
        async with running(project, disk) as framework:
            work = begin(framework)
            while disk.log.count("hangs") < 2:  # noqa: ASYNC110 (the second look is what shows that the first was ended)
                await asyncio.sleep(0.01)
            disk.go("a")
            assert (await work).ok
    assert "interrupt_condition_failed" in [entry["event"] for entry in log]


async def test_a_handler_that_fails_is_told_and_the_task_goes_on(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h"}})
    project.task("sweep", "steps: [{action: fail, params: {message: the broom broke}}]")
    disk.waits = {"a"}
    with structlog.testing.capture_logs() as log:
        async with running(project, disk) as framework:
            with framework.events.subscribe(InterruptFired) as told:
                work = begin(framework)
                await disk.begun("a")
                disk.low["low"] = True
                await disk.looked("low")
                disk.go("a")
                assert (await work).ok
                events = told.pending()
    assert [event.phase for event in events] == ["began", "failed"]
    assert events[1].error is not None
    assert "the broom broke" in events[1].error.message
    assert "interrupt_handler_failed" in [entry["event"] for entry in log]
    assert disk.log[-1] == "b done"


async def test_a_handler_has_a_limit(project: Project, disk: Disk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aura_core.interrupts.handling.HANDLER_SECONDS", 0.05)
    write_guarded(project, {"low": {"cooldown": "1h", "mode": "beside"}})
    disk.low["low"] = True
    disk.waits = {"a", "sweep"}
    async with running(project, disk) as framework:
        with framework.events.subscribe(InterruptFired, lambda event: event.phase == "failed") as failed:
            work = begin(framework)
            event = await asyncio.wait_for(failed.next(), 20)
            disk.go("a")
            assert (await work).ok
    assert event.error is not None
    assert "sweep" in event.error.message


async def test_the_tasks_clock_stands_still_while_it_is_held(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h"}})
    disk.waits = {"a", "sweep"}
    async with running(project, disk) as framework:
        work = begin(framework, timeout=0.5)
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        await disk.begun("sweep")
        await asyncio.sleep(0.6)
        disk.go("sweep")
        assert (await work).status == "success"


async def test_after_the_handler_the_clock_goes_on(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h"}})
    disk.waits = {"a", "b"}
    async with running(project, disk) as framework:
        work = begin(framework, timeout=0.3)
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        assert (await work).status == "timeout"
    assert "sweep done" in disk.log


async def test_the_clock_stands_still_also_while_the_pause_waits_for_another_task(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "cooldown": "1h"}})
    project.task("u", "steps: [{action: work, params: {name: c}}]")
    disk.waits = {"a", "c"}
    async with running(project, disk) as framework:
        work, other = begin(framework, timeout=0.5), begin(framework, "p/u")
        await disk.begun("a")
        await disk.begun("c")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        await asyncio.sleep(0.6)
        disk.go("c")
        assert (await work).status == "success"
        assert (await other).ok
    assert disk.log.index("c done") < disk.log.index("sweep begins") < disk.log.index("b begins")


async def test_the_clock_runs_while_an_action_works_on_although_a_handler_waits_for_it(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework, timeout=0.2)
        await disk.begun("a")
        disk.low["low"] = True
        assert (await work).status == "timeout"
    assert disk.log == ["a begins"]


async def test_a_task_that_begins_while_all_are_held_is_held_before_its_state_planning(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "cooldown": "1h"}})
    project.task("stands", "steps: [{action: low, params: {name: there}, continue_on_failure: true}]\nreturns: true")
    project.write("p/states.yaml", "states: {there: {check: stands}}")
    project.task("u", "meta: {requires_initial_state: there}\nsteps: []")
    disk.waits = {"a", "sweep"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        await disk.begun("sweep")
        other = begin(framework, "p/u")
        for _ in range(100):
            await asyncio.sleep(0)
        assert disk.looks["there"] == 0
        disk.go("sweep")
        assert (await work).ok
        assert (await other).ok
    assert disk.looks["there"] == 1


SLOW = """
import threading

from aura_core.api import action, requires_services


@action("slow")
@requires_services(gate="gate")
def slow(gate: threading.Event, looks: str = "") -> bool:
    gate.looks += 1
    gate.wait(20)
    return False
"""


class Opened(threading.Event):
    looks = 0


@pytest.mark.parametrize("scope", ["task", "global"])
async def test_a_plain_condition_that_hangs_keeps_no_place_and_one_thread(
    project: Project, monkeypatch: pytest.MonkeyPatch, scope: str
):
    monkeypatch.setattr("aura_core.interrupts.handling.CONDITION_SECONDS", 0.02)
    project.write("p/actions/slow.py", SLOW)
    project.write("p/interrupts.yaml", f"i: {{condition: {{action: slow}}, task: h, every: 10ms, scope: {scope}}}")
    project.task("h", "steps: []")
    activated = "[i]" if scope == "task" else "[]"
    project.task("t", CAM.format(activated, "{action: echo, params: {value: 1}, wait_before: 0.2}"))
    project.task("plain", "steps: [{action: block, params: {seconds: 0}}]")
    gate = Opened()
    async with project.running(services={"gate": gate}, limits=ExecutionLimits(threads=2)) as framework:
        try:
            assert (await begin(framework)).ok
            assert held(framework) == 0
            assert (await asyncio.wait_for(begin(framework, "p/plain"), 10)).ok
            assert gate.looks == 1
        finally:
            gate.set()


class Person:
    """Is asked, and answers when the test says so."""

    def __init__(self) -> None:
        self.asked: dict[str, asyncio.Event] = {}
        self.answers: dict[str, asyncio.Event] = {}

    async def ask(self, run: RunInfo, text: str, options: object = ()) -> str:
        self.of(self.asked, text).set()
        await self.of(self.answers, text).wait()
        return "yes"

    def of(self, events: dict[str, asyncio.Event], text: str) -> asyncio.Event:
        return events.setdefault(text, asyncio.Event())


CAM = "meta: {{resources: [cam], activates_interrupts: {0}}}\nsteps: [{1}]"


def held(framework: Framework) -> int:
    return framework.execution_manager.resources.semaphores["cam"].held


async def test_a_handler_that_waits_for_places_holds_up_nobody_who_has_them(project: Project, disk: Disk):
    write_guarded(project, {"mine": {"cooldown": "1h"}, "all": {"scope": "global", "cooldown": "1h"}})
    asking = "{parallel: [[{action: work, params: {name: a}}], [{ask: Go on?}]]}"
    project.task("t", CAM.format("[mine]", asking))
    project.task("u", CAM.format("[]", "{action: work, params: {name: c}}, {action: work, params: {name: d}}"))
    person, disk.waits = Person(), {"a", "c"}
    async with running(project, disk, services={"chat": person}) as framework:
        work, other = begin(framework), begin(framework, "p/u")
        await disk.begun("a")
        await person.of(person.asked, "Go on?").wait()
        disk.low["mine"] = True
        await disk.looked("mine")
        disk.go("a")
        await disk.begun("c")
        disk.low["all"] = True
        await disk.looked("all")
        disk.go("c")
        person.of(person.answers, "Go on?").set()
        results = await asyncio.wait_for(asyncio.gather(work, other), 20)
    assert all(result.ok for result in results)
    assert disk.log.count("sweep begins") == 2


async def test_a_handler_that_asks_while_all_others_wait_too_keeps_the_places(project: Project, disk: Disk):
    write_guarded(project, {"mine": {"cooldown": "1h"}, "all": {"scope": "global", "cooldown": "1h", "task": "quiet"}})
    project.task("sweep", "steps: [{ask: Sweep?}]")
    project.task("quiet", "steps: [{action: sweep}]")
    project.task("t", CAM.format("[mine]", "{parallel: [[{action: work, params: {name: a}}], [{ask: Go on?}]]}"))
    project.task("u", CAM.format("[]", "{action: work, params: {name: c}}, {action: work, params: {name: d}}"))
    person, disk.waits = Person(), {"a", "c"}
    async with running(project, disk, services={"chat": person}) as framework:
        work, other = begin(framework), begin(framework, "p/u")
        await disk.begun("a")
        await person.of(person.asked, "Go on?").wait()
        disk.low["mine"] = True
        await disk.looked("mine")
        disk.go("a")
        await person.of(person.asked, "Sweep?").wait()
        for _ in range(50):
            await asyncio.sleep(0)
        assert "c begins" not in disk.log
        disk.go("c")
        disk.low["all"] = True
        person.of(person.answers, "Sweep?").set()
        person.of(person.answers, "Go on?").set()
        results = await asyncio.wait_for(asyncio.gather(work, other), 20)
    assert all(result.ok for result in results)


async def test_a_pause_does_not_wait_for_what_a_step_waits_before_it_begins(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h"}}, "[{action: work, params: {name: a}, wait_before: 0.5}]")
    disk.low["low"] = True
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("sweep")
        assert not work.done()
        assert (await work).ok
    assert disk.log == ["sweep begins", "sweep done", "a begins", "a done"]


async def test_a_global_handler_outlives_the_task_that_happened_to_be_the_last(project: Project, disk: Disk):
    write_guarded(project, {"all": {"scope": "global", "mode": "beside", "cooldown": "1h"}})
    disk.waits = {"a", "sweep"}
    disk.low["all"] = True
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("sweep")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert "sweep done" not in disk.log
        disk.go("sweep")
        with framework.events.subscribe(InterruptFired, lambda event: event.phase == "done") as done:
            await asyncio.wait_for(done.next(), 20)
    assert "sweep done" in disk.log


async def test_a_handler_that_holds_the_task_keeps_its_places_while_it_asks(project: Project, disk: Disk):
    write_guarded(project, {"mine": {"cooldown": "1h"}})
    project.task("sweep", "steps: [{ask: Sweep?}, {action: sweep}]")
    project.task("t", CAM.format("[mine]", "{action: work, params: {name: a}}, {ask: Go on?}"))
    person, disk.waits = Person(), {"a"}
    async with running(project, disk, services={"chat": person}) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low["mine"] = True
        await disk.looked("mine")
        disk.go("a")
        await person.of(person.asked, "Sweep?").wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert held(framework) == 1
        person.of(person.answers, "Sweep?").set()
        await person.of(person.asked, "Go on?").wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert held(framework) == 0
        person.of(person.answers, "Go on?").set()
        assert (await work).ok


async def test_cancelling_a_held_task_ends_its_handler_too(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    disk.waits = {"a", "sweep"}
    async with running(project, disk) as framework:
        with framework.events.subscribe(InterruptFired) as told:
            work = begin(framework)
            await disk.begun("a")
            disk.low["low"] = True
            await disk.looked("low")
            disk.go("a")
            await disk.begun("sweep")
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            events = told.pending()
    assert [event.phase for event in events] == ["began", "failed"]
    assert disk.log == ["a begins", "a done", "sweep begins"]


async def test_shutting_down_ends_held_tasks_and_handlers(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    disk.waits = {"sweep"}
    disk.low["low"] = True
    project.task(
        "t",
        "meta: {activates_interrupts: [low]}\nsteps: [{while: true, do: [{action: sleep, params: {seconds: 0.01}}]}]",
    )
    async with running(project, disk, limits=ExecutionLimits(grace=0.1)) as framework:
        work = begin(framework)
        await disk.begun("sweep")
    assert (await work).status == "cancelled"


async def test_a_task_that_ends_lets_its_handler_finish(project: Project, disk: Disk):
    write_guarded(project, {"low": {"mode": "beside", "cooldown": "1h"}})
    disk.waits = {"a", "sweep"}
    disk.low["low"] = True
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("sweep")
        disk.go("a")
        await disk.begun("b")
        disk.go("sweep")
        assert (await work).ok
    assert "sweep done" in disk.log


async def test_all_branches_rest_before_the_handler_begins(project: Project, disk: Disk):
    steps = """
      - parallel:
          - [{action: work, params: {name: a}}, {action: work, params: {name: a2}}]
          - [{action: work, params: {name: b}}, {action: work, params: {name: b2}}]
          - [{run_task: inner}]
    """
    write_guarded(project, {"low": {"cooldown": "1h"}}, "\n" + steps)
    project.task("inner", "steps: [{action: work, params: {name: c}}, {action: work, params: {name: c2}}]")
    disk.waits = {"a", "b", "c"}
    async with running(project, disk) as framework:
        work = begin(framework)
        for name in "abc":
            await disk.begun(name)
        disk.low["low"] = True
        await disk.looked("low")
        for name in "abc":
            disk.go(name)
            await asyncio.sleep(0.02)
        assert (await work).ok
    sweep = disk.log.index("sweep begins")
    assert sorted(disk.log[:sweep]) == ["a begins", "a done", "b begins", "b done", "c begins", "c done"]
    assert disk.log[sweep + 1] == "sweep done"


async def test_of_two_that_hold_the_more_important_is_handled_first(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h"}, "fire": {"cooldown": "1h", "priority": 5, "task": "flee"}})
    project.task("flee", "steps: [{action: work, params: {name: flee}}]")
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low = {"low": True, "fire": True}
        await disk.looked("low")
        disk.go("a")
        assert (await work).ok
    order = [line for line in disk.log if line.endswith("begins")]
    assert order == ["a begins", "flee begins", "sweep begins", "b begins"]


async def test_a_guard_that_waited_for_its_turn_looks_again_before_its_handler_runs(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h"}, "fire": {"cooldown": "1h", "priority": 5}})
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low = {"low": True, "fire": True}
        await disk.looked("low")
        disk.go("a")
        assert (await work).ok
    assert disk.log.count("sweep begins") == 1


async def test_a_global_interrupt_holds_every_running_task_and_those_that_begin_meanwhile(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "cooldown": "1h"}})
    project.task("u", "steps: [{action: work, params: {name: c}}, {action: work, params: {name: d}}]")
    project.task("late", "steps: [{action: work, params: {name: late}}]")
    disk.waits = {"a", "c", "sweep"}
    async with running(project, disk) as framework:
        with framework.events.subscribe(InterruptFired) as told:
            first, second = begin(framework), begin(framework, "p/u")
            await disk.begun("a")
            await disk.begun("c")
            disk.low["low"] = True
            await disk.looked("low")
            disk.go("a")
            disk.go("c")
            await disk.begun("sweep")
            third = begin(framework, "p/late")
            await asyncio.sleep(0.03)
            disk.go("sweep")
            assert all(result.ok for result in await asyncio.gather(first, second, third))
            events = told.pending()
    sweep = disk.log.index("sweep begins")
    assert sorted(disk.log[:sweep]) == ["a begins", "a done", "c begins", "c done"]
    assert disk.log[sweep + 1] == "sweep done"
    assert [(event.phase, event.task) for event in events] == [("began", ""), ("done", "")]


async def test_a_global_interrupt_beside_holds_nobody(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "mode": "beside", "cooldown": "1h"}})
    disk.waits = {"a", "sweep"}
    disk.low["low"] = True
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("sweep")
        disk.go("a")
        await disk.begun("b")
        disk.go("sweep")
        assert (await work).ok
    assert disk.log.index("sweep begins") < disk.log.index("b begins")


async def test_a_task_that_ends_while_all_are_held_is_not_waited_for(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "cooldown": "1h"}})
    project.task("u", "steps: [{action: work, params: {name: c}}]")
    disk.waits = {"a", "c"}
    async with running(project, disk) as framework:
        first, second = begin(framework), begin(framework, "p/u")
        await disk.begun("a")
        await disk.begun("c")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        second.cancel()
        assert (await first).ok
    assert "sweep done" in disk.log


async def test_nothing_looks_while_no_task_runs_and_the_cooldown_outlives_the_task(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "cooldown": "1h"}})
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        assert (await work).ok
        looks = disk.looks["low"]
        disk.low["low"] = True
        await asyncio.sleep(0.05)
        assert (await begin(framework)).ok
        assert disk.looks["low"] == looks
    assert disk.log.count("sweep begins") == 1


async def test_conditions_and_handlers_see_the_settings_of_their_own_plan(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    project.write("p/config.yaml", "where: in p")
    project.write("q/plan.yaml", "requires: [p]")
    project.write("q/config.yaml", "where: in q")
    project.write(
        "q/tasks/t.yaml",
        """
        meta: {activates_interrupts: [p/low]}
        steps: [{action: p/work, params: {name: a}}, {action: p/work, params: {name: b}}]
        """,
    )
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework, "q/t")
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        assert (await work).ok
    assert disk.places == {"in p"}


async def test_a_handler_takes_no_place_of_its_own(project: Project, disk: Disk):
    write_guarded(project, {"low": {"cooldown": "1h"}})
    project.task("sweep", "meta: {resources: [disk]}\nsteps: [{action: sweep}]")
    disk.waits = {"a"}
    async with running(project, disk, limits=ExecutionLimits(concurrency=1)) as framework:
        work = begin(framework, resources=("disk",))
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        assert (await asyncio.wait_for(work, 20)).ok
    assert "sweep done" in disk.log


async def test_a_task_is_not_watched_while_it_waits_for_a_person(project: Project, disk: Disk):
    write_guarded(project, {"low": {}}, "[{ask: Really?, output_to: x}, {action: work, params: {name: b}}]")
    person = Person()
    async with running(project, disk, services={"chat": person}) as framework:
        work = begin(framework)
        await person.of(person.asked, "Really?").wait()
        await asyncio.sleep(0.05)
        looks = disk.looks["low"]
        await asyncio.sleep(0.05)
        assert disk.looks["low"] == looks
        person.of(person.answers, "Really?").set()
        assert (await work).ok


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("low: {condition: {action: lwo}, task: sweep}", "no action 'lwo'"),
        ("low: {condition: {action: low}, task: swep}", "no task 'swep'"),
        ("low: {condition: {action: work, params: {name: x}}, task: sweep}", "read"),
        ("low: {condition: {action: low}, task: sweep, every: 0}", "above zero"),
        ("low: {condition: {action: low}, task: sweep, every: 1ms}", "10ms or more"),
        ("low: {condition: {action: low}, task: sweep, every: soon}", "not a duration"),
        ("low: {condition: {action: low}, task: sweep, mode: stop}", "pause"),
        ("low: {condition: {action: low}, task: sweep, scope: all}", "global"),
        ("low: {condition: {action: low}}", "task"),
        ("low: {condition: {action: low}, task: sweep, evry: 5}", "did you mean 'every'"),
        ("[1, 2]", "mapping"),
        ("other: {condition: {action: low}, task: sweep}", "no interrupt 'low'"),
    ],
)
async def test_mistakes_are_found_before_anything_runs(project: Project, disk: Disk, text: str, said: str):
    write_guarded(project, {"low": {}})
    project.write("p/interrupts.yaml", text)
    async with project.running_with_problems(services={"disk": disk}) as framework:
        problems = [str(problem) for problem in framework.problems]
    assert any(said in problem and ".yaml:" in problem for problem in problems), problems


async def test_cancelling_a_task_whose_handler_waits_for_a_running_action(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert disk.log == ["a begins"]


async def test_cancelling_a_task_that_has_done_its_steps_ends_the_handler_it_waits_for(project: Project, disk: Disk):
    write_guarded(project, {"low": {"mode": "beside"}})
    disk.waits = {"a", "sweep"}
    disk.low["low"] = True
    async with running(project, disk) as framework:
        with framework.events.subscribe(InterruptFired) as told:
            work = begin(framework)
            await disk.begun("sweep")
            disk.go("a")
            await disk.begun("b")
            await asyncio.sleep(0.02)
            assert not work.done()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert [event.phase for event in told.pending()] == ["began", "failed"]


async def test_a_task_that_is_cancelled_while_all_are_held_leaves_the_others_held(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "cooldown": "1h"}})
    project.task("u", "steps: [{action: work, params: {name: c}}, {action: work, params: {name: d}}]")
    disk.waits = {"a", "c", "sweep"}
    async with running(project, disk) as framework:
        first, second = begin(framework), begin(framework, "p/u")
        await disk.begun("a")
        await disk.begun("c")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        disk.go("c")
        await disk.begun("sweep")
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert "b begins" not in disk.log
        disk.go("sweep")
        assert (await first).ok
    assert "d begins" not in disk.log
    assert disk.log.index("sweep done") < disk.log.index("b begins")


async def test_a_global_interrupt_that_a_task_also_activates_watches_once(project: Project, disk: Disk):
    write_guarded(project, {"low": {"scope": "global", "cooldown": "1h"}})
    project.task(
        "t",
        """
        meta: {activates_interrupts: [low]}
        steps: [{action: work, params: {name: a}}, {action: work, params: {name: b}}]
        """,
    )
    disk.waits = {"a"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        disk.go("a")
        assert (await work).ok
    assert disk.log.count("sweep begins") == 1


async def test_a_condition_that_does_not_answer_keeps_no_other_from_being_handled(
    project: Project, disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.interrupts.watcher.PATIENCE", 0.02)
    write_guarded(project, {"low": {"mode": "beside", "cooldown": "1h"}, "stuck": {"priority": 9}})
    disk.waits, disk.stuck = {"a"}, {"stuck"}
    disk.low["low"] = True
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("sweep")
        disk.go("a")
        assert (await work).ok
    assert disk.looks["stuck"] == 1


async def test_a_condition_that_answers_late_is_handled_all_the_same(
    project: Project, disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.interrupts.watcher.PATIENCE", 0.01)
    write_guarded(project, {"low": {"mode": "beside", "cooldown": "1h"}, "late": {"mode": "beside", "task": "flee"}})
    project.task("flee", "steps: [{action: work, params: {name: flee}}]")
    disk.waits, disk.stuck = {"a"}, {"late"}
    disk.low = {"low": True, "late": True}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.begun("sweep")
        disk.low["late"] = True
        disk.unstick("late")
        await disk.begun("flee")
        disk.low["late"] = False
        disk.go("a")
        assert (await work).ok
    assert disk.log[-1] == "b done"


@pytest.mark.parametrize("scope", ["task", "global"])
@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_condition_that_makes_an_error_of_its_end_keeps_nothing_running(
    project: Project, disk: Disk, scope: str, cancelled: bool
):
    write_guarded(project, {"low": {"scope": scope}})
    disk.waits, disk.deaf = {"a"}, {"low"}
    async with running(project, disk) as framework:
        work = begin(framework)
        await disk.looked("low")
        if cancelled:
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(work, 20)
        else:
            disk.go("a")
            assert (await asyncio.wait_for(work, 20)).ok
    assert disk.looks["low"] == 1


async def test_a_handler_that_makes_an_error_of_its_end_is_told_and_ends(project: Project, disk: Disk):
    write_guarded(project, {"low": {}})
    disk.waits, disk.deaf = {"a", "sweep"}, {"sweep"}
    async with running(project, disk) as framework:
        with framework.events.subscribe(InterruptFired) as told:
            work = begin(framework)
            await disk.begun("a")
            disk.low["low"] = True
            await disk.looked("low")
            disk.go("a")
            await disk.begun("sweep")
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert [event.phase for event in told.pending()] == ["began", "failed"]


async def test_an_interrupt_whose_handler_was_ended_before_its_first_turn_is_looked_at_again():
    handled: list[str] = []
    ends: list[asyncio.Task[None]] = []

    class Due(dict[str, float]):
        def __setitem__(self, ref: str, moment: float) -> None:
            super().__setitem__(ref, moment)
            if moment == inf:
                ends.append(asyncio.create_task(watcher.stop(finish=True)))

    async def holds(_one: Watched) -> bool:
        return True

    async def handle(one: Watched, begun: Callable[[], None]) -> None:
        handled.append(one.ref)
        begun()

    condition = InterruptCondition(action="low")
    one = Watched("p", "low", Interrupt(condition=condition, task="sweep"))
    due = Due()
    watcher = Watcher(lambda: [one], check=holds, handle=handle, asleep=lambda: False, due=due)
    watcher.start()
    while not ends:  # noqa: ASYNC110 (each turn of the loop counts)
        await asyncio.sleep(0)
    await asyncio.gather(*ends)
    assert handled == []
    assert due["p/low"] < inf


async def test_of_an_interrupt_that_is_there_no_more_nobody_is_told(project: Project, disk: Disk):
    """A task whose interrupt an edit took away runs as if it had never been there."""
    write_guarded(project, {"low": {}})
    async with running(project, disk) as framework:
        task = framework.orchestrator("p").runtime.find_task("t")
    service = InterruptService(dict, nobody, EventBus())
    assert service.guard(task, RunInfo(), Slots([], 0, lambda _phase: None)) is None


def nobody(plan: str) -> Orchestrator:
    raise NotFoundError(f"There is no plan {plan!r}.")
