"""Plain functions that Aura calls by itself and that never return: they keep two threads busy each, and no places."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from aura_core.execution.thread_limit import THREADS, ThreadLimit
from aura_core.execution_manager import ExecutionLimits
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

HANGING = """
    from typing import Any
    from aura_core.api import action, requires_services, service

    @action("hang")
    @requires_services(door="door")
    def hang(door: Any) -> bool:
        door.come()
        return False

    @action("nap")
    @requires_services(door="door")
    async def nap(door: Any) -> None:
        await door.opened_soon()

    @service("debug_capture")
    @requires_services(door="door")
    class Capture:
        def __init__(self, door: Any):
            self.door = door

        def capture(self, error: Any) -> None:
            self.door.come()
"""


class Door:
    """Plain functions wait before it, and are counted."""

    def __init__(self) -> None:
        self.waiting = 0
        self._open = threading.Event()
        self._soon = asyncio.Event()

    def come(self) -> None:
        self.waiting += 1
        self._open.wait(60)

    async def opened_soon(self) -> None:
        await self._soon.wait()

    def let_tasks_go(self) -> None:
        self._soon.set()

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.open()


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 (conditions have no event)
            await asyncio.sleep(0.01)


async def test_a_function_whose_call_was_given_up_is_left_out_until_it_returns():
    threads = ThreadLimit()
    async with threads.turn():
        pass
    work: Future[None] = Future()
    threads._unfinished.add(work, "")
    with pytest.raises(TimeoutError, match="not returned yet"):
        async with threads.turn():
            pytest.fail("it was called")
    work.set_result(None)
    async with threads.turn():
        pass


async def test_a_condition_that_many_tasks_ask_at_once_leaves_threads_for_others(project: Project, door: Door):
    project.write("p/actions/hanging.py", HANGING)
    project.write("p/interrupts.yaml", "i: {condition: {action: hang}, task: plain, every: 10ms, mode: beside}")
    project.task("t", "meta: {activates_interrupts: [i]}\nsteps: [{action: nap}]")
    project.task("plain", "steps: [{action: block, params: {seconds: 0}}]")
    limits = ExecutionLimits(threads=THREADS + 1, grace=0.1)
    async with project.running(services={"door": door}, limits=limits) as framework:
        works = [asyncio.create_task(framework.submit(Tasklet("p/t"))) for _ in range(6)]
        await until(lambda: door.waiting >= THREADS)
        assert (await asyncio.wait_for(framework.submit(Tasklet("p/plain")), 30)).ok
        assert door.waiting == THREADS
        door.let_tasks_go()
        assert all(result.ok for result in await asyncio.gather(*works))
        door.open()


async def test_a_debug_capture_that_hangs_keeps_no_place_and_one_thread(
    project: Project, door: Door, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.engine.debug_capture.CAPTURE_SECONDS", 0.02)
    project.write("p/actions/hanging.py", HANGING)
    project.task("t", "meta: {resources: [cam]}\nsteps: [{for: 5, do: [{action: fail, continue_on_failure: true}]}]")
    project.task("plain", "steps: [{action: block, params: {seconds: 0}}]")
    async with project.running(services={"door": door}, limits=ExecutionLimits(threads=2, grace=0.1)) as framework:
        assert (await framework.submit(Tasklet("p/t"))).ok
        assert framework.execution_manager.resources.semaphores["cam"].held == 0
        assert (await asyncio.wait_for(framework.submit(Tasklet("p/plain")), 30)).ok
        assert door.waiting == 1
        door.open()
