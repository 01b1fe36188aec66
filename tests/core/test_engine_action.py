"""The life of an action step: wait, try, judge, try again, give up."""

from __future__ import annotations

import asyncio
import json

import pytest

from aura_core.tasklet import Tasklet, TaskResult
from tests.fixtures.project import Project

FLAKY = """
    from __future__ import annotations

    import numpy
    from aura_core.api import ActionError, Context, action

    class Busy(ActionError):
        pass

    @action("flaky")
    async def flaky(succeed_at: int, context: Context, given: object = None) -> dict[str, object]:
        tries = context.variables["tries"] = context.variables.get("tries", 0) + 1
        context.variables.setdefault("seen", []).append(given)
        if tries < succeed_at:
            raise Busy(f"busy the {tries}. time")
        return {"tries": tries}

    @action("numpy_search")
    async def numpy_search() -> object:
        class Match:
            found = numpy.bool_(False)
        return Match()
"""


async def test_a_failed_attempt_is_tried_again_with_params_rendered_anew(project: Project):
    project.write("p/actions/flaky.py", FLAKY)
    result = await project.run("""
        steps:
          - action: flaky
            params: {succeed_at: 3, given: "{{ tries | default(0) }}"}
            output_to: got
            retry: {attempts: 5, delay: 0.001, backoff: 2}
        returns: {got: "{{ got.tries }}", seen: "{{ seen }}"}
    """)
    assert result.result == {"got": 3, "seen": [0, 1, 2]}


async def test_after_the_last_attempt_the_error_says_how_often_it_was_tried(project: Project):
    project.write("p/actions/flaky.py", FLAKY)
    result = await project.run("steps: [{action: flaky, params: {succeed_at: 9}, retry: {attempts: 3}}]")
    assert result.error is not None
    assert (result.error.type, result.error.attempts, result.error.message) == ("Busy", 3, "busy the 3. time")


@pytest.mark.parametrize(("name", "attempts"), [("Busy", 3), ("ActionError", 3), ("TimeoutError", 1)])
async def test_only_named_exceptions_and_their_kinds_are_worth_another_attempt(
    project: Project, name: str, attempts: int
):
    project.write("p/actions/flaky.py", FLAKY)
    step = f"{{action: flaky, params: {{succeed_at: 9}}, retry: {{attempts: 3, on: [{name}]}}}}"
    result = await project.run(f"steps: [{step}]")
    assert result.error is not None
    assert result.error.attempts == attempts


async def test_an_attempt_that_takes_too_long_is_ended_and_counts_as_failed(project: Project):
    result = await project.run("""
        steps:
          - action: sleep
            params: {seconds: 60}
            timeout: 0.02
            retry: {attempts: 2, on: [TimeoutError]}
    """)
    assert result.error is not None
    assert (result.error.type, result.error.attempts) == ("TimeoutError", 2)
    assert result.error.message == "action p/sleep took longer than 0.02 s and was ended"
    assert result.status == "error"


async def test_a_timeout_that_the_action_raised_itself_keeps_its_own_words(project: Project):
    project.write(
        "p/actions/own.py",
        """
        from aura_core.api import action

        @action("own")
        async def own() -> None:
            raise TimeoutError("the server is slow")
        """,
    )
    result = await project.run("steps: [{action: own, timeout: 30}]")
    assert result.error is not None
    assert result.error.message.startswith("TimeoutError: the server is slow [action p/own, actions/own.py:")


@pytest.mark.parametrize(
    "step",
    [
        "{action: echo, params: {value: false}, output_to: got}",
        "{action: search, params: {found: false}, output_to: got}",
        "{action: fail, output_to: got}",
        "{action: numpy_search, output_to: got}",
    ],
)
async def test_false_not_found_and_an_exception_are_failures_and_the_variable_becomes_false(
    project: Project, step: str
):
    project.write("p/actions/flaky.py", FLAKY)
    go_on = step[:-1] + ", continue_on_failure: true}"
    result = await project.run(f"steps: [{go_on}]\nreturns: '{{{{ got }}}}'")
    assert (result.status, result.result) == ("success", False)
    result = await project.run(f"steps: [{step}]")
    assert result.status == "error"


@pytest.mark.parametrize("value", [None, 0, "", [], {"found": False}])
async def test_results_that_are_merely_empty_are_successes(project: Project, value: object):
    written = json.dumps(value)
    result = await project.run(
        f"steps: [{{action: echo, params: {{value: {written}}}, output_to: got}}]\nreturns: {{got: '{{{{ got }}}}'}}"
    )
    assert result.result == {"got": value}


async def test_a_found_result_is_a_success(project: Project):
    result = await project.run("""
        steps: [{action: search, params: {found: true}, output_to: got}]
        returns: "{{ got.found }}"
    """)
    assert result.result is True


async def test_an_unsuccessful_result_says_what_was_returned(project: Project):
    for step, words in (("echo, params: {value: false}", "False"), ("search, params: {found: false}", "`found`")):
        result = await project.run(
            f"steps: [{{action: {step}, retry: {{attempts: 2, on: [UnsuccessfulResultError]}}}}]"
        )
        assert result.error is not None
        assert words in result.error.message
        assert result.error.attempts == 2


async def test_wait_before_waits_and_refuses_what_is_no_duration(project: Project):
    result = await project.run("steps: [{action: echo, params: {value: 1}, wait_before: '{{ 1 / 100 }}'}]")
    assert result.ok
    result = await project.run("steps: [{action: echo, wait_before: '{{ [1] }}'}]")
    assert result.error is not None
    assert "wait_before" in result.error.message


