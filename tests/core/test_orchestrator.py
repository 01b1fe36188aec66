"""The Orchestrator: chains of tasks, failure handlers, conditions, the plan's data and files."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest

from aura_core.asynccontext import current_plan_name
from aura_core.config import config
from aura_core.errors import ForbiddenPathError, InputError, NotFoundError
from aura_core.execution_manager import ExecutionLimits
from aura_core.plugins.middleware import ActionCall, Proceed
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.project import Project


async def test_go_task_goes_on_in_a_fresh_context_with_its_own_inputs(project: Project):
    project.task(
        "next",
        """
        meta: {inputs: {n: {type: integer, required: true}}}
        steps: []
        returns: {n: "{{ inputs.n }}", seen: "{{ secret is defined }}"}
        """,
    )
    result = await project.run("""
        steps: [{set: {secret: 41}}, {go_task: next, inputs: {n: "{{ secret + 1 }}"}}, {action: fail}]
        returns: never
    """)
    assert result.result == {"n": 42, "seen": False}


async def test_a_chain_without_end_is_an_error(project: Project):
    project.task("a", "steps: [{go_task: t}]")
    result = await project.run("steps: [{go_task: a}]")
    assert result.error is not None
    assert (result.error.type, "More than 100 tasks" in result.error.message) == ("LoopLimitError", True)


async def test_inputs_that_the_next_task_refuses_end_the_chain(project: Project):
    project.task("next", "meta: {inputs: {n: {type: integer, required: true}}}\nsteps: []")
    result = await project.run('steps: [{go_task: next, inputs: {n: "{{ none }}"}}]')
    assert result.error is not None
    assert (result.error.type, result.error.task) == ("InputError", "p/t")
    result = await project.run("steps: [{set: {x: 1}}, {go_task: next, inputs: '{{ x }}'}]")
    assert result.error is not None
    assert "`inputs` of go_task" in result.error.message


async def test_a_chain_may_lead_into_another_plan(project: Project):
    project.write("q/plan.yaml", "name: q")
    project.write("q/config.yaml", "colour: blue")
    project.write("q/tasks/end.yaml", "steps: []\nreturns: \"{{ config('colour') }}\"")
    project.write("p/plan.yaml", "name: p\nrequires: [q]")
    result = await project.run("steps: [{go_task: q/end}]")
    assert result.result == "blue"


async def test_on_failure_sees_the_error_and_the_inputs_but_not_the_variables(project: Project):
    project.write(
        "p/actions/keep.py",
        """
        from aura_core.api import Context, action

        @action("keep")
        async def keep(value: object, context: Context) -> bool:
            async with context.state.edit() as data:
                data["kept"] = value
            return True
        """,
    )
    project.task(
        "t",
        """
        meta: {inputs: {n: {type: integer, default: 7}}}
        steps: [{set: {secret: 1}}, {id: bad, action: fail, retry: {attempts: 2}}]
        on_failure:
          steps: [{action: keep, params: {value: ["{{ error }}", "{{ inputs.n }}", "{{ secret is defined }}"]}}]
        """,
    )
    async with project.running() as framework:
        result = await framework.submit(Tasklet("p/t"))
        kept = (await framework.orchestrator("p").get_persistent_context_data())["kept"]
    assert result.status == "error"
    assert result.error is not None
    assert kept[1:] == [7, False]
    assert {key: kept[0][key] for key in ("type", "message", "task", "step", "attempts")} == {
        "type": "ActionError",
        "message": "it broke",
        "task": "p/t",
        "step": "bad",
        "attempts": 2,
    }


@pytest.mark.parametrize(
    ("steps", "result"),
    [
        ("[{action: echo, params: {value: rescued}}]", "rescued"),
        ("[{action: echo, params: {value: first}}, {set: {x: 1}}]", "first"),
        ("[]", True),
    ],
)
async def test_a_task_that_recovers_counts_as_done_with_the_blocks_result(project: Project, steps: str, result: object):
    got = await project.run(f"steps: [{{action: fail}}]\nreturns: x\non_failure: {{steps: {steps}, recover: true}}")
    assert (got.status, got.result, got.error) == ("success", result, None)


async def test_a_stop_inside_a_recovering_handler_ends_the_task_as_stopped(project: Project):
    got = await project.run("steps: [{action: fail}]\non_failure: {steps: [{stop: gave up}], recover: true}")
    assert (got.status, got.message) == ("stopped", "gave up")


async def test_a_failing_handler_leaves_the_first_error(project: Project):
    got = await project.run(
        "steps: [{action: fail}]\non_failure: {steps: [{action: fail, params: {message: worse}}], recover: true}"
    )
    assert got.error is not None
    assert got.error.message == "it broke"


async def test_a_handler_may_go_on_with_another_task(project: Project):
    project.task("plan_b", "steps: []\nreturns: b")
    got = await project.run("steps: [{action: fail}]\non_failure: {steps: [{go_task: plan_b}]}")
    assert (got.status, got.result) == ("success", "b")


async def test_a_task_can_be_executed_by_its_name_in_the_plan(project: Project):
    project.task("t", "meta: {inputs: {n: {type: integer, required: true}}}\nsteps: []\nreturns: '{{ inputs.n }}'")
    async with project.running() as framework:
        orchestrator = framework.orchestrator("p")
        assert (await orchestrator.execute_task("t", {"n": "5"})).result == 5
        with pytest.raises(InputError):
            await orchestrator.execute_task("t")
        with pytest.raises(NotFoundError):
            await orchestrator.execute_task("u")


@pytest.mark.parametrize(("branch", "status"), [("sleep, params: {seconds: 0}", "success"), ("fail", "error")])
async def test_branches_need_no_execution_manager(project: Project, branch: str, status: str):
    project.task("t", f"steps: [{{parallel: [[{{action: {branch}}}], [{{action: echo, params: {{value: 1}}}}]]}}]")
    async with project.running() as framework:
        assert (await framework.orchestrator("p").execute_task("t")).status == status


async def test_attachments_of_the_whole_chain_come_back(project: Project, tmp_path: Path):
    project.write(
        "p/actions/hand.py",
        """
        from aura_core.api import Context, action

        @action("hand")
        async def hand(name: str, context: Context) -> None:
            (context.files / name).write_text("x")
            context.attach(name, name.upper())
        """,
    )
    project.task("sub", "steps: [{action: hand, params: {name: b}}]")
    project.task("t", "steps: [{action: hand, params: {name: a}}, {run_task: sub}, {go_task: sub}]")
    async with project.running() as framework:
        result = await framework.submit(Tasklet("p/t", run=RunInfo(files_folder=tmp_path / "s" / "files")))
    assert [(item.path.name, item.caption) for item in result.attachments] == [("a", "A"), ("b", "B"), ("b", "B")]
    assert result.attachments[0].path == tmp_path / "s" / "files" / "a"


async def test_a_read_only_action_can_be_a_condition(project: Project):
    project.write(
        "p/actions/conditions.py",
        """
        from aura_core.api import Context, action, config

        @action("low")
        async def low(below: int, context: Context) -> bool:
            return config("level") < below

        @action("change", effects="write")
        async def change() -> bool:
            return True
        """,
    )
    project.write("p/config.yaml", "level: 5")
    project.data.mkdir()
    (project.data / "p.json").write_text(json.dumps({"limit": 6}))
    async with project.running() as framework:
        check = framework.orchestrator("p").perform_condition_check
        assert await check({"action": "low", "params": {"below": "{{ state.limit }}"}}) is True
        assert await check({"action": "low", "params": {"below": 5}}) is False
        assert await check({"action": "search", "params": {"found": False}}) is False
        assert await check({"action": "search", "params": {"found": True}}) is True
        assert await check({"action": "echo"}) is False
        with pytest.raises(InputError, match="cannot be a condition"):
            await check({"action": "change"})
        with pytest.raises(NotFoundError, match="did you mean 'low'"):
            await check({"action": "lwo"})
        with pytest.raises(InputError, match="there is no parameter 'over'"):
            await check({"action": "low", "params": {"below": 1, "over": 2}})


async def test_a_condition_goes_through_the_middleware_like_every_call(project: Project):
    seen: list[tuple[str, object, object]] = []

    async def watch(call: ActionCall, proceed: Proceed) -> object:
        seen.append((call.action.ref, call.params, call.engine))
        return await proceed(call)

    async with project.running(middleware=[watch]) as framework:
        orchestrator = framework.orchestrator("p")
        assert await orchestrator.perform_condition_check({"action": "echo", "params": {"value": 1}}) is True
    assert seen == [("p/echo", {"value": 1}, None)]
    assert current_plan_name.get() is None


async def test_the_plans_data_is_handed_out_as_a_copy(project: Project):
    project.data.mkdir()
    (project.data / "p.json").write_text(json.dumps({"notes": ["a"]}))
    async with project.running() as framework:
        data = await framework.orchestrator("p").get_persistent_context_data()
        data["notes"].append("b")
        assert await framework.orchestrator("p").get_persistent_context_data() == {"notes": ["a"]}
    assert json.loads((project.data / "p.json").read_text()) == {"notes": ["a"]}


async def test_files_of_the_plan_can_be_read_and_nothing_else(project: Project, tmp_path: Path):
    project.write("p/words/a.txt", "grün")
    project.write("p/words/raw.bin", "").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "secret.txt").write_text("secret")
    (project.plans / "p" / "link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(project.plans / "p" / "pipe")
    project.task("t", "steps: []")
    async with project.running() as framework:
        orchestrator = framework.orchestrator("p")
        assert await orchestrator.get_file_content("words/a.txt") == "grün"
        assert await orchestrator.get_file_content_bytes("words/raw.bin") == b"\xff\xfe\x00"
        for bad in (
            "../../secret.txt",
            "link.txt",
            "/etc/hostname",
            "pipe",
            "words\\..\\..\\..\\secret.txt",
            "",
            "a\0b",
        ):
            with pytest.raises(ForbiddenPathError):
                await orchestrator.get_file_content(bad)
        with pytest.raises(NotFoundError, match=r"no file 'words/b\.txt'"):
            await orchestrator.get_file_content("words/b.txt")
        with pytest.raises(NotFoundError):
            await orchestrator.get_file_content("words")
        with pytest.raises(InputError, match="no UTF-8 text"):
            await orchestrator.get_file_content("words/raw.bin")


async def test_a_slow_disk_does_not_hold_the_loop(project: Project):
    """The only thread is busy: the file waits for it, and everything else goes on."""
    project.write("p/words.txt", "grün")
    project.task("t", "steps: []\nreturns: 1")
    release = threading.Event()
    async with project.running(limits=ExecutionLimits(threads=1)) as framework, asyncio.TaskGroup() as group:
        busy = group.create_task(framework.execution_manager.pools.run_io(lambda: release.wait(30)))
        reading = group.create_task(framework.orchestrator("p").get_file_content("words.txt"))
        assert (await framework.submit(Tasklet("p/t"))).result == 1
        assert (busy.done(), reading.done()) == (False, False)
        release.set()
        assert await reading == "grün"


async def test_concurrent_runs_of_different_plans_read_their_own_settings(project: Project):
    for plan, colour in (("p", "red"), ("q", "blue")):
        project.write(f"{plan}/plan.yaml", f"name: {plan}")
        project.write(f"{plan}/config.yaml", f"colour: {colour}")
        project.write(
            f"{plan}/actions/look.py",
            """
            import asyncio
            import time
            from aura_core.api import action, config

            @action("look")
            async def look() -> str:
                await asyncio.sleep(0.001)
                return config("colour")

            @action("look_in_thread")
            def look_in_thread() -> str:
                time.sleep(0.001)
                return config("colour")
            """,
        )
        project.write(
            f"{plan}/tasks/t.yaml",
            """
            steps:
              - {for: 3, parallel: 2, collect: a, do: [{action: look}]}
              - {action: look_in_thread, output_to: b}
            returns: "{{ a + [b, config('colour')] }}"
            """,
        )
    async with project.running() as framework:
        results = await asyncio.gather(*(framework.submit(Tasklet(f"{plan}/t")) for plan in ("p", "q") * 10))
    assert [result.result for result in results] == [["red"] * 5, ["blue"] * 5] * 10
    with pytest.raises(NotFoundError, match="outside a running task"):
        config("colour")
