"""The order of steps, conditions, variables, stops and jumps, as a task author writes them."""

from __future__ import annotations

import pytest

from aura_core.engine import ExecutionEngine
from aura_core.language.steps import GoStepStep
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.project import Project


async def test_steps_run_in_order_and_returns_see_the_variables_at_the_end(project: Project):
    result = await project.run("""
        steps:
          - {set: {a: 1, b: "{{ a + 1 }}"}}
          - {action: echo, params: {value: "{{ [a, b] }}"}, output_to: pair}
          - {set: {a: 10}}
        returns: {pair: "{{ pair }}", a: "{{ a }}"}
    """)
    assert (result.status, result.result) == ("success", {"pair": [1, 2], "a": 10})


async def test_a_task_without_returns_gives_true(project: Project):
    result = await project.run("steps: [{set: {a: 1}}]")
    assert result.ok
    assert result.result is True


async def test_a_step_whose_when_is_false_is_skipped(project: Project):
    result = await project.run("""
        steps:
          - {set: {a: first}}
          - {when: "{{ a == 'second' }}", set: {a: skipped}}
          - {when: "{{ a == 'first' }}", set: {a: changed}}
        returns: "{{ a }}"
    """)
    assert result.result == "changed"


@pytest.mark.parametrize(("n", "said"), [(1, "small"), (100, "large")])
async def test_if_runs_the_branch_that_the_condition_chooses(project: Project, n: int, said: str):
    text = """
        meta: {inputs: {n: {type: integer, required: true}}}
        steps:
          - if: "{{ inputs.n > 10 }}"
            then: [{set: {said: large}}]
            else: [{set: {said: small}}]
        returns: "{{ said }}"
    """
    assert (await project.run(text, {"n": n})).result == said


async def test_stop_ends_the_task_from_any_depth_and_is_no_failure(project: Project):
    result = await project.run("""
        steps:
          - for: 3
            do: [{if: "{{ loop.index == 2 }}", then: [{stop: "enough at {{ item }}"}]}]
          - {action: fail}
    """)
    assert (result.status, result.message, result.error) == ("stopped", "enough at 1", None)
    assert result.ok


async def test_stop_may_be_silent(project: Project):
    result = await project.run('steps: [{stop: "{{ none }}"}]')
    assert (result.status, result.message) == ("stopped", "")


async def test_go_step_jumps_to_the_top_level_step_that_holds_the_target(project: Project):
    result = await project.run("""
        steps:
          - {set: {n: 0}}
          - if: "{{ true }}"
            then: [{set: {n: "{{ n + 1 }}"}, id: again}]
          - for: 1
            do:
              - while: "{{ n < 5 }}"
                do: [{go_step: again}]
        returns: "{{ n }}"
    """)
    assert result.result == 5


async def test_go_step_out_of_a_parallel_branch_ends_the_other_branches(project: Project):
    result = await project.run("""
        steps:
          - parallel:
              - [{action: sleep, params: {seconds: 60}}]
              - [{go_step: end}]
          - {action: fail}
          - {id: end, set: {reached: true}}
        returns: "{{ reached }}"
    """)
    assert result.result is True


async def test_jumps_without_end_are_an_error(project: Project):
    result = await project.run("steps: [{id: a, set: {x: 1}}, {go_step: a}]")
    assert result.error is not None
    assert result.error.type == "LoopLimitError"
    assert "10000 times" in result.error.message
    assert "'a'" in result.error.message


async def test_a_failing_step_ends_the_task_with_a_full_account(project: Project):
    path = project.task(
        "t",
        """\
        steps:
          - {set: {a: 1}}
          - if: "{{ true }}"
            then:
              - {id: bang, action: crash, params: {message: oh}}
        """,
    )
    async with project.running() as framework:
        error = (await framework.submit(Tasklet("p/t"))).error
    assert error is not None
    assert (error.type, error.task, error.step, error.attempts) == ("KeyError", "p/t", "bang", 1)
    assert error.location == f"{path}:5:9"
    assert error.message.startswith("KeyError: 'oh' [action p/crash, actions/basic.py:")


