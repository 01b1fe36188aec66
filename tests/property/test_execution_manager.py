"""Laws of the ExecutionManager: whatever is submitted, cancelled or timed out, no limit is ever exceeded."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aura_core.execution_manager import ExecutionLimits
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.examples import examples
from tests.fixtures.project import Project

LIMITS = {"a": 1, "b": 2, "c": 3}
ACTIONS = """
    import asyncio
    from aura_core.api import Context, action, requires_services

    @action("work")
    @requires_services(watch="watch")
    async def work(watch, turns: int, tags: list[str], context: Context) -> int:
        with watch.inside(tags):
            for _ in range(turns):
                await asyncio.sleep(0)
        return turns

    @action("hold")
    @requires_services(watch="watch")
    def hold(watch, turns: int, tags: list[str]) -> int:
        with watch.inside(tags):
            watch.pause(turns / 5000)
        return turns
"""


class Watch:
    """Counts who works on what; a limit exceeded is remembered."""

    def __init__(self, concurrency: int) -> None:
        self.limits = {**LIMITS, "": concurrency}
        self.now: Counter[str] = Counter()
        self.broken: list[str] = []

    @contextmanager
    def inside(self, tags: list[str]) -> Iterator[None]:
        self.now.update(["", *tags])
        self.broken += [tag for tag, count in self.now.items() if count > self.limits[tag]]
        try:
            yield
        finally:
            self.now.subtract(["", *tags])

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


submission = st.fixed_dictionaries(
    {
        "tags": st.lists(st.sampled_from("abc"), unique=True),
        "turns": st.integers(0, 12),
        "action": st.sampled_from(["work", "work", "hold"]),
        "priority": st.integers(-2, 2),
        "start_after": st.integers(0, 10),
        "cancel_after": st.none() | st.integers(0, 15),
        "timeout": st.none() | st.none() | st.floats(0.0001, 0.003),
    }
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(concurrency=st.integers(1, 4), submissions=st.lists(submission, max_size=25))
def test_no_limit_is_ever_exceeded_and_nothing_is_left(concurrency: int, submissions: list[dict[str, Any]]):
    asyncio.run(_drive(concurrency, submissions))


async def _drive(concurrency: int, submissions: list[dict[str, Any]]) -> None:
    watch = Watch(concurrency)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        project.write("p/actions/watched.py", ACTIONS)
        for name in ("work", "hold"):
            project.task(
                name,
                f"""
                meta: {{inputs: {{turns: {{type: integer}}, tags: {{type: array}}}}}}
                steps: [{{action: {name}, params: {{turns: "{{{{ inputs.turns }}}}", tags: "{{{{ inputs.tags }}}}"}}}}]
                """,
            )
        limits = ExecutionLimits(concurrency=concurrency, threads=30)
        async with project.running(services={"watch": watch}, limits=limits) as framework:
            ends = await asyncio.gather(*(_submit(framework, one) for one in submissions))
            manager = framework.execution_manager
            await manager._abandoned.ended()
            assert manager.busy == 0
            assert manager._global_sem.held == manager._global_sem.waiting == 0
            assert [name for name, semaphore in manager._resource_sems.items() if semaphore.held] == []
    assert watch.broken == []
    assert all(count == 0 for count in watch.now.values())
    for one, end in zip(submissions, ends, strict=True):
        allowed = {"success"}
        allowed |= {"timeout"} if one["timeout"] is not None else set()
        allowed |= {"cancelled"} if one["cancel_after"] is not None else set()
        assert end in allowed


async def _submit(framework: Any, one: dict[str, Any]) -> str:
    for _ in range(one["start_after"]):
        await asyncio.sleep(0)
    tasklet = Tasklet(
        f"p/{one['action']}",
        {"turns": one["turns"], "tags": one["tags"]},
        resources=tuple(f"{tag}:{LIMITS[tag]}" for tag in one["tags"]),
        priority=one["priority"],
        timeout=one["timeout"],
        run=RunInfo(),
    )
    run = asyncio.create_task(framework.submit(tasklet))
    if one["cancel_after"] is not None:
        for _ in range(one["cancel_after"]):
            await asyncio.sleep(0)
        run.cancel()
    try:
        return (await run).status
    except asyncio.CancelledError:
        return "cancelled"
