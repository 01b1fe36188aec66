"""The ExecutionManager as a machine: submit, finish, fail, cancel, time out and shut down in any order.

At every moment no limit is exceeded and nobody waits while there is room for it; whoever heard that a task began hears
exactly once how it ended; at the end there are no places taken, no tasks, threads or processes left.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aura_core.errors import ShutDownError
from aura_core.execution.task_events import TaskChanged
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.examples import examples
from tests.fixtures.project import Project

LIMITS = {"a": 1, "b": 2, "c": 3}
KINDS = ("stay", "stay_and_clean_up", "hold_a_thread", "nested")
INNER = {"a", "c"}
"""What the task inside a nested one declares; a run takes it before it begins."""
NUMBERS = st.integers(0, 30)
ENDS = {"success", "error", "timeout", "cancelled"}
ACTIONS = """
    from aura_core.api import Context, action, requires_services

    @action("stay")
    @requires_services(watch="watch")
    async def stay(watch, tags: list[str], clean_up: bool, context: Context) -> None:
        await watch.stay(context.run.corr_id, tags, clean_up)

    @action("hold")
    @requires_services(watch="watch")
    def hold(watch, tags: list[str], context: Context) -> None:
        watch.hold(context.run.corr_id, tags)
"""
INPUTS = "meta: {inputs: {tags: {type: array, items: {type: string}}}}\n"
STAY = INPUTS + 'steps: [{action: stay, params: {tags: "{{ inputs.tags }}", clean_up: %s}}]'


@dataclass
class Visit:
    """One submission, as the test knows it: the doors that let it go, and what it told."""

    tags: list[str]
    needs: set[str]
    loop: asyncio.AbstractEventLoop
    run: asyncio.Task[TaskResult] | None = None
    fails: bool = False
    door: asyncio.Event = field(default_factory=asyncio.Event)
    way_out: asyncio.Event = field(default_factory=asyncio.Event)
    thread_door: threading.Event = field(default_factory=threading.Event)
    hooks: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)

    def release(self) -> None:
        self.way_out.set()
        self.thread_door.set()


class Watch:
    """The service at which all work happens: it counts who is inside."""

    def __init__(self, concurrency: int) -> None:
        self.limits = {**LIMITS, "": concurrency}
        self.now: Counter[str] = Counter()
        self.visits: dict[str, Visit] = {}
        self.broken: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def inside(self, tags: list[str]) -> Iterator[None]:
        with self._lock:
            self.now.update(["", *tags])
            self.broken += [tag for tag, count in self.now.items() if count > self.limits[tag]]
        try:
            yield
        finally:
            with self._lock:
                self.now.subtract(["", *tags])

    async def stay(self, name: str, tags: list[str], clean_up: bool) -> None:
        visit = self.visits[name]
        with self.inside(tags):
            try:
                await visit.door.wait()
            finally:
                if clean_up:
                    await visit.way_out.wait()
        self._judge(visit)

    def hold(self, name: str, tags: list[str]) -> None:
        visit = self.visits[name]
        with self.inside(tags):
            visit.thread_door.wait(30)
        self._judge(visit)

    def _judge(self, visit: Visit) -> None:
        if visit.fails:
            raise OSError("as the test wanted")


class Machine(RuleBasedStateMachine):
    """Drives a real event loop, one rule at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        self.threads = set(threading.enumerate())
        self.closed = False

    @initialize(concurrency=st.integers(1, 4))
    def start(self, concurrency: int) -> None:
        project = Project(Path(self.folder.name))
        project.write("p/actions/watched.py", ACTIONS)
        project.task("stay", STAY % "false")
        project.task("stay_and_clean_up", STAY % "true")
        project.task("nested", INPUTS + 'steps: [{run_task: inner, pass_params: {tags: "{{ inputs.tags }}"}}]')
        project.task("inner", STAY.replace("meta: {", "meta: {resources: ['a:1', 'c:3'], ") % "false")
        project.task("hold_a_thread", INPUTS + 'steps: [{action: hold, params: {tags: "{{ inputs.tags }}"}}]')
        self.watch = Watch(concurrency)
        limits = ExecutionLimits(concurrency=concurrency, threads=8, grace=0.05)
        self.run(self._start(project, limits))

    async def _start(self, project: Project, limits: ExecutionLimits) -> None:
        running = project.running(services={"watch": self.watch}, limits=limits)
        self.framework: Framework = await self.stack.enter_async_context(running)
        self.told = self.stack.enter_context(self.framework.events.subscribe(TaskChanged, backlog=100_000))
        hooks = self.framework.hooks
        for moment in ("before_task_run", "after_task_success", "after_task_failure", "after_task_run"):
            hooks.register(moment, self._hook(moment))
            hooks.register(moment, self._hook(moment))

    def _hook(self, moment: str) -> Any:
        async def told(tasklet: Tasklet) -> None:
            self.watch.visits[tasklet.run.corr_id].hooks.append(moment)
            await asyncio.sleep(0)

        return told

    def run(self, work: Any) -> Any:
        """Does something on the loop and lets everything that can go on go on."""

        async def and_settle() -> Any:
            result = await work
            for _ in range(60):
                await asyncio.sleep(0)
            return result

        return self.runner.run(and_settle())

    @rule(
        kind=st.sampled_from(KINDS),
        tags=st.lists(st.sampled_from("abc"), unique=True, max_size=2),
        priority=st.integers(-1, 1),
        timeout=st.sampled_from([None, None, 0.001]),
        cancel_at_once=st.sampled_from([None, None, None, 0, 1, 2, 3, 5]),
    )
    def submit(
        self, kind: str, tags: list[str], priority: int, timeout: float | None, cancel_at_once: int | None
    ) -> None:
        async def go() -> None:
            name = str(len(self.watch.visits))
            needs = {*tags, *(INNER if kind == "nested" else ())}
            visit = self.watch.visits[name] = Visit(tags, needs, asyncio.get_running_loop())
            resources = tuple(f"{tag}:{LIMITS[tag]}" for tag in tags)
            tasklet = Tasklet(f"p/{kind}", {"tags": tags}, resources, timeout, priority, run=RunInfo(corr_id=name))
            visit.run = asyncio.create_task(self.framework.submit(tasklet))
            if cancel_at_once is not None:
                for _ in range(cancel_at_once):
                    await asyncio.sleep(0)
                visit.run.cancel()

        self.run(go())

    def open_visits(self) -> list[Visit]:
        return [visit for visit in self.watch.visits.values() if visit.run is not None and not visit.run.done()]

    def pick(self, number: int, visits: list[Visit]) -> Visit | None:
        """One of some visits; what is drawn must not depend on them: threads and clocks have a will of their own."""
        return visits[number % len(visits)] if visits else None

    @rule(number=NUMBERS, fails=st.booleans())
    def finish(self, number: int, fails: bool) -> None:
        visit = self.pick(number, self.open_visits())

        async def go() -> None:
            if visit is not None:
                visit.fails = fails
                visit.door.set()
                visit.release()

        self.run(go())

    @rule(one=NUMBERS, another=NUMBERS, turns=st.integers(0, 14))
    def finish_one_and_cancel_another(self, one: int, another: int, turns: int) -> None:
        """A place may be on its way to a waiter that is cancelled in the same moment."""
        visits = self.open_visits()
        waiting = [visit for visit in visits if visit.phases == ["queued"]]
        leaving, cancelled = self.pick(one, visits), self.pick(another, waiting or visits)

        async def go() -> None:
            if leaving is not None:
                leaving.door.set()
                leaving.release()
            for _ in range(turns):
                await asyncio.sleep(0)
            if cancelled is not None and cancelled.run is not None:
                cancelled.run.cancel()

        self.run(go())

    @rule(number=NUMBERS, twice=st.booleans())
    def cancel(self, number: int, twice: bool) -> None:
        visit = self.pick(number, self.open_visits())

        async def go() -> None:
            if visit is None or visit.run is None:
                return
            visit.run.cancel()
            if twice:
                await asyncio.sleep(0)
                visit.run.cancel()

        self.run(go())

    @rule()
    def let_clocks_ring(self) -> None:
        self.run(asyncio.sleep(0.003))

    @precondition(lambda self: not self.closed)
    @rule(release_first=st.booleans())
    def shut_down(self, release_first: bool) -> None:
        self.closed = True

        async def go() -> None:
            closing = asyncio.create_task(self.framework.execution_manager.shutdown())
            await asyncio.sleep(0)
            if release_first:
                for visit in self.watch.visits.values():
                    visit.door.set()
            for visit in self.watch.visits.values():
                visit.release()
            await closing

        self.run(go())
        assert self.open_visits() == []

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        assert self.watch.broken == []
        manager = self.framework.execution_manager
        for semaphore in (manager._global_sem, *manager._resource_sems.values()):
            assert 0 <= semaphore.held <= semaphore.limit

    @invariant()
    def nobody_waits_while_there_is_room(self) -> None:
        manager = self.framework.execution_manager
        self.collect_phases()
        for visit in self.open_visits():
            if visit.phases == ["queued"]:
                needed = [manager._global_sem, *(manager._resource_sems[tag] for tag in visit.needs)]
                assert any(semaphore.held == semaphore.limit for semaphore in needed), visit

    @invariant()
    def hooks_and_events_come_in_order(self) -> None:
        self.collect_phases()
        for visit in self.watch.visits.values():
            assert visit.hooks in _beginnings(), visit.hooks
            assert visit.phases[:1] in ([], ["queued"])
            assert not ENDS & set(visit.phases[:-1])

    def collect_phases(self) -> None:
        for event in self.told.pending():
            self.watch.visits[event.corr_id].phases.append(event.phase)

    def teardown(self) -> None:
        if not hasattr(self, "framework"):
            return
        if not self.closed:
            self.shut_down(release_first=True)
        manager = self.framework.execution_manager
        with pytest.raises(ShutDownError):
            self.runner.run(self.framework.submit(Tasklet("p/stay")))
        self.run(self.stack.aclose())
        self.hooks_and_events_come_in_order()
        for visit in self.watch.visits.values():
            self.check_end(visit)
        assert (manager.busy, len(manager._abandoned)) == (0, 0)
        for semaphore in (manager._global_sem, *manager._resource_sems.values()):
            assert (semaphore.held, semaphore.waiting) == (0, 0)
        assert +self.watch.now == Counter()
        assert self.runner.run(_others()) == 0
        self.runner.close()
        for thread in set(threading.enumerate()) - self.threads:
            thread.join(10)
            assert not thread.is_alive(), thread
        assert multiprocessing.active_children() == []
        self.folder.cleanup()

    def check_end(self, visit: Visit) -> None:
        assert visit.run is not None
        if visit.run.cancelled():
            assert not visit.phases or visit.phases[-1] in ENDS
            return
        if isinstance(visit.run.exception(), ShutDownError):
            assert (visit.phases, visit.hooks) == ([], [])
            return
        status = visit.run.result().status
        assert visit.phases[-1] == status
        if "running" in visit.phases:
            assert visit.hooks == _told("success" if status == "success" else "failure")
        else:
            assert visit.hooks == []


def _told(end: str) -> list[str]:
    """Two hooks a moment."""
    return [moment for moment in ("before_task_run", f"after_task_{end}", "after_task_run") for _ in range(2)]


def _beginnings() -> list[list[str]]:
    return [_told(end)[:length] for end in ("success", "failure") for length in range(7)]


async def _others() -> int:
    return len(asyncio.all_tasks()) - 1


TestMachine = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")(Machine.TestCase)
TestMachine.settings = settings(
    max_examples=examples(40), stateful_step_count=25, suppress_health_check=list(HealthCheck)
)