async def test_a_failing_step_tells_the_hook_and_the_debug_capture_service(project: Project):
    project.write(
        "p/services/capture.py",
        """
        from aura_core.api import Context, hook, service

        @service("debug_capture")
        class Capture:
            async def capture(self, error, context):
                context.variables["log"].append(f"captured {error.step}")

        @hook("on_step_failure")
        async def told(error, context):
            context.variables["log"].append(f"told {error.message}")
        """,
    )
    result = await project.run("""
        steps:
          - {set: {log: "{{ [] }}"}}
          - {id: bad, action: fail, continue_on_failure: true}
        returns: "{{ log }}"
    """)
    assert result.result == ["told it broke", "captured bad"]


async def test_a_hook_alone_is_told_too(project: Project):
    project.write(
        "p/actions/told.py",
        """
        from aura_core.api import hook

        @hook("on_step_failure")
        async def told(error, plan, context):
            context.variables["told"] = f"{plan}: {error.step} {error.message}"
        """,
    )
    result = await project.run("steps: [{id: x, action: fail, continue_on_failure: true}]\nreturns: '{{ told }}'")
    assert result.result == "p: x it broke"


async def test_a_cancellation_that_an_action_hides_behind_an_error_is_obeyed(project: Project):
    project.write(
        "p/actions/stubborn.py",
        """
        import asyncio
        from aura_core.api import action

        @action("stubborn")
        async def stubborn() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                raise OSError("clean-up failed")
        """,
    )
    steps = "[{parallel: [[{action: stubborn, retry: {attempts: 9}}], [{action: stubborn}]]}]"
    for text in ("[{action: stubborn, retry: {attempts: 9}, continue_on_failure: true}, {action: stubborn}]", steps):
        result = await project.run(f"meta: {{timeout: 0.05}}\nsteps: {text}\non_failure: {{steps: [], recover: true}}")
        assert result.status == "timeout"


async def test_a_caller_that_was_cancelled_once_may_still_run_tasks(project: Project):
    project.task("t", "steps: [{action: fail, continue_on_failure: true}]\nreturns: done")
    async with project.running() as framework:

        async def clean_up() -> TaskResult:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return await framework.submit(Tasklet("p/t"))
            raise AssertionError

        caller = asyncio.create_task(clean_up())
        await asyncio.sleep(0)
        caller.cancel()
        assert (await caller).result == "done"


@pytest.mark.parametrize("failure", ["OSError('no screen')", "asyncio.CancelledError", "SystemExit(3)"])
async def test_a_plain_or_failing_debug_capture_changes_nothing(project: Project, failure: str):
    project.write(
        "p/services/capture.py",
        f"""
        import asyncio
        from aura_core.api import service

        @service("debug_capture")
        class Capture:
            def capture(self, error):
                raise {failure}
        """,
    )
    result = await project.run("steps: [{id: bad, action: fail}]")
    assert result.error is not None
    assert result.error.message == "it broke"


async def test_an_action_that_vanished_is_named_with_the_nearest(project: Project):
    project.task("t", "steps: [{action: echo}]")
    async with project.running() as framework:
        actions = framework.orchestrator("p").runtime.actions
        assert isinstance(actions, dict)
        del actions["echo"]
        error = (await framework.submit(Tasklet("p/t"))).error
    assert error is not None
    assert (error.type, "p/echo" in error.message or "p.echo" in error.message) == ("NotFoundError", True)


async def test_a_jump_or_stop_that_an_action_raises_is_no_failed_attempt(project: Project):
    project.write(
        "p/actions/stopper.py",
        """
        from aura_core.api import action
        from aura_core.engine.signals import StopTaskException

        @action("stopper")
        async def stopper() -> None:
            raise StopTaskException("from inside")
        """,
    )
    result = await project.run("steps: [{action: stopper, retry: {attempts: 3}, continue_on_failure: true}]")
    assert (result.status, result.message) == ("stopped", "from inside")


@pytest.mark.parametrize("how", ["", ", inline=True", pytest.param(", cpu=True", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return next(iter(()))", "StopIteration"),
        ("import sys; sys.exit('no such option')", "sys.exit"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("raise BaseExceptionGroup('both', [SystemExit(3)])", "raised BaseExceptionGroup"),
    ],
)
async def test_an_action_that_ends_as_programs_or_iterators_do_fails_its_step_and_nothing_else(
    project: Project, how: str, body: str, said: str
):
    project.write(
        "p/actions/ends.py",
        f"""
        from aura_core.api import action

        @action("ends"{how})
        def ends() -> object:
            {body}
        """,
    )
    result = await asyncio.wait_for(project.run("steps: [{action: ends}]"), 60)
    assert result.error is not None
    assert said in result.error.message
    recovered = await project.run("""
        steps: [{action: ends, continue_on_failure: true, output_to: x}]
        returns: "{{ x }}"
    """)
    assert recovered.result is False


@pytest.mark.parametrize("form", ["def", "async def"])
async def test_an_action_that_yields_is_a_mistake_of_the_plan(project: Project, form: str):
    project.write(
        "p/actions/many.py",
        f"""
        from aura_core.api import action

        @action("many")
        {form} many():
            yield 1
        """,
    )
    project.task("t", "steps: []")
    async with project.running_with_problems() as framework:
        problems = [str(problem) for problem in framework.problems]
    assert any("yield" in problem and "many.py:4" in problem for problem in problems), problems


async def test_a_wait_that_cannot_be_worked_out_fails_the_step_like_anything_else(project: Project):
    result = await project.run("""
        steps:
          - {set: {soon: [1]}}
          - {action: echo, params: {value: 1}, wait_before: "{{ soon }}", continue_on_failure: true, output_to: x}
        returns: "{{ x }}"
    """)
    assert result.result is False
