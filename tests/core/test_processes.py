"""The processes of cpu actions: each call has one for itself, ended with the call, replaced when it dies."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from contextvars import copy_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from aura_core.execution.plan_modules import PlanModules
from aura_core.execution.processes import Processes
from aura_core.execution.worker import WorkerCall, run_call
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

SWAP = """
    from aura_core.api import action

    @action("swap", cpu=True)
    def swap(left: int, right: int) -> list:
        return [right, left]
"""
HOLD = """
    import os, time
    from pathlib import Path
    from aura_core.api import action

    @action("hold", cpu=True)
    def hold(mark: str) -> int:
        Path(mark + ".new").write_text(str(os.getpid()))
        os.replace(mark + ".new", mark)
        while not Path(mark + ".go").exists():
            time.sleep(0.01)
        return os.getpid()
"""
HOLD_TASK = """
    meta: {inputs: {mark: {type: string, required: true}}}
    steps: [{action: hold, params: {mark: "{{ inputs.mark }}"}, output_to: pid}]
    returns: "{{ pid }}"
"""


async def pid_in(mark: Path) -> int:
    while not mark.exists():  # noqa: ASYNC110 (the other process tells only by this file)
        await asyncio.sleep(0.005)
    return int(mark.read_text())


def processes_of(framework: Framework) -> list[BaseProcess]:
    pool = framework.execution_manager.pools.cpu
    return [] if pool is None else [worker.process for worker in pool.workers if worker.process is not None]


async def test_a_worker_killed_while_nothing_runs_is_replaced_and_nobody_notices(project: Project):
    project.write("p/actions/swap.py", SWAP)
    project.task("swap", "steps: [{action: swap, params: {left: 1, right: 2}}]")
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/swap"))).ok
        (process,) = processes_of(framework)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.join)
        assert (await framework.submit(Tasklet("p/swap"))).ok
        (other,) = processes_of(framework)
        assert other.pid != process.pid


async def test_a_process_that_dies_takes_no_other_call_with_it(project: Project):
    project.write("p/actions/hold.py", HOLD)
    project.task("hold", HOLD_TASK)
    marks = [project.root / name for name in ("a", "b")]
    async with project.running(limits=ExecutionLimits(processes=2)) as framework:
        runs = [asyncio.create_task(framework.submit(Tasklet("p/hold", {"mark": str(mark)}))) for mark in marks]
        first, second = [await pid_in(mark) for mark in marks]
        os.kill(first, signal.SIGKILL)
        error = (await runs[0]).error
        assert error is not None
        assert (error.type, "action hold" in error.message) == ("WorkerDiedError", True)
        Path(f"{marks[1]}.go").touch()
        assert (await runs[1]).result == second
        assert [process.pid for process in processes_of(framework)] == [second]


async def test_ending_a_task_ends_its_process_before_its_slot_is_free(project: Project):
    project.write("p/actions/hold.py", HOLD)
    project.task("hold", HOLD_TASK)
    mark, other = project.root / "mark", project.root / "other"
    Path(f"{other}.go").touch()
    limits = ExecutionLimits(concurrency=1, processes=1)
    async with project.running(limits=limits) as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/hold", {"mark": str(mark)})))
        first = await pid_in(mark)
        (process,) = processes_of(framework)
        next_run = asyncio.create_task(framework.submit(Tasklet("p/hold", {"mark": str(other)})))
        run.cancel()
        result = await next_run
        await asyncio.to_thread(process.join)
        assert process.exitcode == -signal.SIGKILL
        assert result.ok
        assert result.result != first
        assert run.cancelled()


async def test_calls_wait_for_a_free_process_and_may_be_given_up_while_they_wait(project: Project):
    project.write("p/actions/hold.py", HOLD)
    project.task("hold", HOLD_TASK)
    marks = [project.root / str(number) for number in range(4)]
    async with project.running(limits=ExecutionLimits(processes=1)) as framework:
        runs = [asyncio.create_task(framework.submit(Tasklet("p/hold", {"mark": str(mark)}))) for mark in marks]
        pid = await pid_in(marks[0])
        runs[1].cancel()
        for mark in marks:
            Path(f"{mark}.go").touch()
        ends = await asyncio.gather(runs[0], *runs[2:])
        assert [end.result for end in ends] == [pid, pid, pid]
        assert not marks[1].exists()
        assert runs[1].cancelled()


async def test_a_call_that_is_given_up_at_any_moment_leaves_room_for_others(project: Project):
    project.write("p/actions/swap.py", SWAP)
    project.task("swap", "steps: [{action: swap, params: {left: 1, right: 2}}]")
    async with project.running(limits=ExecutionLimits(processes=1)) as framework:
        for turns in range(12):
            run = asyncio.create_task(framework.submit(Tasklet("p/swap")))
            for _ in range(turns):
                await asyncio.sleep(0)
            run.cancel()
            await asyncio.wait([run])
            assert len(processes_of(framework)) <= 1
        assert (await framework.submit(Tasklet("p/swap"))).ok


async def test_a_process_that_forgot_an_older_state_of_a_plan_gets_its_files_again(tmp_path: Path):
    (tmp_path / "actions.py").write_text("def number(): return 1")
    pool, states = Processes(1), [PlanModules.read("p", tmp_path) for _ in range(3)]
    try:
        for modules in (*states, states[0]):
            assert await pool.run(call_of(modules, modules)) == pickle.dumps((True, 1))
        assert len(pool.workers) == 1
    finally:
        await pool.shutdown(10)


def test_what_a_process_does_with_a_call(tmp_path: Path):
    (tmp_path / "actions.py").write_text("def number(): return 1")
    states = [PlanModules.read("p", tmp_path) for _ in range(3)]
    try:
        assert run_call(call_of(states[0], None)) is None
        for modules in states:
            assert copy_context().run(run_call, call_of(modules, modules)) == pickle.dumps((True, 1))
        assert run_call(call_of(states[0], None)) is None
        assert copy_context().run(run_call, call_of(states[1], None)) == pickle.dumps((True, 1))
    finally:
        for modules in states:
            modules.unload()


def call_of(modules: PlanModules, sent: PlanModules | None) -> WorkerCall:
    return WorkerCall(f"{modules.package}.actions", "number", "p", pickle.dumps(({}, {})), sent)


async def test_a_process_that_cannot_be_started_fails_its_call_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "actions.py").write_text("def number(): return 1")
    pool, modules = Processes(1), PlanModules.read("p", tmp_path)

    def refuse(_self: BaseProcess) -> None:
        raise BlockingIOError("no more processes")

    try:
        with monkeypatch.context() as patch:
            patch.setattr(BaseProcess, "start", refuse)
            with pytest.raises(BlockingIOError):
                await pool.run(call_of(modules, modules))
        assert pool.workers == set()
        assert await pool.run(call_of(modules, modules)) == pickle.dumps((True, 1))
    finally:
        await pool.shutdown(10)
