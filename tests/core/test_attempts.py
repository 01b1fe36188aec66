"""One attempt of an action among interrupts, time limits and code that has its own idea of being ended."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import structlog.testing

from aura_core.asynccontext import inside
from aura_core.engine.action import LONGEST_PAUSE, pause
from aura_core.engine.time_limit import within
from aura_core.execution.slots import Slots
from aura_core.execution.task_scope import TaskScope
from aura_core.ground.events import EventBus
from aura_core.interrupts import handling
from aura_core.interrupts.watched import Watched
from aura_core.language.interrupts import Interrupt, InterruptCondition
from aura_core.language.states import State
from aura_core.language.steps import Retry
from aura_core.state_planner.sensing import Sensing
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.guarded import Disk, write_guarded
from tests.fixtures.project import Project


@pytest.mark.parametrize("second", ["wait_before: 0.3", "retry: {attempts: 2, delay: 0.3}"])
async def test_the_time_of_an_attempt_begins_behind_the_gate(project: Project, second: str):
    disk = Disk()
    steps = f"""
      - parallel:
          - [{{action: work, params: {{name: a}}}}]
          - [{{action: flaky, timeout: 0.05, {second}}}]
    """
    write_guarded(project, {"low": {"cooldown": "1h"}}, "\n" + steps)
    project.write(
        "p/actions/flaky.py",
        """
        from typing import Any
        from aura_core.api import action, requires_services

        @action("flaky", effects="write")
        @requires_services(disk="disk")
        async def flaky(disk: Any) -> bool:
            await disk.work("flaky")
            return disk.log.count("flaky begins") > disk.fails
        """,
    )
    disk.waits, disk.fails = {"a"}, int("retry" in second)
    async with project.running(services={"disk": disk}) as framework:
        work = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await disk.begun("a")
        disk.low["low"] = True
        await disk.looked("low")
        await asyncio.sleep(0.5)  # longer than the wait before the attempt and the attempt may take
        disk.go("a")
        result = await work
    assert result.ok, result.error
    assert disk.log[-2:] == ["flaky begins", "flaky done"]


async def test_a_debug_capture_that_keeps_its_end_to_itself_keeps_no_task_alive(project: Project):
    project.write(
        "p/services/capture.py",
        """
        import asyncio
        from typing import Any
        from aura_core.api import action, requires_services, service

        @service("debug_capture")
        class Capture:
            async def capture(self, error):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass

        @action("mark", inline=True)
        @requires_services(marks="marks")
        def mark(marks: Any) -> None:
            marks.append("went on")
        """,
    )
    project.task(
        "t",
        """
        meta: {timeout: 0.05}
        steps:
          - {action: fail, continue_on_failure: true}
          - {action: mark}
        """,
    )
    marks: list[str] = []
    async with project.running(services={"marks": marks}) as framework:
        result = await framework.submit(Tasklet("p/t"))
    assert result.status == "timeout"
    assert marks == []


async def test_a_condition_whose_time_is_up_takes_no_places_for_a_task_that_waits_for_a_person(
    monkeypatch: pytest.MonkeyPatch,
):
    slots = Slots([], 0, lambda _phase: None)
    monkeypatch.setattr(handling, "CONDITION_SECONDS", 0.01)

    class AbandonedCalls:
        def condition_action(self, _condition: object) -> SimpleNamespace:
            return SimpleNamespace(how="async")

        async def perform_condition_check(self, _condition: object, *, run: object) -> bool:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
            return True

    one = Watched("p", "low", Interrupt(condition=InterruptCondition(action="low"), task="sweep"))
    with inside(TaskScope(slots=slots)):
        async with slots.waiting_for_person():
            assert slots.given_back
            asked = handling.Handling(lambda _plan: AbandonedCalls(), EventBus())
            assert not await asked.holds(one, RunInfo())
            assert slots.given_back


async def test_work_that_makes_another_error_of_its_time_being_up_took_too_long_all_the_same(project: Project):
    project.write(
        "p/actions/convert.py",
        """
        import asyncio
        from aura_core.api import action

        CALLS = []

        @action("convert")
        async def convert() -> int:
            CALLS.append(1)
            if len(CALLS) < 2:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    raise ConnectionError("it went away") from None
            return len(CALLS)
        """,
    )
    result = await project.run(
        "steps: [{action: convert, timeout: 0.02, retry: {attempts: 2, on: [TimeoutError]}, output_to: n}]\n"
        "returns: '{{ n }}'"
    )
    assert result.result == 2, result.error


async def test_an_error_of_its_own_in_time_is_what_it_is():
    async def fails() -> None:
        raise ConnectionError("it went away")

    with pytest.raises(ConnectionError):
        await within(10, fails(), "the step")


async def test_many_attempts_wait_a_day_at_most(project: Project):
    assert pause(Retry(attempts=1000, delay=1, backoff=10), 999) == LONGEST_PAUSE
    assert pause(Retry(attempts=1000, delay=0, backoff=100), 999) == 0
    assert pause(Retry(attempts=1000, delay=2, backoff=2), 3) == 8
    result = await project.run(
        "steps: [{action: fail, retry: {attempts: 400, backoff: 10}, output_to: x, continue_on_failure: true}]\n"
        "returns: '{{ x }}'"
    )
    assert result.result is False


GENERATOR_EXITS = {
    "async": "async def act() -> None:\n    raise GeneratorExit",
    "in a thread": "def act() -> None:\n    raise GeneratorExit",
}


@pytest.mark.parametrize("kind", GENERATOR_EXITS)
async def test_an_action_that_lets_out_what_ends_a_generator_fails_its_step_alone(project: Project, kind: str):
    head = "from aura_core.api import action\n\n@action('act')\n"
    project.write("p/actions/act.py", head + GENERATOR_EXITS[kind])
    result = await project.run("steps: [{action: act, continue_on_failure: true}, {set: {x: 1}}]\nreturns: '{{ x }}'")
    assert result.result == 1
    result = await project.run("steps: [{action: act}]")
    assert result.error is not None
    assert "GeneratorExit" in result.error.message


BAD = """
from aura_core.api import action, hook

class Bad(Exception):
    def __str__(self):
        raise self

@action("bad")
async def bad() -> None:
    raise Bad

@hook("on_step_failure")
async def told(error, context):
    context.variables["told"] = error.message
"""


async def test_an_error_that_cannot_say_what_it_says_fails_its_step_like_any_other(project: Project):
    project.write("p/actions/bad.py", BAD)
    result = await project.run("steps: [{action: bad, continue_on_failure: true}]\nreturns: '{{ told }}'")
    assert result.result == "Bad: what it says cannot be shown [action p/bad, actions/bad.py:10]", result.error
    result = await project.run("steps: [{action: bad}]")
    assert result.error is not None
    assert (result.error.type, result.error.step) == ("Bad", "steps[0]")


async def test_a_check_whose_result_is_neither_true_nor_false_means_no():
    class Neither:
        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

    async def check(_ref: str) -> TaskResult:
        return TaskResult("success", Neither())

    sensing = Sensing("p", {"ready": State(check="look")}, check)
    with structlog.testing.capture_logs() as logs:
        assert not await sensing.holds("ready")
    assert [(entry["event"], entry["state"]) for entry in logs] == [("state_check_failed", "ready")]
