"""A task that has done its steps and waits for handlers: what it holds while they wait for a person."""

from __future__ import annotations

import asyncio

import pytest

from aura_core.execution.task_events import TaskChanged
from aura_core.framework import Framework
from aura_core.interrupts import InterruptFired
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.guarded import Disk, write_guarded
from tests.fixtures.project import Project


class Person:
    """Is asked one thing, and answers when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()

    async def ask(self, run: RunInfo, text: str, options: object = ()) -> str:
        self.asked.set()
        await self.answers.wait()
        return "yes"


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def person() -> Person:
    return Person()


def begin(framework: Framework, task: str = "p/t") -> asyncio.Task[TaskResult]:
    return asyncio.create_task(framework.submit(Tasklet(task)))


def held(framework: Framework) -> int:
    return framework.execution_manager.resources.semaphores["cam"].held


def write(project: Project, *guards: str) -> None:
    """The task `t` in the place `cam`, whose handler of `asks` asks before it sweeps; that of any other sweeps."""
    write_guarded(project, {name: {"mode": "beside", "cooldown": "1h", "task": f"{name}_h"} for name in guards})
    for name in guards:
        question = "{ask: Sweep?}, " if name == "asks" else ""
        project.task(f"{name}_h", f"steps: [{question}{{action: work, params: {{name: {name}}}}}]")
    steps = "[{action: work, params: {name: a}}]"
    project.task("t", f"meta: {{resources: [cam], activates_interrupts: [{', '.join(guards)}]}}\nsteps: {steps}")
    project.task("u", "meta: {resources: [cam]}\nsteps: [{action: work, params: {name: other}}]")


async def test_its_places_are_given_back_while_a_handler_beside_it_asks(project: Project, disk: Disk, person: Person):
    write(project, "asks")
    disk.waits = {"a", "asks"}
    disk.low["asks"] = True
    async with project.running(services={"disk": disk, "chat": person}) as framework:
        with framework.events.subscribe(TaskChanged, lambda event: event.task == "p/t") as told:
            work = begin(framework)
            await person.asked.wait()
            assert held(framework) == 1
            disk.go("a")
            assert (await asyncio.wait_for(begin(framework, "p/u"), 20)).ok
            assert (held(framework), work.done()) == (0, False)
            person.answers.set()
            await disk.begun("asks")
            assert held(framework) == 1
            disk.go("asks")
            assert (await work).ok
            phases = [event.phase for event in told.pending()]
        assert held(framework) == 0
    assert phases == ["queued", "running", "waiting", "running", "success"]


async def test_they_are_kept_while_another_handler_works(project: Project, disk: Disk, person: Person):
    write(project, "asks", "works")
    disk.waits = {"a", "works"}
    disk.low = {"asks": True, "works": True}
    async with project.running(services={"disk": disk, "chat": person}) as framework:
        work = begin(framework)
        await person.asked.wait()
        await disk.begun("works")
        disk.go("a")
        other = begin(framework, "p/u")
        await disk.looked("works", 0)
        assert "other begins" not in disk.log
        disk.go("works")
        assert (await asyncio.wait_for(other, 20)).ok
        assert not work.done()
        person.answers.set()
        assert (await work).ok
    assert disk.log[-2:] == ["asks begins", "asks done"]


async def test_a_task_whose_handlers_only_work_keeps_them_to_its_end(project: Project, disk: Disk):
    write(project, "works")
    disk.waits = {"a", "works"}
    disk.low["works"] = True
    async with project.running(services={"disk": disk}) as framework:
        with framework.events.subscribe(TaskChanged, lambda event: event.task == "p/t") as told:
            work = begin(framework)
            await disk.begun("works")
            disk.go("a")
            other = begin(framework, "p/u")
            disk.go("works")
            assert (await work).ok
            assert (await other).ok
            phases = [event.phase for event in told.pending()]
    assert phases == ["queued", "running", "success"]


async def test_cancelling_it_meanwhile_ends_the_handler_and_leaves_nothing_taken(
    project: Project, disk: Disk, person: Person
):
    write(project, "asks")
    disk.waits = {"a"}
    disk.low["asks"] = True
    async with project.running(services={"disk": disk, "chat": person}) as framework:
        with framework.events.subscribe(InterruptFired) as told:
            work = begin(framework)
            await person.asked.wait()
            disk.go("a")
            assert (await asyncio.wait_for(begin(framework, "p/u"), 20)).ok
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert [event.phase for event in told.pending()] == ["began", "failed"]
        assert held(framework) == 0
        assert (await begin(framework, "p/u")).ok
