"""Hooks by themselves: what they get, in which order, and that they change nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aura_core.asynccontext import current_plan_name
from aura_core.execution.calls import Unfinished
from aura_core.execution.pools import Pools
from aura_core.execution.task_scope import given_up_calls
from aura_core.execution.thread_limit import THREADS
from aura_core.plugins.hooks import HookManager
from tests.fixtures.project import Project


@pytest.fixture
async def pools() -> AsyncIterator[Pools]:
    pools = Pools(threads=8, processes=1)
    pools.startup()
    yield pools
    await pools.shutdown(grace=5)


async def test_a_moment_nobody_waits_for_costs_nothing(pools: Pools):
    hooks = HookManager(pools.run_io)
    assert "before_task_run" not in hooks
    await hooks.trigger("before_task_run", task=1)


async def test_a_hook_gets_what_it_names_and_its_own_plan(pools: Pools):
    hooks, seen = HookManager(pools.run_io), []

    async def named(task: str) -> None:
        seen.append((task, current_plan_name.get()))

    def everything(**data: Any) -> None:
        seen.append((sorted(data), threading.current_thread().name[:7]))

    hooks.register("before_task_run", named, plan="p")
    hooks.register("before_task_run", everything, plan="q")
    assert "before_task_run" in hooks
    await hooks.trigger("before_task_run", task="t", tasklet=1)
    assert seen == [("t", "p"), (["task", "tasklet"], "aura-io")]


def test_a_moment_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no moment 'before_tsk_run' for a hook; there are: after_task_failure"):
        HookManager(asyncio.to_thread).register("before_tsk_run", print)


async def test_an_awaited_hook_that_hangs_is_given_up(pools: Pools):
    hooks, seen = HookManager(pools.run_io, seconds=0.01), []

    async def hangs() -> None:
        await asyncio.Event().wait()

    hooks.register("before_task_run", hangs)
    hooks.register("before_task_run", lambda: seen.append("next"))
    await hooks.trigger("before_task_run")
    assert seen == ["next"]


async def test_a_plain_hook_that_never_returns_keeps_few_threads_and_is_not_called_again(pools: Pools):
    release, hooks, calls, others = threading.Event(), HookManager(pools.run_io, seconds=0.05), [], []

    def hangs() -> None:
        calls.append(1)
        release.wait(30)

    hooks.register("after_task_run", hangs)
    hooks.register("after_task_run", lambda: others.append(1))
    await asyncio.gather(*(hooks.trigger("after_task_run") for _ in range(20)))
    await hooks.trigger("after_task_run")
    assert (len(calls), len(others)) == (THREADS, 21)
    release.set()
    (hook, _) = hooks._hooks["after_task_run"]
    await asyncio.gather(*(asyncio.wrap_future(work) for work in list(hook.threads._unfinished)))
    await hooks.trigger("after_task_run")
    assert (len(calls), len(others)) == (THREADS + 1, 22)


async def test_no_slot_waits_for_a_hook_that_was_given_up(pools: Pools):
    release, hooks, mine = threading.Event(), HookManager(pools.run_io, seconds=0.01), Unfinished()
    hooks.register("after_task_run", lambda: release.wait(30))
    with given_up_calls(into=mine):
        await hooks.trigger("after_task_run")
    release.set()
    assert len(mine) == 0


@pytest.mark.parametrize("moment", ["before_task_run", "after_task_run"])
async def test_a_cancellation_ends_the_hook_that_runs_and_the_others_are_still_called(pools: Pools, moment: str):
    hooks, seen, begun = HookManager(pools.run_io), [], asyncio.Event()

    async def first() -> None:
        seen.append("first")
        begun.set()
        await asyncio.Event().wait()

    hooks.register(moment, first)
    hooks.register(moment, lambda: seen.append("second"))
    run = asyncio.create_task(hooks.trigger(moment))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert seen == ["first", "second"]


@pytest.mark.parametrize(
    "end", ["sys.exit(3)", "raise KeyboardInterrupt", "raise BaseExceptionGroup('', [SystemExit()])"]
)
@pytest.mark.parametrize("form", ["def", "async def"])
async def test_a_hook_that_ends_as_a_program_does_ends_nothing(project: Project, form: str, end: str):
    project.write(
        "p/actions/leaving.py",
        f"""
        import sys
        from aura_core.api import hook

        @hook("before_task_run")
        {form} leave(**_data):
            {end}
        """,
    )
    result = await project.run("steps: []\nreturns: 1")
    assert result.result == 1


@pytest.mark.parametrize("form", ["def", "async def"])
@pytest.mark.parametrize("moment", ["before_task_run", "after_task_success", "after_task_run"])
async def test_a_hook_that_raises_cancelled_error_by_itself_ends_nothing(project: Project, form: str, moment: str):
    project.write(
        "p/actions/leaving.py",
        f"""
        import asyncio
        from aura_core.api import hook

        @hook("{moment}")
        {form} leave(**_data):
            raise asyncio.CancelledError
        """,
    )
    result = await project.run("steps: [{action: sleep, params: {seconds: 0}}]\nreturns: 1")
    assert (result.status, result.result) == ("success", 1)


async def test_a_hook_that_awaited_a_cancelled_task_counts_as_failed_and_a_later_cancellation_still_counts(
    pools: Pools,
):
    hooks, begun, seen = HookManager(pools.run_io), asyncio.Event(), []

    async def awaits_what_was_cancelled() -> None:
        lost = asyncio.create_task(asyncio.Event().wait())
        lost.cancel()
        await lost

    async def hangs() -> None:
        begun.set()
        await asyncio.Event().wait()

    hooks.register("after_task_run", awaits_what_was_cancelled)
    await hooks.trigger("after_task_run")
    hooks.register("after_task_run", hangs)
    hooks.register("after_task_run", awaits_what_was_cancelled)
    hooks.register("after_task_run", lambda: seen.append("last"))
    run = asyncio.create_task(hooks.trigger("after_task_run"))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert seen == ["last"]
