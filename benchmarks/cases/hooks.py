"""Hooks: a moment at which nobody registered one must cost nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aura_core.execution.pools import Pools
from aura_core.plugins.hooks import HookManager
from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, ratio
from benchmarks.stopwatch import per_item

TASKS = 1000
TASK = "a task of one step"
UNIT = "µs a task"


class _NoHooks(HookManager):
    """What it would cost if hooks did not exist."""

    def __contains__(self, moment: str) -> bool:
        return False

    async def trigger(self, moment: str, **data: Any) -> None:
        """Does nothing."""


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    count = size.of(TASKS)
    tasks = {"nothing": "steps:\n  - action: nothing\n"}
    async with aura.running(tasks) as plain, aura.running(tasks) as without, aura.running(tasks) as hooked:
        without.execution_manager._hooks = _NoHooks(Pools(1, 1).run_io)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] (no door for that)
        for moment in ("before_task_run", "after_task_run"):
            hooked.hooks.register(moment, _hook)

        def contestant(name: str, framework: Any) -> Contestant:
            async def work() -> int:
                for _ in range(count):
                    await aura.run(framework, "nothing")
                return count

            return Contestant(name, per_item(work, count, count))

        yield [
            Series(
                TASK,
                UNIT,
                [
                    contestant(FLOOR, without),
                    contestant(AURA, plain),
                    contestant(f"{AURA}, two hooks registered", hooked),
                ],
            )
        ]


async def _hook() -> None:
    """What a plan registered."""


CASE = Case(
    "hooks",
    "a task with the hooks cut out, with nobody registered, and with two hooks",
    _prepare,
    (Target("nobody registered costs nothing (at most 1.05 ×)", 1.05, ratio(TASK, FLOOR)),),
)
