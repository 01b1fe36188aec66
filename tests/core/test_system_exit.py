"""What tries to end the program: SystemExit and KeyboardInterrupt of a plan fail a step, a person's Ctrl-C ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

PROGRAM = """
    import asyncio, sys
    from pathlib import Path
    from aura_core.framework import Framework
    from aura_core.tasklet import Tasklet

    async def main() -> None:
        async with Framework([Path(sys.argv[1])], Path(sys.argv[2])) as framework:
            print((await framework.submit(Tasklet("p/t"))).error.message, flush=True)

    asyncio.run(main())
"""


def started(project: Project, action: str, program: str = PROGRAM) -> subprocess.Popen[str]:
    """A process that runs the task `p/t` of one action, which says "here" when it is called."""
    text = f"import os, signal, time\nfrom aura_core.api import action\n\n@action('act')\n{textwrap.dedent(action)}\n"
    project.write("p/actions/act.py", text)
    project.task("t", "steps: [{action: act}]")
    command = [sys.executable, "-c", textwrap.dedent(program), str(project.plans), str(project.data)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd())


@pytest.mark.slow
def test_a_second_ctrl_c_ends_a_program_whose_action_does_not_let_go(project: Project):
    process = started(project, "async def act() -> None:\n    print('here', flush=True)\n    time.sleep(60)")
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    _, said = process.communicate(timeout=20)
    assert said.rstrip().endswith("KeyboardInterrupt")


def test_an_action_that_raises_keyboard_interrupt_by_itself_ends_its_step_alone(project: Project):
    process = started(project, "async def act() -> None:\n    raise KeyboardInterrupt")
    said, errors = process.communicate(timeout=20)
    assert "raised KeyboardInterrupt, actions/act.py:6" in said, errors
    assert process.returncode == 0


@pytest.mark.slow
async def test_ctrl_c_is_no_matter_of_the_processes_of_cpu_actions(project: Project):
    project.write(
        "p/actions/act.py",
        """
        import os, signal
        from aura_core.api import action

        @action("act", cpu=True)
        def act() -> str:
            os.kill(os.getpid(), signal.SIGINT)
            return "went on"
        """,
    )
    result = await project.run("steps: [{action: act, output_to: it}]\nreturns: '{{ it }}'")
    assert result.result == "went on", result.error


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyboardInterrupt"])
@pytest.mark.parametrize(
    ("method", "place"),
    [("__reduce__(self)", "cannot leave its process"), ("__setstate__(self, state)", "Action p/act")],
)
@pytest.mark.slow
async def test_a_result_of_a_cpu_action_that_ends_programs_on_its_way_fails_its_step_alone(
    project: Project, method: str, place: str, error: str
):
    project.write(
        "p/actions/act.py",
        f"""
        from aura_core.api import action

        class Result:
            def __init__(self):
                self.value = 1

            def {method}:
                raise {error}

        class Failure(Exception):
            def {method}:
                raise {error}

        @action("act", cpu=True)
        def act(fails: bool = False) -> object:
            if fails:
                raise Failure("it failed")
            return Result()
        """,
    )
    project.task("fails", "steps: [{action: act, params: {fails: true}}]")
    project.task("t", "steps: [{action: act}]")
    async with project.running() as framework:
        result = await framework.submit(Tasklet("p/t"))
        assert result.error is not None
        assert place in result.error.message
        failed = await framework.submit(Tasklet("p/fails"))
        assert failed.error is not None
        assert "it failed" in failed.error.message


async def test_a_value_that_ends_programs_when_an_expression_asks_it_ends_its_task_alone(project: Project):
    project.write(
        "p/actions/act.py",
        """
        from aura_core.api import action

        class Value:
            def __getattr__(self, name):
                raise SystemExit(3)

        @action("act")
        def act() -> object:
            return Value()
        """,
    )
    result = await project.run("steps: [{action: act, output_to: it}, {set: {x: '{{ it.x }}'}}]")
    assert result.error is not None
    assert "sys.exit(3)" in result.error.message
