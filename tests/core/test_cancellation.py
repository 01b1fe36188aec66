"""What is asked to end ends, whatever its code does with that; what nobody asked to end does not."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

ACTIONS = """
import asyncio

from aura_core.api import action, requires_services


@action("deaf", effects="write")
@requires_services(log="log")
async def deaf(log: list) -> str:
    log.append("deaf")
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        pass
    return "done"


@action("mark", effects="write")
@requires_services(log="log")
async def mark(name: str, log: list) -> None:
    log.append(name)


@action("break_down")
async def break_down() -> None:
    raise OSError("it broke")


@action("group")
async def group() -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(break_down())
    except* OSError:
        pass


@action("cancelled")
async def cancelled() -> None:
    raise asyncio.CancelledError


class Found:
    @property
    def found(self):
        raise asyncio.CancelledError


@action("finds")
async def finds() -> Found:
    return Found()
"""
DEAF_THEN_MARK = "{action: deaf}, {action: mark, params: {name: after}}"


@pytest.fixture
def log(project: Project) -> list[str]:
    project.write("p/actions/all.py", ACTIONS)
    return []


async def test_after_its_time_is_over_no_further_step_of_a_task_runs(project: Project, log: list[str]):
    result = await project.run(f"meta: {{timeout: 0.05}}\nsteps: [{DEAF_THEN_MARK}]", services={"log": log})
    assert (result.status, log) == ("timeout", ["deaf"])


async def test_a_task_inside_that_is_ended_goes_no_further_and_its_caller_is_told(project: Project, log: list[str]):
    project.task("inner", f"meta: {{timeout: 0.05}}\nsteps: [{DEAF_THEN_MARK}]")
    result = await project.run("steps: [{run_task: inner}]", services={"log": log})
    assert log == ["deaf"]
    assert result.error is not None
    assert "task p/inner took longer than 0.05 s" in result.error.message


async def test_a_step_that_answers_after_its_time_has_failed(project: Project, log: list[str]):
    result = await project.run("steps: [{action: deaf, timeout: 0.05}]", services={"log": log})
    assert result.error is not None
    assert "took longer than 0.05 s" in result.error.message


async def test_a_branch_beside_one_that_failed_goes_no_further(project: Project, log: list[str]):
    steps = f"[{{parallel: [[{{action: break_down, wait_before: 0.05}}], [{DEAF_THEN_MARK}]]}}]"
    result = await project.run(f"steps: {steps}", services={"log": log})
    assert (result.status, log) == ("error", ["deaf"])


async def test_a_hook_that_keeps_the_cancellation_to_itself_does_not_save_the_task(project: Project, log: list[str]):
    begun = asyncio.Event()

    async def before_task_run(**_data: Any) -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(30)

    project.task("t", "steps: [{action: mark, params: {name: effect}}]")
    async with project.running(services={"log": log}) as framework:
        framework.hooks.register("before_task_run", before_task_run)
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await begun.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert log == []


async def test_what_a_task_group_left_behind_makes_no_failure_a_cancellation(project: Project, log: list[str]):
    failing = "{action: cancelled, continue_on_failure: true}"
    result = await project.run(f"steps: [{{action: group}}, {failing}]\nreturns: done", services={"log": log})
    assert (result.status, result.result) == ("success", "done")


async def test_a_question_that_its_channel_gives_up_fails_its_step(project: Project, log: list[str]):
    class Chat:
        async def ask(self, *_given: Any) -> str:
            raise asyncio.CancelledError

    text = "steps: [{ask: Well?}]\non_failure: {steps: [{action: mark, params: {name: handled}}]}"
    result = await project.run(text, services={"chat": Chat(), "log": log})
    assert result.error is not None
    assert "'Well?' was given up" in result.error.message
    assert log == ["handled"]


async def test_a_value_that_raises_a_cancellation_when_it_is_looked_at_cancels_nothing(
    project: Project, log: list[str]
):
    result = await project.run("steps: [{action: finds}]", services={"log": log})
    assert result.error is not None
    assert (result.status, "raised CancelledError" in result.error.message) == ("error", True)


class Swallows:
    """Whatever it is asked, it waits, and keeps its cancellation to itself."""

    async def ask(self, *_given: Any) -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(30)
        return "yes"

    async def on_step_failure(self, **_data: Any) -> None:
        await self.ask()


@pytest.mark.parametrize("first", ["{ask: Well?}", "{action: break_down, continue_on_failure: true}"])
async def test_after_a_question_or_hook_that_kept_its_cancellation_nothing_runs(
    project: Project, log: list[str], first: str
):
    swallows = Swallows()
    project.task("t", f"steps: [{first}, {{action: mark, params: {{name: effect}}}}]")
    async with project.running(services={"log": log, "chat": swallows}) as framework:
        framework.hooks.register("on_step_failure", swallows.on_step_failure)
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await asyncio.sleep(0.05)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert log == []


async def test_a_task_that_is_submitted_from_what_an_ended_attempt_left_behind_is_not_being_ended(
    project: Project, log: list[str]
):
    project.write("p/actions/late.py", LATE)
    project.task("inner", "steps: [{action: break_down, continue_on_failure: true}]\nreturns: done")
    later: list[asyncio.Task[Any]] = []
    project.task("t", "steps: [{action: spawn, timeout: 0.05, continue_on_failure: true}]")

    class Front:
        def begin(self) -> None:
            async def submit_later() -> Any:
                await asyncio.sleep(0.1)
                return await framework.submit(Tasklet("p/inner"))

            later.append(asyncio.create_task(submit_later()))

    async with project.running(services={"log": log, "front": Front()}) as framework:
        await framework.submit(Tasklet("p/t"))
        assert (await later[0]).result == "done"


LATE = """
import asyncio

