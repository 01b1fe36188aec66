"""Aura as a contestant: a plan in a folder of its own, and a Framework that runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.tasklet import Tasklet
from benchmarks.door import Door

ACTIONS = Path(__file__).with_name("actions.py")
MANY = 100_000


class BrokenPlanError(Exception):
    """The plan that a case wrote does not load."""


class FailedTaskError(Exception):
    """A task that a case ran did not succeed."""


@asynccontextmanager
async def running(
    tasks: Mapping[str, str],
    *,
    concurrency: int = MANY,
    resources: Mapping[str, int] | None = None,
    door: Door | None = None,
) -> AsyncGenerator[Framework]:
    """A framework with one plan, `bench`.

    Args:
        tasks: name -> the text of its file.
        concurrency: tasks at once.
        resources: name -> limit.
        door: what the action `enter` goes through.
    """
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        plan = write_plan(Path(folder) / "plans", tasks)
        limits = ExecutionLimits(concurrency=concurrency, resources=dict(resources or {}))
        services = {"door": door or Door([], asyncio.sleep)}
        async with Framework([plan.parent], Path(folder) / "data", services=services, limits=limits) as framework:
            if framework.problems:
                raise BrokenPlanError("\n".join(str(problem) for problem in framework.problems))
            yield framework


def write_plan(plans: Path, tasks: Mapping[str, str]) -> Path:
    """Writes the plan `bench` into a folder of plans and returns the plan's folder."""
    plan = plans / "bench"
    (plan / "actions").mkdir(parents=True)
    (plan / "tasks").mkdir()
    (plan / "plan.yaml").write_text("name: bench\n", encoding="utf-8")
    (plan / "actions" / "bench.py").write_text(ACTIONS.read_text(encoding="utf-8"), encoding="utf-8")
    for name, text in tasks.items():
        (plan / "tasks" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return plan


async def run(framework: Framework, task: str, inputs: dict[str, Any] | None = None, **options: Any) -> Any:
    """Runs a task of the plan and gives its result.

    Args:
        framework: from `running`.
        task: its name inside the plan.
        inputs: by name.
        options: further fields of the Tasklet.

    Raises:
        FailedTaskError: it did not succeed.
    """
    result = await framework.submit(Tasklet(f"bench/{task}", inputs or {}, **options))
    if not result.ok:
        raise FailedTaskError(str(result.error))
    return result.result
