"""Calls of plain functions whose time is over: their thread works on, and nothing of the task works beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aura_core.execution import calls
from aura_core.execution.limits import ExecutionLimits
from aura_core.execution.task_events import TaskChanged
from aura_core.framework import Framework
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

PLAN = """
    from aura_core.api import action, requires_services

    @action("hold")
    @requires_services(camera="camera")
    def hold(camera, name: str = "") -> str:
        return camera.use(name)
"""
STEP = "action: hold, timeout: 0.03"


class Camera:
    """A service that threads use: how often, how many at once, and it lets them go when the test says so."""

    def __init__(self) -> None:
        self.door = threading.Event()
        self.calls: list[str] = []
        self.inside = 0
        self.most = 0
        self._lock = threading.Lock()

    def use(self, name: str) -> str:
        with self._lock:
            self.calls.append(name)
            self.inside += 1
            self.most = max(self.most, self.inside)
        try:
            if name != "quick":
                self.door.wait(30)
        finally:
            with self._lock:
                self.inside -= 1
        return "picture"


class Person:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()

    async def ask(self, _run: Any, _text: str, _options: Any = ()) -> str:
        self.asked.set()
        await self.answers.wait()
        return "yes"


@pytest.fixture
def camera() -> Any:
    camera = Camera()
    yield camera
    camera.door.set()


@pytest.fixture
def running(project: Project, camera: Camera) -> Callable[..., Any]:
    project.write("p/actions/camera.py", PLAN)

    @asynccontextmanager
    async def running(**options: Any) -> AsyncIterator[Framework]:
        services = {"camera": camera, **options.pop("services", {})}
        async with project.running(services=services, limits=ExecutionLimits(grace=0.05), **options) as framework:
            yield framework

    return running


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something outside this event loop."""
    while not condition():  # noqa: ASYNC110 (there is no event to wait for)
        await asyncio.sleep(0.002)


async def given_up(framework: Framework) -> None:
    """Waits until a call was given up, and lets whatever follows go on."""
    await until(lambda: len(framework.execution_manager._abandoned) > 0)
    for _ in range(50):
        await asyncio.sleep(0)


AGAIN = {
    "another attempt": f"steps: [{{{STEP}, retry: {{attempts: 4}}}}]",
    "the next turn": f"steps: [{{for: 4, do: [{{{STEP}, continue_on_failure: true}}]}}]",
    "a jump back": f"""steps:
      - {{{STEP}, id: a, output_to: got, continue_on_failure: true}}
      - {{go_step: a, when: '{{{{ not got }}}}'}}""",
    "another step": f"steps: [{{{STEP}, continue_on_failure: true}}, {{action: hold}}]",
    "on_failure": f"steps: [{{{STEP}}}]\non_failure: {{steps: [{{action: hold}}], recover: true}}",
    "a task inside": "steps: [{run_task: inner}]\non_failure: {steps: [{action: hold}], recover: true}",
    "a branch that is over": f"""steps:
      - for: 3
        do:
          - parallel: [[{{{STEP}, continue_on_failure: true}}], [{{action: echo}}]]""",
}


@pytest.mark.parametrize("text", AGAIN.values(), ids=AGAIN.keys())
async def test_a_call_waits_for_the_one_before_it_that_still_runs(
    project: Project, running: Any, camera: Camera, text: str
):
    project.task("inner", "meta: {timeout: 0.03}\nsteps: [{action: hold}]")
    project.task("t", "meta: {resources: ['camera:1']}\n" + text)
    async with running() as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await given_up(framework)
        await asyncio.sleep(0.1)  # more than the time of an attempt: none may begin meanwhile
        assert len(camera.calls) == 1
        assert not run.done()
        camera.door.set()
        assert (await run).status == "success"
    assert len(camera.calls) > 1
    assert camera.most == 1


async def test_a_call_that_does_not_return_fails_the_step_that_would_call_again(
    project: Project, running: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(calls, "PATIENCE", 0.05)
    project.task("t", f"steps: [{{{STEP}, id: look, retry: {{attempts: 9}}}}]")
    project.task("goes_on", f"steps: [{{{STEP}, retry: {{attempts: 9}}, continue_on_failure: true}}]\nreturns: 1")
    async with running() as framework:
        result = await framework.submit(Tasklet("p/t"))
        assert result.error is not None
        assert (result.status, result.error.step, result.error.attempts) == ("error", "look", 2)
        assert result.error.type == "CallStillRunsError"
        assert "An earlier call of action p/hold" in result.error.message
        assert "`async def` or `cpu=True`, or give its step a longer `timeout`" in result.error.message
        assert len(camera.calls) == 1
        assert framework.execution_manager._global_sem.held == 1
        assert (await framework.submit(Tasklet("p/goes_on"))).result == 1
        camera.door.set()
        await framework.execution_manager._abandoned.ended()
        assert framework.execution_manager._global_sem.held == 0


async def test_branches_and_other_actions_do_not_wait_for_a_call_that_hangs(
    project: Project, running: Any, camera: Camera
):
    look = "action: hold, params: {name: '{{ name }}'}, timeout: 0.3, continue_on_failure: true"
    project.task(
        "t",
        f"""
        steps:
          - for: [stuck, quick, quick, quick]
            as: name
            parallel: 2
            collect: all
            do: [{{{look}}}]
          - {{action: block, params: {{seconds: 0}}}}
        returns: "{{{{ all }}}}"
        """,
    )
    async with running() as framework:
        result = await framework.submit(Tasklet("p/t"))
        assert result.result == [False, "picture", "picture", "picture"]
        assert camera.inside == 1


async def test_cancelling_does_not_wait_for_a_call_that_hangs_but_its_places_do(
    project: Project, running: Any, camera: Camera
):
    project.task("t", f"meta: {{resources: ['camera:1']}}\nsteps: [{{{STEP}, retry: {{attempts: 9}}}}]")
    async with running() as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await given_up(framework)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        desk = framework.execution_manager._resource_sems["camera"]
        assert (camera.inside, desk.held) == (1, 1)
        camera.door.set()
        await framework.execution_manager._abandoned.ended()
        assert desk.held == 0


async def test_a_task_whose_time_is_over_says_which_call_still_runs(project: Project, running: Any, camera: Camera):
    project.task("t", f"meta: {{timeout: 0.2}}\nsteps: [{{{STEP}, retry: {{attempts: 9}}}}]")
    async with running() as framework:
        result = await framework.submit(Tasklet("p/t"))
        assert result.status == "timeout"
        assert result.error is not None
        assert result.error.message.startswith("Task p/t took longer than 0.2 s and was ended. A call of p/hold still")
        assert len(camera.calls) == 1


async def test_a_question_gives_no_place_back_while_a_call_still_runs(project: Project, running: Any, camera: Camera):
    project.task(
        "t",
        f"meta: {{resources: ['camera:1']}}\nsteps: [{{{STEP}, continue_on_failure: true}}, {{ask: 'Go on?'}}]",
    )
    person = Person()
    async with running(services={"chat": person}) as framework:
        with framework.events.subscribe(TaskChanged) as told:
            run = asyncio.create_task(framework.submit(Tasklet("p/t")))
            await person.asked.wait()
            await given_up(framework)
            held = framework.execution_manager._resource_sems["camera"]
            assert (camera.inside, held.held) == (1, 1)
            camera.door.set()
            await framework.execution_manager._abandoned.ended()
            assert held.held == 0
            person.answers.set()
            assert (await run).ok
            phases = [event.phase for event in told.pending()]
    assert phases == ["queued", "running", "waiting", "running", "success"]