async def test_an_expression_that_fails_names_its_step(project: Project):
    result = await project.run('steps: [{set: {a: 1}}, {name: count, if: "{{ b > 1 }}", then: []}]')
    assert result.error is not None
    assert (result.error.type, result.error.step) == ("ExpressionError", "count")
    assert "b" in result.error.message


async def test_returns_that_cannot_be_rendered_fail_the_task(project: Project):
    result = await project.run('steps: [{set: {a: 1}}]\nreturns: "{{ missing }}"')
    assert result.error is not None
    assert (result.error.type, result.error.step) == ("ExpressionError", "")


async def test_returns_that_cannot_be_rendered_beside_outputs_fail_the_task(project: Project):
    result = await project.run('steps: []\noutputs: 1\nreturns: "{{ missing }}"')
    assert result.error is not None
    assert result.error.type == "ExpressionError"


async def test_returns_and_outputs_may_differ(project: Project):
    project.task("inner", "steps: []\noutputs: for a task\nreturns: for a person")
    project.task("silent", "steps: []\noutputs: for a task")
    result = await project.run("steps: [{run_task: inner, output_to: got}]\nreturns: '{{ got }}'")
    assert result.result == "for a task"
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/inner"))).result == "for a person"
        assert (await framework.submit(Tasklet("p/silent"))).result is True


async def test_while_runs_until_its_condition_fails(project: Project):
    result = await project.run("""
        steps:
          - {set: {n: 0}}
          - {while: "{{ n < 300 }}", do: [{set: {n: "{{ n + 1 }}"}}]}
        returns: "{{ n }}"
    """)
    assert result.result == 300


async def test_a_while_that_reaches_its_limit_is_an_error(project: Project):
    result = await project.run("""
        steps:
          - {set: {n: 0}}
          - {while: "{{ true }}", max_iterations: 7, do: [{set: {n: "{{ n + 1 }}"}}]}
        on_failure: {steps: [], recover: false}
    """)
    assert result.error is not None
    assert (result.error.type, "7 turns" in result.error.message) == ("LoopLimitError", True)


async def test_a_while_that_needs_exactly_its_limit_is_fine(project: Project):
    result = await project.run("""
        steps:
          - {set: {n: 0}}
          - {while: "{{ n < 7 }}", max_iterations: 7, do: [{set: {n: "{{ n + 1 }}"}}]}
        returns: "{{ n }}"
    """)
    assert result.result == 7


async def test_many_steps_and_turns_let_other_work_go_on(project: Project):
    """A loop of nothing but inline actions is cancelled by its timeout, although it never waits."""
    result = await project.run("""
        meta: {timeout: 0.05}
        steps: [{while: "{{ true }}", max_iterations: 10000000, do: [{set: {x: 1}}]}]
    """)
    assert result.status == "timeout"
    assert result.error is not None
    assert result.error.message == "Task p/t took longer than 0.05 s and was ended."


async def test_a_jump_to_a_step_that_is_not_there_names_the_nearest(project: Project):
    """The loader refuses it; the engine, given such a step by a program, does too."""
    project.task("t", "steps: [{id: here, set: {x: 1}}]")
    async with project.running() as framework:
        runtime = framework.orchestrator("p").runtime
        task = framework.plans.task("p/t")
        engine = ExecutionEngine(runtime, await runtime.contexts.create("p", RunInfo(), {}))
        steps = [*task.steps, GoStepStep.model_validate({"go_step": "heer"})]
        result = await engine.run_steps(task, steps, "p/t", lambda _task: True)
    assert result.error is not None
    assert (result.error.type, "did you mean 'here'" in result.error.message) == ("NotFoundError", True)


@pytest.mark.parametrize("then", ["raise ActionError('I was not done') from None", "return 1"])
async def test_whatever_fails_after_the_task_was_ended_is_no_failed_step(project: Project, then: str):
    project.write(
        "p/actions/stubborn.py",
        f"""
        import asyncio
        from aura_core.api import ActionError, action

        @action("stubborn")
        async def stubborn():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                {then}
        """,
    )
    result = await project.run("""
        meta: {timeout: 0.05}
        steps: [{set: {zero: 0}}, {action: stubborn, continue_on_failure: true}, {set: {a: "{{ 1 / zero }}"}}]
        on_failure: {steps: [], recover: true}
    """)
    assert result.status == "timeout"
