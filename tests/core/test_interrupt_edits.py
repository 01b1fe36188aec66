"""Interrupts of global scope under edits: the version on disk counts, also for a task that began before."""

from __future__ import annotations

import asyncio
import threading

import pytest

from aura_core.framework import Framework
from aura_core.interrupts import InterruptFired
from aura_core.tasklet import Tasklet, TaskResult
from tests.fixtures.guarded import Disk, write_guarded
from tests.fixtures.project import Project

GLOBAL = {"scope": "global", "mode": "beside", "cooldown": "1h"}


def begin(framework: Framework) -> asyncio.Task[TaskResult]:
    return asyncio.create_task(framework.submit(Tasklet("p/t")))


async def test_an_edited_interrupt_watches_over_a_task_that_began_before_the_edit(project: Project):
    disk = Disk()
    disk.waits = {"a"}
    write_guarded(project, {"before": GLOBAL})
    async with project.running(services={"disk": disk}) as framework:
        work = begin(framework)
        await disk.looked("before")
        write_guarded(project, {"after": GLOBAL, "another": GLOBAL})
        assert (await framework.reload()).reloaded == ("p",)
        looks = disk.looks["before"]
        await asyncio.wait_for(disk.looked("after", 3), 20)
        await asyncio.wait_for(disk.looked("another", 3), 20)
        assert disk.looks["before"] <= looks + 1
        disk.low["after"] = True
        await asyncio.wait_for(disk.begun("sweep"), 20)
        disk.go("a")
        assert (await work).ok


async def test_an_interrupt_that_an_edit_took_away_is_not_looked_at_any_more(project: Project):
    disk = Disk()
    disk.waits = {"a"}
    write_guarded(project, {"stays": GLOBAL, "goes": GLOBAL})
    async with project.running(services={"disk": disk}) as framework:
        work = begin(framework)
        await disk.looked("goes")
        write_guarded(project, {"stays": GLOBAL})
        await framework.reload()
        await asyncio.wait_for(disk.looked("stays", 2), 20)
        looks, disk.low["goes"] = disk.looks["goes"], True
        await asyncio.wait_for(disk.looked("stays", 3), 20)
        assert disk.looks["goes"] == looks
        disk.go("a")
        assert (await work).ok
    assert "sweep begins" not in disk.log


async def test_when_the_last_one_was_taken_away_the_next_one_is_found_all_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.interrupts.watcher.LONGEST_SLEEP", 0.02)
    disk = Disk()
    disk.waits = {"a"}
    write_guarded(project, {"before": GLOBAL})
    async with project.running(services={"disk": disk}) as framework:
        work = begin(framework)
        await disk.looked("before")
        (project.plans / "p/interrupts.yaml").unlink()
        await framework.reload()
        write_guarded(project, {"after": GLOBAL})
        await framework.reload()
        await asyncio.wait_for(disk.looked("after"), 20)
        disk.go("a")
        assert (await work).ok


async def test_one_that_is_looked_at_once_an_hour_is_looked_at_when_it_was_edited(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.interrupts.watcher.LONGEST_SLEEP", 0.02)
    disk = Disk()
    disk.waits = {"a"}
    write_guarded(project, {"low": {**GLOBAL, "every": "1h"}})
    async with project.running(services={"disk": disk}) as framework:
        work = begin(framework)
        await disk.looked("low")
        write_guarded(project, {"low": GLOBAL})
        await framework.reload()
        await asyncio.wait_for(disk.looked("low", 2), 20)
        disk.go("a")
        assert (await work).ok


async def test_an_edit_of_something_else_ends_no_cooldown(project: Project):
    disk = Disk()
    disk.waits = {"a"}
    disk.low["low"] = True
    write_guarded(project, {"low": GLOBAL})
    async with project.running(services={"disk": disk}) as framework:
        with framework.events.subscribe(InterruptFired, lambda event: event.phase == "done") as done:
            work = begin(framework)
            await asyncio.wait_for(done.next(), 20)
        looks = disk.looks["low"]
        write_guarded(project, {"low": GLOBAL, "other": GLOBAL})
        await framework.reload()
        await asyncio.wait_for(disk.looked("other", 3), 20)
        assert disk.looks["low"] == looks
        disk.go("a")
        assert (await work).ok


async def test_one_that_was_edited_while_its_handler_ran_is_looked_at_when_that_has_ended(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.interrupts.watcher.LONGEST_SLEEP", 0.02)
    disk = Disk()
    disk.waits, disk.low = {"a", "sweep"}, {"low": True}
    write_guarded(project, {"low": GLOBAL, "other": GLOBAL})
    async with project.running(services={"disk": disk}) as framework:
        work = begin(framework)
        await asyncio.wait_for(disk.begun("sweep"), 20)
        write_guarded(project, {"low": {**GLOBAL, "cooldown": "10ms"}, "other": GLOBAL})
        await framework.reload()
        await asyncio.wait_for(disk.looked("other", 3), 20)
        disk.go("sweep")
        await asyncio.wait_for(disk.looked("low", 2), 20)
        disk.go("a")
        assert (await work).ok


async def test_a_plain_condition_that_hangs_and_is_mended_by_an_edit_is_looked_at_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.interrupts.watcher.LONGEST_SLEEP", 0.02)
    monkeypatch.setattr("aura_core.interrupts.handling.CONDITION_SECONDS", 0.02)
    plain = """
        from typing import Any
        from aura_core.api import action, requires_services

        @action("plain")
        @requires_services(door="door")
        def plain(door: Any) -> bool:
            {0}
            return False
    """
    disk, door = Disk(), Door()
    disk.waits = {"a"}
    write_guarded(project, {"other": {**GLOBAL, "cooldown": 0}})
    project.write("p/interrupts.yaml", "i: {condition: {action: plain}, task: sweep, every: 10ms, scope: global}")
    project.write("p/actions/plain.py", plain.format("door.come()"))
    async with project.running(services={"disk": disk, "door": door}) as framework:
        work = begin(framework)
        async with asyncio.timeout(20):
            while not door.waiting:  # noqa: ASYNC110 (a thread has no event of the loop)
                await asyncio.sleep(0.01)
        project.write("p/actions/plain.py", plain.format("door.mended += 1"))
        await framework.reload()
        async with asyncio.timeout(20):
            while door.mended < 2:  # noqa: ASYNC110 (the same)
                await asyncio.sleep(0.01)
        door.open()
        disk.go("a")
        assert (await work).ok


class Door:
    """A plain condition waits before it."""

    def __init__(self) -> None:
        self.waiting = self.mended = 0
        self._open = threading.Event()

    def come(self) -> None:
        self.waiting += 1
        self._open.wait(60)

    def open(self) -> None:
        self._open.set()
