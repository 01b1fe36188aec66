"""Ends around interrupts: what nobody ended goes on, and what is over leaves nothing behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog

from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.interrupts import InterruptFired
from aura_core.tasklet import Tasklet, TaskResult
from tests.fixtures.guarded import Disk, write_guarded
from tests.fixtures.project import Project

CANCELS_ITSELF = """
from __future__ import annotations

import asyncio
from typing import Any

from aura_core.api import action, requires_services


async def by_hand() -> None:
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


async def by_what_a_group_leaves_behind() -> None:
    async with asyncio.timeout(0.01):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                group.create_task(asyncio.sleep(9))
        except* OSError:
            pass
        await asyncio.Event().wait()


async def fails() -> None:
    raise OSError("no such disk")


@action("odd")
@requires_services(disk="disk")
async def odd(disk: Any, way: str) -> bool:
    holds = await disk.look("odd", "")
    if disk.looks["odd"] == 1:
        await globals()[way]()
    return holds


@action("quit", effects="write")
async def quit(way: str) -> None:
    await globals()[way]()
"""
WAYS = pytest.mark.parametrize("way", ["by_hand", "by_what_a_group_leaves_behind"])


@pytest.fixture
def disk() -> Disk:
    return Disk()


def begin(framework: Framework) -> asyncio.Task[TaskResult]:
    return asyncio.create_task(framework.submit(Tasklet("p/t")))


def failures(log: list[Any]) -> list[str]:
    return [entry["reason"] for entry in log if entry["event"] == "interrupt_condition_failed"]


@WAYS
@pytest.mark.parametrize("scope", ["task", "global"])
async def test_a_condition_that_cancels_itself_has_failed_and_is_looked_at_again(
    project: Project, disk: Disk, scope: str, way: str
):
    write_guarded(project, {"low": {"scope": scope, "mode": "beside"}})
    project.write("p/actions/odd.py", CANCELS_ITSELF)
    condition = f"{{action: odd, params: {{way: {way}}}}}"
    project.write(
        "p/interrupts.yaml",
        f"low: {{condition: {condition}, task: sweep, every: 10ms, cooldown: 1h, mode: beside, scope: {scope}}}",
    )
    disk.waits = {"a"}
    with structlog.testing.capture_logs() as log:
        async with project.running(services={"disk": disk}) as framework:
            work = begin(framework)
            await asyncio.wait_for(disk.looked("odd", 3), 20)
            disk.low["odd"] = True
            await asyncio.wait_for(disk.begun("sweep"), 20)
            disk.go("a")
            assert (await work).ok
    assert len(failures(log)) == 1


@WAYS
@pytest.mark.parametrize("scope", ["task", "global"])
async def test_a_handler_that_cancels_itself_has_failed_and_the_task_goes_on(
    project: Project, disk: Disk, scope: str, way: str
):
    write_guarded(project, {"low": {"scope": scope, "cooldown": "1h"}})
    project.write("p/actions/odd.py", CANCELS_ITSELF)
    project.task("sweep", f"steps: [{{action: quit, params: {{way: {way}}}}}]")
    disk.waits = {"a"}
    disk.low["low"] = True
    with structlog.testing.capture_logs() as log:
        async with project.running(services={"disk": disk}) as framework:
            with framework.events.subscribe(InterruptFired, lambda event: event.phase == "failed") as failed:
                work = begin(framework)
                await disk.begun("a")
                await disk.looked("low")
                disk.go("a")
                error = (await asyncio.wait_for(failed.next(), 20)).error
                assert (await work).ok
    assert error is not None
    assert "ended with its task" not in error.message
    assert [entry["interrupt"] for entry in log if entry["event"] == "interrupt_handler_failed"] == ["p/low"]


@pytest.mark.parametrize("scope", ["task", "global"])
async def test_a_condition_that_is_asked_when_its_task_ends_has_not_failed(project: Project, disk: Disk, scope: str):
    write_guarded(project, {"low": {"scope": scope}})
    disk.waits, disk.stuck = {"a"}, {"low"}
    with structlog.testing.capture_logs() as log:
        async with project.running(services={"disk": disk}) as framework:
            work = begin(framework)
            await disk.looked("low")
            disk.go("a")
            assert (await work).ok
    assert failures(log) == []


DEAF = """
import asyncio

from aura_core.api import action, requires_services


@action("deaf", effects="write")
@requires_services(disk="disk", heard="heard")
async def deaf(disk, heard) -> None:
    disk.log.append("deaf")
    while not heard.is_set():
        try:
            await heard.wait()
        except asyncio.CancelledError:
            disk.log.append("ignored")
"""


async def over(before: set[asyncio.Task[Any]]) -> None:
    async with asyncio.timeout(20):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


@pytest.mark.parametrize("scope", ["task", "global"])
async def test_a_task_that_was_let_go_at_the_end_is_watched_no_more(project: Project, disk: Disk, scope: str):
    write_guarded(project, {"low": {"scope": scope}}, "[{action: deaf}]")
    project.write("p/actions/deaf.py", DEAF)
    heard = asyncio.Event()
    before = asyncio.all_tasks()
    limits = ExecutionLimits(grace=0.02)
    async with project.running(services={"disk": disk, "heard": heard}, limits=limits) as framework:
        work = begin(framework)
        await disk.looked("low", 2)
        assert disk.log == ["deaf"]
    assert (await work).status == "cancelled"
    left = [str(task.get_coro()) for task in asyncio.all_tasks() - before]
    heard.set()
    await over(before)
    assert [coroutine for coroutine in left if "interrupts" in coroutine or "Watcher" in coroutine] == []
    assert len(left) == 1


async def test_a_global_handler_that_does_not_end_is_let_go(
    project: Project, disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.interrupts.service.CLOSE_SECONDS", 0.02)
    write_guarded(project, {"low": {"scope": "global", "mode": "beside"}})
    project.write("p/actions/deaf.py", DEAF)
    project.task("sweep", "steps: [{action: deaf}]")
    heard = asyncio.Event()
    before = asyncio.all_tasks()
    disk.low["low"] = True
    disk.waits = {"a"}

    async def lives() -> None:
        async with project.running(services={"disk": disk, "heard": heard}) as framework:
            work = begin(framework)
            async with asyncio.timeout(20):
                while "deaf" not in disk.log:  # noqa: ASYNC110 (the plan's action has no event to tell)
                    await asyncio.sleep(0)
            disk.go("a")
            assert (await work).ok

    with structlog.testing.capture_logs() as log:
        life = asyncio.create_task(lives())
        _, unended = await asyncio.wait([life], timeout=20)
        heard.set()
        await life
    await over(before)
    assert not unended
    assert "ignored" in disk.log
    told = [entry["interrupts"] for entry in log if entry["event"] == "interrupts_ignore_cancellation"]
    assert told == [["p/low"]]
