"""`run_task`: a task inside a task."""

from __future__ import annotations

from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project


async def test_the_result_of_a_sub_task_is_its_outputs(project: Project):
    project.task(
        "double",
        """
        meta: {inputs: {n: {type: integer, required: true}}}
        steps: [{set: {twice: "{{ inputs.n * 2 }}", mine: changed}}]
        outputs: {twice: "{{ twice }}", seen: "{{ mine }}"}
        """,
    )
    result = await project.run("""
        meta: {inputs: {n: {type: integer, default: 4}}}
        steps:
          - {set: {mine: original}}
          - {run_task: double, pass_params: {n: "{{ inputs.n }}"}, output_to: got}
          - {run_task: p/double, pass_params: {n: 1}}
        returns: {got: "{{ got }}", mine: "{{ mine }}", n: "{{ inputs.n }}"}
    """)
    assert result.result == {"got": {"twice": 8, "seen": "changed"}, "mine": "original", "n": 4}


async def test_a_sub_task_without_outputs_gives_its_returns_else_true(project: Project):
    project.task("a", "steps: []\nreturns: 5")
    project.task("b", "steps: []")
    result = await project.run("""
        steps: [{run_task: a, output_to: a}, {run_task: b, output_to: b}]
        returns: "{{ [a, b] }}"
    """)
    assert result.result == [5, True]


async def test_wrong_params_are_refused_before_the_sub_task_begins(project: Project):
    project.task("sub", "meta: {inputs: {n: {type: integer, required: true}}}\nsteps: [{action: fail}]")
    result = await project.run("steps: [{id: call, run_task: sub, pass_params: {n: \"{{ 'many' }}\"}}]")
    assert result.error is not None
    assert (result.error.type, result.error.step) == ("InputError", "call")
    result = await project.run("steps: [{set: {x: 1}}, {run_task: sub, pass_params: '{{ x }}'}]")
    assert result.error is not None
    assert "pass_params" in result.error.message


async def test_a_failure_below_says_where_it_happened_and_where_it_was_called(project: Project):
    project.task("sub", "steps: [{id: inner, action: fail}]")
    result = await project.run("steps: [{id: outer, run_task: sub}]")
    error = result.error
    assert error is not None
    assert (error.type, error.task, error.step) == ("ActionError", "p/t", "outer")
    assert error.message.startswith("it broke [in task p/sub, step inner, ")
    assert "sub.yaml:1:9" in error.message


async def test_a_sub_task_that_recovers_does_not_fail_its_caller(project: Project):
    project.task(
        "sub",
        """
        meta: {inputs: {n: {type: integer, default: 1}}}
        steps: [{set: {secret: 1}}, {action: fail}]
        on_failure:
          steps: [{action: echo, params: {value: "{{ [error.message, inputs.n, secret is defined] }}"}}]
          recover: true
        """,
    )
    result = await project.run("steps: [{run_task: sub, output_to: got}]\nreturns: '{{ got }}'")
    assert result.result == ["it broke", 1, False]


async def test_a_stop_below_ends_only_the_sub_task(project: Project):
    project.task("sub", "steps: [{stop: early}]\nreturns: late")
    result = await project.run("steps: [{run_task: sub, output_to: got}]\nreturns: {got: '{{ got }}'}")
    assert (result.status, result.result) == ("success", {"got": None})


async def test_go_task_below_travels_up(project: Project):
    project.task("last", "meta: {inputs: {who: {type: string}}}\nsteps: []\nreturns: '{{ inputs.who }}'")
    project.task("sub", "steps: [{go_task: last, inputs: {who: sub}}]")
    result = await project.run("steps: [{run_task: sub}, {action: fail}]")
    assert result.result == "sub"


async def test_a_task_that_runs_itself_is_stopped_in_time(project: Project):
    result = await project.run("steps: [{run_task: t}]")
    assert result.error is not None
    assert result.error.type == "LoopLimitError"
    assert "more than 32 deep" in result.error.message


async def test_a_sub_task_is_held_to_its_own_timeout(project: Project):
    project.task("sub", "meta: {timeout: 0.02}\nsteps: [{action: sleep, params: {seconds: 60}}]")
    result = await project.run("steps: [{run_task: sub}]")
    assert (result.status, result.error and result.error.type) == ("error", "TimeoutError")
    assert result.error is not None
    assert "task p/sub took longer than 0.02 s" in result.error.message


async def test_a_timeout_inside_a_sub_task_is_not_mistaken_for_its_own(project: Project):
    project.task("sub", "meta: {timeout: 60}\nsteps: [{action: sleep, params: {seconds: 60}, timeout: 0.01}]")
    result = await project.run("steps: [{run_task: sub}]")
    assert result.error is not None
    assert "action p/sleep took longer" in result.error.message


async def test_a_task_of_another_plan_has_its_own_settings_and_data(project: Project):
    project.write("q/plan.yaml", "name: q")
    project.write("q/config.yaml", "colour: blue")
    project.write("p/config.yaml", "colour: red")
    project.write("p/plan.yaml", "name: p\nrequires: [q]")
    project.write(
        "q/actions/keep.py",
        """
        from aura_core.api import Context, action, config

        @action("keep")
        async def keep(context: Context) -> str:
            async with context.state.edit() as data:
                data["kept"] = context.plan
            return config("colour")
        """,
    )
    project.write(
        "q/tasks/sub.yaml",
        """
        steps: [{action: keep, output_to: colour}]
        returns: ["{{ config('colour') }}", "{{ colour }}", "{{ state.kept }}"]
        """,
    )
    project.task(
        "t",
        """
        steps:
          - {run_task: q/sub, output_to: theirs}
          - {action: q/keep, output_to: in_their_plan}
        returns:
          theirs: "{{ theirs }}"
          mine: "{{ config('colour') }}"
          in_their_plan: "{{ in_their_plan }}"
          kept: "{{ state.kept }}"
        """,
    )
    async with project.running() as framework:
        result = await framework.submit(Tasklet("p/t"))
    assert result.result == {"theirs": ["blue", "blue", "q"], "mine": "red", "in_their_plan": "blue", "kept": "p"}