from aura_core.api import action, requires_services


@action("spawn")
@requires_services(front="front")
async def spawn(front) -> None:
    front.begin()
    await asyncio.sleep(30)
"""
EXITS = """
import sys

from aura_core.api import action


class Exits:
    def __str__(self):
        sys.exit(3)

    def __bool__(self):
        sys.exit(3)


@action("exits")
async def exits() -> Exits:
    return Exits()


@action("always")
async def always() -> bool:
    return True
"""


@pytest.mark.parametrize(
    "steps",
    [
        '{set: {y: "a {{ x }}"}}',
        '{parallel: [[{set: {y: "a {{ x }}"}}], [{ask: Well?}]]}',
        '{for: 2, parallel: 2, do: [{set: {y: "a {{ x }}"}}]}',
    ],
)
async def test_a_value_that_ends_the_program_when_it_is_written_fails_its_step(project: Project, steps: str):
    class Chat:
        async def ask(self, *_given: Any) -> None:
            await asyncio.Event().wait()

    project.write("p/actions/exits.py", EXITS)
    result = await project.run(f"steps: [{{action: exits, output_to: x}}, {steps}]", services={"chat": Chat()})
    assert result.error is not None
    assert "called sys.exit(3)" in result.error.message
    assert "set: y" in result.error.step or "steps[1]" in result.error.step


async def test_conditions_handlers_and_checks_that_end_the_program_fail(project: Project, log: list[str]):
    project.write("p/actions/exits.py", EXITS)
    project.write(
        "p/interrupts.yaml",
        "asks: {condition: {action: exits}, task: handle, every: 10ms}\n"
        "handles: {condition: {action: always}, task: handle, every: 10ms}\n",
    )
    project.write(
        "p/states.yaml",
        "states: {one: {check: handle, parallel: true}, two: {check: good}}\n"
        "transitions: [{from: one, to: two, task: good}]\n",
    )
    project.task("handle", 'steps: [{action: exits, output_to: x}, {set: {y: "a {{ x }}"}}]')
    project.task("good", "steps: []\nreturns: true")
    project.task(
        "t",
        "meta: {requires_initial_state: two, activates_interrupts: [asks, handles]}\n"
        "steps: [{action: mark, params: {name: a}, wait_before: 0.1}]",
    )
    async with project.running(services={"log": log}) as framework:
        result = await framework.submit(Tasklet("p/t"))
    assert (result.status, log) == ("success", ["a"])
