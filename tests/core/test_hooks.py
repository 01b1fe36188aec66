"""Hooks by themselves: what they get, in which order, and that they change nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from aura_core.asynccontext import current_plan_name
from aura_core.hooks import HookManager


async def test_a_moment_nobody_waits_for_costs_nothing():
    hooks = HookManager()
    assert "before_task_run" not in hooks
    await hooks.trigger("before_task_run", task=1)


async def test_a_hook_gets_what_it_names_and_its_own_plan():
    hooks, seen = HookManager(), []

    async def named(task: str) -> None:
        seen.append((task, current_plan_name.get()))

    def everything(**data: Any) -> None:
        seen.append((sorted(data), threading.current_thread() is threading.main_thread()))

    hooks.register("before_task_run", named, plan="p")
    hooks.register("before_task_run", everything, plan="q")
    assert "before_task_run" in hooks
    await hooks.trigger("before_task_run", task="t", tasklet=1)
    assert seen == [("t", "p"), (["task", "tasklet"], False)]


def test_a_moment_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no moment 'before_tsk_run' for a hook; there are: after_task_failure"):
        HookManager().register("before_tsk_run", print)


async def test_a_hook_that_hangs_is_given_up():
    release = threading.Event()
    hooks, seen = HookManager(seconds=0.02), []
    hooks.register("after_task_run", lambda: release.wait(30))
    hooks.register("after_task_run", lambda: seen.append("next"))
    await hooks.trigger("after_task_run")
    release.set()
    assert seen == ["next"]
