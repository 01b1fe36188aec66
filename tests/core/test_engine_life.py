"""What holds for every kind of step, and the order of things in an action's life (TASKS.md, "Steps")."""

from __future__ import annotations

import pytest

from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project


@pytest.mark.parametrize(
    "step",
    [
        "{action: fail, wait_before: 3600, retry: {attempts: 3, delay: 3600}",
        "{if: '{{ nowhere }}', then: [{action: fail}]",
        "{for: '{{ nowhere }}', do: [{action: fail}]",
        "{while: '{{ nowhere }}', do: [{action: fail}]",
        "{parallel: [[{action: fail}]]",
        "{run_task: other, pass_params: '{{ nowhere }}'",
        "{go_step: bad",
        "{go_task: other, inputs: '{{ nowhere }}'",
        "{set: {a: '{{ nowhere }}'}",
        "{stop: '{{ nowhere }}'",
        "{ask: '{{ nowhere }}'",
    ],
)
async def test_a_false_when_skips_a_step_of_any_kind_before_anything_of_it_is_looked_at(project: Project, step: str):
    project.task("other", "steps: [{action: fail}]")
    result = await project.run(f"""
        steps:
          - {{set: {{no: false, done: 0}}}}
          - {step}, when: "{{{{ no }}}}"}}
          - {{set: {{done: 1}}}}
          - {{id: bad, action: fail, when: "{{{{ no }}}}"}}
        returns: "{{{{ done }}}}"
    """)
    assert (result.status, result.result) == ("success", 1)


async def test_after_the_last_attempt_come_the_variable_the_hook_the_capture_and_only_then_what_follows(
    project: Project,
):
    project.write(
        "p/actions/life.py",
        """
        from aura_core.api import Context, action, hook, service

        @action("try")
        async def attempt(n: int, context: Context):
            log = context.variables["log"]
            log.append(f"attempt {n} while got is {context.variables['got']}")
            context.variables["n"] = n + 1
            return False

        @hook("on_step_failure")
        async def told(error, context):
            log = context.variables["log"]
            log.append(f"told of {error.attempts} attempts while got is {context.variables['got']}")

        @service("debug_capture")
        class Capture:
            def capture(self, error, context):
                context.variables["log"].append("captured")
        """,
    )
    result = await project.run("""
        steps:
          - {set: {log: "{{ [] }}", got: before, n: 1}}
          - action: try
            params: {n: "{{ n }}"}
            retry: {attempts: 3}
            output_to: got
            continue_on_failure: true
          - {action: note, params: {text: "went on"}}
        returns: "{{ log }}"
    """)
    assert result.result == [
        "attempt 1 while got is before",
        "attempt 2 while got is before",
        "attempt 3 while got is before",
        "told of 3 attempts while got is False",
        "captured",
        "went on",
    ]


@pytest.mark.parametrize("going_on", [True, False])
async def test_continue_on_failure_decides_whether_the_task_goes_on(project: Project, going_on: bool):
    result = await project.run(f"""
        steps:
          - {{action: fail, continue_on_failure: {str(going_on).lower()}, output_to: x}}
          - {{set: {{after: "{{{{ x }}}}"}}}}
        returns: "{{{{ after }}}}"
    """)
    assert (result.status, result.result) == (("success", False) if going_on else ("error", None))


async def test_a_go_task_travels_up_through_plans_that_do_not_know_its_target(project: Project):
    project.write("p/plan.yaml", "name: p\nrequires: [q]")
    project.write("q/plan.yaml", "name: q\nrequires: [r]")
    project.write("r/plan.yaml", "name: r")
    project.write("q/tasks/hop.yaml", "steps: [{go_task: r/end, inputs: {word: '{{ 40 + 2 }}'}}]")
    project.write("q/tasks/over.yaml", "steps: [{run_task: hop}]")
    project.write("r/config.yaml", "colour: red")
    project.write(
        "r/tasks/end.yaml",
        "meta: {inputs: {word: {type: integer}}}\nsteps: []\nreturns: \"{{ inputs.word }} {{ config('colour') }}\"",
    )
    for name, ref in (("once", "q/hop"), ("twice", "q/over")):
        project.task(name, f"steps: [{{run_task: {ref}}}, {{action: fail}}]\nreturns: never")
    async with project.running() as framework:
        for name in ("once", "twice"):
            assert (await framework.submit(Tasklet(f"p/{name}"))).result == "42 red"


async def test_a_task_that_is_out_of_time_is_not_asked_what_to_do_about_it(project: Project):
    """Its time is up for `on_failure` too; the hooks are told, and a caller of `run_task` has an error to handle."""
    project.task(
        "late",
        """
        meta: {timeout: 0.01}
        steps: [{action: sleep, params: {seconds: 60}}]
        on_failure: {steps: [], recover: true}
        """,
    )
    project.task("caller", "steps: [{run_task: late}]\non_failure: {steps: [{set: {a: 1}}], recover: true}")
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/late"))).status == "timeout"
        assert (await framework.submit(Tasklet("p/caller"))).status == "success"
