"""The ExecutionManager: limits, priorities, timeouts, hooks, cancellation, shutdown."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_core.errors import InputError, ShutDownError, StatePlanningError
from aura_core.execution.task_events import TaskChanged
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.language.task import TaskDefinition
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.project import Project


class Gate:
    """A service at which tasks stop until the test lets them through; it knows who is inside."""

    def __init__(self) -> None:
        self.inside: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.order: list[str] = []
        self.entered = asyncio.Event()
        self._open = asyncio.Event()

    async def pass_through(self, name: str) -> None:
        self.order.append(name)
        self.inside[name] = self.inside.get(name, 0) + 1
        self.most[name] = max(self.most.get(name, 0), self.inside[name])
        self.entered.set()
        try:
            await self._open.wait()
            await asyncio.sleep(0)
        finally:
            self.inside[name] -= 1

    def open(self) -> None:
        self._open.set()

    @property
    def total(self) -> int:
        return sum(self.inside.values())


ACTIONS = """
    from aura_core.api import action, requires_services

    @action("enter")
    @requires_services(gate="gate")
    async def enter(gate, name: str) -> str:
        await gate.pass_through(name)
        return name
"""

HOLD = """
    from aura_core.api import action, requires_services

    @action("hold")
    @requires_services(thread_gate="thread_gate")
    def hold(thread_gate) -> None:
        thread_gate.wait(30)
"""


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def gated(project: Project, gate: Gate) -> Callable[..., Any]:
    project.write("p/actions/gate.py", ACTIONS)
    project.task("t", "meta: {inputs: {name: {type: string, default: t}}}\n" + _steps())

    @asynccontextmanager
    async def running(**options: Any) -> AsyncIterator[Framework]:
        async with project.running(services={"gate": gate, **options.pop("services", {})}, **options) as framework:
            yield framework

    return running


def _steps() -> str:
    return "steps: [{action: enter, params: {name: '{{ inputs.name }}'}, output_to: n}]\nreturns: '{{ n }}'"


class ThreadGate(threading.Event):
    """A gate for threads that knows whether one stands before it."""

    waiting = False

    def wait(self, timeout: float | None = None) -> bool:
        self.waiting = True
        return super().wait(timeout)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something outside this event loop, a thread or a process."""
    while not condition():  # noqa: ASYNC110 (there is no event to wait for)
        await asyncio.sleep(0.002)


async def settle() -> None:
    """Lets everything that can go on go on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_no_more_tasks_run_at_once_than_the_global_limit(gated: Any, gate: Gate):
    async with gated(limits=ExecutionLimits(concurrency=3)) as framework, asyncio.TaskGroup() as group:
        runs = [group.create_task(framework.submit(Tasklet("p/t"))) for _ in range(10)]
        await settle()
        assert (gate.total, framework.execution_manager.busy) == (3, 10)
        gate.open()
    assert [run.result().result for run in runs] == ["t"] * 10
    assert gate.most == {"t": 3}


async def test_a_resource_is_shared_by_all_tasks_that_name_it(project: Project, gated: Any, gate: Gate):
    project.task("a", "meta: {resources: ['net:2'], inputs: {name: {type: string, default: n}}}\n" + _steps())
    project.task("b", "meta: {resources: [net], inputs: {name: {type: string, default: n}}}\n" + _steps())
    async with gated() as framework, asyncio.TaskGroup() as group:
        for name in "aabbab":
            group.create_task(framework.submit(Tasklet(f"p/{name}")))
        group.create_task(framework.submit(Tasklet("p/t", resources=("net:2",), inputs={"name": "n"})))
        await settle()
        assert gate.total == 2
        gate.open()
    assert gate.most == {"n": 2}


async def test_configured_limits_win_over_tags(project: Project, gated: Any, gate: Gate):
    project.write("p/plan.yaml", "name: p\nresources: {camera: 3}")
    async with gated(limits=ExecutionLimits(resources={"camera": 1})) as framework, asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(framework.submit(Tasklet("p/t", resources=("camera:9",))))
        await settle()
        assert gate.total == 1
        gate.open()


async def test_the_plans_own_limit_holds_for_tags_that_name_none(project: Project, gated: Any, gate: Gate):
    project.write("p/plan.yaml", "name: p\nresources: {camera: 3}")
    async with gated() as framework, asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(framework.submit(Tasklet("p/t", resources=("camera",))))
        await settle()
        assert gate.total == 3
        gate.open()


@pytest.mark.parametrize("tag", ["camera:2", "camera:0", ":3", "camera:x", ""])
async def test_tags_that_contradict_or_say_nothing_are_refused(project: Project, gated: Any, tag: str):
    project.write("p/plan.yaml", "name: p\nresources: {camera: 3}")
    async with gated() as framework:
        result = await framework.submit(Tasklet("p/t", resources=(tag,)))
    assert (result.status, result.error and result.error.type) == ("error", "InputError")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"concurrency": 0}, "concurrency is 0; 1 is the least"),
        ({"threads": -1, "processes": 0}, "threads is -1; 1 is the least, processes is 0; 1 is the least"),
        ({"resources": {"net": 0, "disk": 1, "camera": -3}}, "resource 'net' is 0; .* resource 'camera' is -3"),
        ({"task_timeout": 0}, "task_timeout is 0; it must be more than 0"),
        ({"task_timeout": float("nan")}, "task_timeout is nan"),
        ({"grace": -1}, "grace is -1; 0 is the least"),
    ],
)
def test_limits_with_which_nothing_could_run_are_refused_all_at_once(limits: dict[str, Any], words: str):
    with pytest.raises(InputError, match=words):
        ExecutionLimits(**limits)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
async def test_a_tasklet_without_any_time_is_refused(gated: Any, seconds: float):
    async with gated() as framework:
        error = (await framework.submit(Tasklet("p/t", timeout=seconds))).error
    assert error is not None
    assert (error.type, "give it more than 0" in error.message) == ("InputError", True)


@pytest.mark.parametrize("tag", ["net:0", "net:-1"])
async def test_a_limit_below_one_is_an_error_at_load(project: Project, tag: str):
    project.write("q/plan.yaml", "name: q")
    project.write("q/tasks/t.yaml", f"meta: {{resources: ['{tag}']}}\nsteps: []")
    project.write("r/plan.yaml", "name: r\nresources: {net: 0}")
    async with project.running_with_problems() as framework:
        assert {Path(problem.path).name for problem in framework.problems} == {"t.yaml", "plan.yaml"}
        assert set(framework.plans.plans) == {"p"}


async def test_two_limits_for_one_name_are_an_error_at_load(project: Project):
    project.write("q/plan.yaml", "name: q\nresources: {net: 2}")
    project.write("q/tasks/t.yaml", "meta: {resources: ['net:3']}\nsteps: []")
    async with project.running_with_problems() as framework:
        (problem,) = framework.problems
    assert "'net' has the limit 3 here, but 2 in plan q" in problem.message


@pytest.mark.slow
async def test_ten_thousand_submissions_at_once_are_all_served_within_the_limits(
    project: Project, gated: Any, gate: Gate
):
    gate.open()
    async with gated(limits=ExecutionLimits(concurrency=8, resources={"net": 3})) as framework:
        tasklets = (Tasklet("p/t", {"name": name}, (name,)) for name in ("net", "disk:5") * 5000)
        results = await asyncio.gather(*(framework.submit(tasklet) for tasklet in tasklets))
        assert {result.status for result in results} == {"success"}
        assert (framework.execution_manager.busy, framework.execution_manager._global_sem.held) == (0, 0)
    assert gate.most == {"net": 3, "disk:5": 5}


@pytest.mark.slow
async def test_ten_thousand_that_wait_can_be_cancelled_at_once(gated: Any, gate: Gate):
    async with gated(limits=ExecutionLimits(concurrency=1)) as framework:
        runs = [asyncio.create_task(framework.submit(Tasklet("p/t"))) for _ in range(10_000)]
        await gate.entered.wait()
        for run in runs[1:]:
            run.cancel()
        ends = await asyncio.gather(*runs[1:], return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}
        assert framework.execution_manager._global_sem.waiting == 0
        gate.open()
        assert (await runs[0]).ok


@pytest.mark.slow
async def test_after_the_end_there_is_no_thread_process_task_or_open_file_more_than_before(project: Project):
    project.write(
        "p/actions/cpu.py",
        """
        import os
        from aura_core.api import action

        @action("cpu", cpu=True)
        def cpu(die: bool = False) -> int:
            if die:
                os.kill(os.getpid(), 9)
            return os.getpid()
        """,
    )
    project.task("t", "steps: [{parallel: [[{action: cpu}], [{action: block, params: {seconds: 0}}]]}]")
    project.task("die", "steps: [{action: cpu, params: {die: true}, continue_on_failure: true}, {action: cpu}]")
    project.task("slow", "meta: {timeout: 0.01}\nsteps: [{action: block, params: {seconds: 0.1}}]")

    async def use() -> None:
        async with project.running() as framework:
            runs = [framework.submit(Tasklet(f"p/{name}")) for name in ("t", "slow")]
            assert [result.status for result in await asyncio.gather(*runs)] == ["success", "timeout"]
            assert (await framework.submit(Tasklet("p/die"))).status == "success"

    def open_files() -> list[str]:
        gc.collect()
        return sorted(str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())

    await use()  # what the interpreter itself keeps from the first time on, e.g. its resource tracker
    before = (set(threading.enumerate()), len(open_files()), asyncio.all_tasks())
    await use()
    await until(lambda: set(threading.enumerate()) <= before[0])
    assert multiprocessing.active_children() == []
    assert (len(open_files()), asyncio.all_tasks()) == before[1:]
    assert not [path for path in project.data.rglob("*") if path.suffix == ".part"]


async def test_who_waits_for_a_resource_keeps_nobody_else_from_running(gated: Any, gate: Gate):
    async with gated(limits=ExecutionLimits(concurrency=2)) as framework, asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(framework.submit(Tasklet("p/t", resources=("desk",))))
        await settle()
        group.create_task(framework.submit(Tasklet("p/t", inputs={"name": "free"})))
        await settle()
        assert gate.inside == {"t": 1, "free": 1}
        gate.open()


async def test_a_mode_bounds_tasks_by_the_pool_they_keep_busy(gated: Any, gate: Gate):
    async with gated(limits=ExecutionLimits(threads=2, processes=1)) as framework, asyncio.TaskGroup() as group:
        for mode in ("io", "cpu", "async") * 3:
            group.create_task(framework.submit(Tasklet("p/t", inputs={"name": mode}, mode=mode)))
        await settle()
        assert gate.inside == {"io": 2, "cpu": 1, "async": 3}
        gate.open()


async def test_higher_priority_goes_first_and_equals_in_their_order(project: Project, gated: Any, gate: Gate):
    project.task("urgent", "meta: {priority: 5, inputs: {name: {type: string, default: urgent}}}\n" + _steps())
    async with gated(limits=ExecutionLimits(concurrency=1)) as framework, asyncio.TaskGroup() as group:
        for tasklet in (
            Tasklet("p/t", {"name": "first"}),
            Tasklet("p/t", {"name": "a"}),
            Tasklet("p/t", {"name": "b"}),
            Tasklet("p/urgent"),
            Tasklet("p/t", {"name": "now"}, priority=9),
            Tasklet("p/urgent", {"name": "later"}, priority=-1),
        ):
            group.create_task(framework.submit(tasklet))
            await settle()
        gate.open()
    assert gate.order == ["first", "now", "urgent", "a", "b", "later"]


async def test_a_nested_task_takes_no_slot_of_its_own(project: Project, gated: Any, gate: Gate):
    project.task("outer", "meta: {resources: [desk]}\nsteps: [{run_task: inner}]")
    project.task("inner", "meta: {resources: [desk]}\nsteps: [{action: echo}]")
    async with gated(limits=ExecutionLimits(concurrency=1)) as framework:
        assert (await framework.submit(Tasklet("p/outer"))).status == "success"


@pytest.mark.parametrize(
    "steps",
    [
        "[{run_task: photo}]",
        "[{if: true, then: [{parallel: [[{run_task: album}]]}]}]",
        "[{go_task: album}]",
        "[{action: fail}]\non_failure: {steps: [{run_task: photo}]}",
    ],
)
async def test_a_limit_holds_for_tasks_inside_other_tasks_too(project: Project, gated: Any, gate: Gate, steps: str):
    project.task("photo", "meta: {resources: [camera]}\nsteps: [{action: enter, params: {name: camera}}]")
    project.task("album", "steps: [{run_task: photo}, {if: false, then: [{run_task: album}]}]")
    project.task("outer", f"steps: {steps}")
    async with gated() as framework, asyncio.TaskGroup() as group:
        for name in ("outer", "photo", "outer", "album"):
            group.create_task(framework.submit(Tasklet(f"p/{name}")))
        await gate.entered.wait()
        await settle()
        assert gate.inside == {"camera": 1}
        gate.open()
    assert gate.most == {"camera": 1}
    assert gate.order == ["camera"] * 4


@pytest.mark.parametrize("where", ["tasklet", "task", "limits"])
async def test_a_task_that_takes_too_long_is_ended(project: Project, where: str):
    project.task(
        "t", ("meta: {timeout: 0.02}\n" if where == "task" else "") + "steps: [{action: sleep, params: {seconds: 60}}]"
    )
    limits = ExecutionLimits(task_timeout=0.02 if where == "limits" else None)
    async with project.running(limits=limits) as framework:
        result = await framework.submit(Tasklet("p/t", timeout=0.02 if where == "tasklet" else None))
    assert (result.status, result.error and result.error.type) == ("timeout", "TimeoutError")
    assert result.error is not None
    assert result.error.message == "Task p/t took longer than 0.02 s and was ended."
    assert result.seconds > 0


async def test_waiting_for_slots_does_not_count_as_time(gated: Any, gate: Gate):
    async with gated(limits=ExecutionLimits(concurrency=1)) as framework, asyncio.TaskGroup() as group:
        group.create_task(framework.submit(Tasklet("p/t")))
        await settle()
        second = group.create_task(framework.submit(Tasklet("p/t", timeout=0.05)))
        await asyncio.sleep(0.1)
        gate.open()
    assert second.result().status == "success"


async def test_what_cannot_run_at_all_is_an_error_result(project: Project):
    project.task("t", "meta: {inputs: {n: {type: integer, required: true}}}\nsteps: []")
    async with project.running() as framework:
        unknown = await framework.submit(Tasklet("p/tt"))
        refused = await framework.submit(Tasklet("p/t", {"n": "x"}))
    assert (unknown.status, unknown.error and unknown.error.type) == ("error", "NotFoundError")
    assert unknown.error is not None
    assert "did you mean 'p/t'" in unknown.error.message
    assert (refused.status, refused.error and refused.error.type) == ("error", "InputError")


async def test_every_change_of_status_is_an_event(project: Project):
    project.task("good", "steps: []")
    project.task("stopped", "steps: [{stop: x}]")
    project.task("bad", "steps: [{action: fail}]")
    project.task("slow", "meta: {timeout: 0.01}\nsteps: [{action: sleep, params: {seconds: 9}}]")
    async with project.running() as framework:
        with framework.events.subscribe(TaskChanged) as told:
            for name in ("good", "stopped", "bad", "slow", "missing"):
                await framework.submit(Tasklet(f"p/{name}", run=RunInfo(corr_id="c", session_id="s")))
            events = told.pending()
    assert {(event.corr_id, event.session_id) for event in events} == {("c", "s")}
    assert [(event.task[2:], event.phase) for event in events] == [
        *(("good", phase) for phase in ("queued", "running", "success")),
        *(("stopped", phase) for phase in ("queued", "running", "stopped")),
        *(("bad", phase) for phase in ("queued", "running", "error")),
        *(("slow", phase) for phase in ("queued", "running", "timeout")),
        ("missing", "error"),
    ]
    assert [event.error is not None for event in events if event.phase in {"error", "timeout"}] == [True, True, True]


HOOKS = """
    from aura_core.api import hook, config

    seen = []

    @hook("before_task_run")
    async def before(tasklet, task):
        seen.append(("before", task.ref))

    @hook("after_task_success")
    def success(result, task):
        seen.append(("success", result.result))

    @hook("after_task_failure")
    async def failure(**data):
        seen.append(("failure", data["error"].type))

    @hook("after_task_run")
    async def always(result):
        seen.append(("always", result.status, config("colour")))

    @hook("before_task_run")
    async def broken():
        raise RuntimeError("a hook with a bug")

    @hook("after_task_run")
    def broken_too():
        raise RuntimeError("another one")
"""


async def test_hooks_are_called_in_order_and_a_broken_one_changes_nothing(project: Project):
    project.write("watcher/plan.yaml", "name: watcher")
    project.write("watcher/config.yaml", "colour: green")
    project.write("watcher/actions/hooks.py", HOOKS)
    project.task("good", "steps: []\nreturns: 5")
    project.task("bad", "steps: [{action: fail}]")
    project.task("slow", "meta: {timeout: 0.01}\nsteps: [{action: sleep, params: {seconds: 9}}]")
    async with project.running() as framework:
        results = [await framework.submit(Tasklet(f"p/{name}")) for name in ("good", "bad", "slow")]
        seen = framework.plans.plans["watcher"].hooks[0].__globals__["seen"]
    assert [result.status for result in results] == ["success", "error", "timeout"]
    assert seen == [
        *(("before", "p/good"), ("success", 5), ("always", "success", "green")),
        *(("before", "p/bad"), ("failure", "ActionError"), ("always", "error", "green")),
        *(("before", "p/slow"), ("failure", "TimeoutError"), ("always", "timeout", "green")),
    ]


async def test_cancelling_tells_the_hooks_and_is_raised_again(project: Project, gated: Any, gate: Gate):
    project.write("watcher/plan.yaml", "name: watcher")
    project.write("watcher/config.yaml", "colour: green")
    project.write("watcher/actions/hooks.py", HOOKS)
    async with gated() as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await gate.entered.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        seen = framework.plans.plans["watcher"].hooks[0].__globals__["seen"]
    assert seen == [("before", "p/t"), ("failure", "CancelledError"), ("always", "cancelled", "green")]
    assert gate.total == 0


async def test_a_waiting_tasklet_can_be_cancelled_without_a_trace(gated: Any, gate: Gate):
    async with gated(limits=ExecutionLimits(concurrency=1)) as framework:
        with framework.events.subscribe(TaskChanged, lambda event: event.corr_id == "w") as told:
            first = asyncio.create_task(framework.submit(Tasklet("p/t")))
            await settle()
            waiting = asyncio.create_task(framework.submit(Tasklet("p/t", run=RunInfo(corr_id="w"))))
            await settle()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert [event.phase for event in told.pending()] == ["queued", "cancelled"]
        gate.open()
        assert (await first).ok
        assert (await framework.submit(Tasklet("p/t"))).ok


async def test_the_slot_is_free_only_when_the_thread_has_really_ended(project: Project, gated: Any):
    thread_gate = threading.Event()
    project.write("p/actions/hold.py", HOLD)
    project.task("hold", "meta: {resources: [desk]}\nsteps: [{action: hold}]")
    project.task("next", "meta: {resources: [desk]}\nsteps: []")
    async with gated(services={"thread_gate": thread_gate}) as framework:
        result = await framework.submit(Tasklet("p/hold", timeout=0.05))
        assert result.status == "timeout"
        waiting = asyncio.create_task(framework.submit(Tasklet("p/next")))
        await settle()
        desk = framework.execution_manager._resource_sems["desk"]
        assert (desk.held, desk.waiting, waiting.done()) == (1, 1, False)
        thread_gate.set()
        assert (await waiting).ok
        assert desk.held == 0


async def test_an_unexpected_error_of_our_own_is_a_result_too(project: Project, monkeypatch: pytest.MonkeyPatch):
    project.task("t", "steps: []")
    async with project.running() as framework:

        async def broken(*_args: Any, **_more: Any) -> TaskResult:
            raise RuntimeError("a bug in the core")

        monkeypatch.setattr(framework.orchestrator("p"), "execute", broken)
        result = await framework.submit(Tasklet("p/t"))
    assert (result.status, result.error and result.error.message) == ("error", "RuntimeError: a bug in the core")


async def test_nothing_is_taken_before_startup_and_after_shutdown(project: Project):
    project.task("t", "steps: []")
    framework = Framework([project.plans], project.data)
    with pytest.raises(ShutDownError):
        await framework.submit(Tasklet("p/t"))
    async with framework:
        manager = framework.execution_manager
        assert manager.pools.io is not None
        assert manager.pools.cpu is not None
    with pytest.raises(ShutDownError, match="shutting down"):
        await framework.submit(Tasklet("p/t"))
    assert manager.pools.io is manager.pools.cpu is None
    for run in (manager.pools.run_io(lambda: 1), manager.pools.run_cpu(None)):  # pyright: ignore[reportArgumentType]
        with pytest.raises(ShutDownError):
            await run
    await manager.shutdown()


async def test_shutdown_lets_work_end_within_the_grace_period(gated: Any, gate: Gate):
    async with gated() as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await gate.entered.wait()
        stopping = asyncio.create_task(framework.execution_manager.shutdown())
        await settle()
        with pytest.raises(ShutDownError):
            await framework.submit(Tasklet("p/t"))
        gate.open()
        await stopping
    assert (await run).status == "success"


async def test_shutdown_begins_nothing_that_still_waits(gated: Any, gate: Gate):
    async with gated(limits=ExecutionLimits(concurrency=1)) as framework:
        with framework.events.subscribe(TaskChanged, lambda event: event.corr_id == "w") as told:
            first = asyncio.create_task(framework.submit(Tasklet("p/t", inputs={"name": "first"})))
            await gate.entered.wait()
            waiting = [
                asyncio.create_task(framework.submit(Tasklet("p/t", run=RunInfo(corr_id="w"), resources=resources)))
                for resources in ((), ("net:1",), ("net:1",))
            ]
            await settle()
            never = asyncio.create_task(framework.submit(Tasklet("p/t", run=RunInfo(corr_id="w"))))
            await asyncio.sleep(0)
            stopping = asyncio.create_task(framework.execution_manager.shutdown())
            results = await asyncio.gather(*waiting, never)
            assert not first.done()
            assert [event.phase for event in told.pending()] == ["queued"] * 4 + ["cancelled"] * 4
        gate.open()
        await stopping
    assert (await first).status == "success"
    assert gate.order == ["first"]
    for result in results:
        assert (result.status, result.error and result.error.message) == (
            "cancelled",
            "Task p/t was cancelled: Aura is shutting down.",
        )


HANGING = """
    import asyncio
    from aura_core.api import hook, requires_services

    release = asyncio.Event()

    async def hang(**data) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    hook("before_task_run")(hang) if {before} else hook("after_task_run")(hang)
"""


@pytest.mark.parametrize("cancel", [False, True])
@pytest.mark.parametrize(("before", "status"), [(True, "cancelled"), (False, "success")])
async def test_a_hook_that_hangs_leaves_no_submitter_without_a_result_at_shutdown(
    project: Project, before: bool, status: str, cancel: bool
):
    project.write("p/actions/hanging.py", HANGING.format(before=before))
    project.task("t", "steps: []")
    async with project.running(limits=ExecutionLimits(grace=0.02)) as framework:
        with framework.events.subscribe(TaskChanged) as told:
            run = asyncio.create_task(framework.submit(Tasklet("p/t")))
            await settle()
            if cancel:
                run.cancel()
                await settle()
                run.cancel()
            release = framework.plans.plans["p"].hooks[0].__globals__["release"]
            await framework.execution_manager.shutdown()
            assert run.done()
            release.set()
            await settle()
            ends = [event.phase for event in told.pending() if event.phase not in {"queued", "running"}]
    assert ends == [status]
    assert run.cancelled() if cancel else run.result().status == status


async def test_shutdown_cancels_what_does_not_end_and_leaves_nothing_behind(gated: Any, gate: Gate):
    limits = ExecutionLimits(concurrency=1, grace=0.05)
    async with gated(limits=limits) as framework:
        runs = [asyncio.create_task(framework.submit(Tasklet("p/t"))) for _ in range(3)]
        await gate.entered.wait()
    results = [await run for run in runs]
    assert [result.status for result in results] == ["cancelled"] * 3
    assert all(result.error and "shutting down" in result.error.message for result in results)
    assert (gate.total, framework.execution_manager.busy) == (0, 0)
    await until(lambda: not {thread.name for thread in threading.enumerate() if thread.name.startswith("aura-")})


async def test_shutdown_gives_up_on_a_task_that_ignores_cancellation(project: Project):
    project.write(
        "p/actions/deaf.py",
        """
        import asyncio
        from aura_core.api import action, requires_services

        @action("deaf")
        @requires_services(release="release")
        async def deaf(release) -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue
        """,
    )
    project.task("t", "steps: [{action: deaf}]")
    release = asyncio.Event()
    async with project.running(limits=ExecutionLimits(grace=0.02), services={"release": release}) as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await settle()
    assert run.done()
    error = (await run).error
    assert error is not None
    assert (error.type, "shutting down" in error.message) == ("CancelledError", True)
    release.set()
    await settle()
    assert len(framework.execution_manager._jobs._deaf) == 0


async def test_a_slot_still_held_by_a_thread_is_given_up_at_shutdown(project: Project, gated: Any):
    thread_gate = threading.Event()
    project.write("p/actions/hold.py", HOLD)
    project.task("hold", "steps: [{action: hold}]")
    async with gated(services={"thread_gate": thread_gate}, limits=ExecutionLimits(grace=0.02)) as framework:
        assert (await framework.submit(Tasklet("p/hold", timeout=0.05))).status == "timeout"
        assert framework.execution_manager._global_sem.held == 1
    await settle()
    assert len(framework.execution_manager._abandoned) == 0
    thread_gate.set()


async def test_a_tag_may_name_the_limit_after_one_that_did_not(gated: Any, gate: Gate):
    async with gated() as framework, asyncio.TaskGroup() as group:
        for tag in ("desk", "desk:2", "desk"):
            group.create_task(framework.submit(Tasklet("p/t", resources=(tag,))))
        await settle()
        assert gate.total == 2
        gate.open()


async def test_shutdown_ends_processes_that_do_not_end(project: Project):
    project.write(
        "p/actions/endless.py",
        """
        import os, time
        from aura_core.api import action

        @action("endless", cpu=True)
        def endless(mark: str) -> None:
            with open(mark, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(600)
        """,
    )
    mark = project.root / "mark"
    project.task("t", f"steps: [{{action: endless, params: {{mark: '{mark}'}}}}]")
    async with project.running(limits=ExecutionLimits(grace=0.1)) as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await until(lambda: mark.exists() and bool(mark.read_text()))
        pool = framework.execution_manager.pools.cpu
        assert pool is not None
        (worker,) = pool.workers
        process = worker.process
        assert process is not None
        assert process.pid == int(mark.read_text())
    assert (await run).status == "cancelled"
    assert not process.is_alive()


async def test_shutdown_does_not_wait_for_ever_for_a_thread(project: Project, gated: Any):
    thread_gate = ThreadGate()
    project.write("p/actions/hold.py", HOLD)
    project.task("hold", "steps: [{action: hold}]")
    async with gated(services={"thread_gate": thread_gate}, limits=ExecutionLimits(grace=0.05)) as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/hold")))
        await until(lambda: thread_gate.waiting)
    assert (await run).status == "cancelled"
    thread_gate.set()


async def test_a_task_that_needs_a_state_fails_without_a_planner(project: Project):
    project.write("p/states.yaml", "states: {ready: {check: look}}")
    project.task("look", "steps: []")
    project.task("t", "meta: {requires_initial_state: ready}\nsteps: [{action: echo}]")
    async with project.running() as framework:
        framework.execution_manager.state_planner = None
        error = (await framework.submit(Tasklet("p/t"))).error
    assert error is not None
    assert (error.type, "requires the state 'ready'" in error.message) == ("StatePlanningError", True)


class Planner:
    def __init__(self, error: Exception | None = None) -> None:
        self.reached: list[str] = []
        self._error = error

    async def reach(self, task: TaskDefinition, run: RunInfo) -> None:
        self.reached.append(f"{task.ref} {task.meta.requires_initial_state} {run.corr_id}")
        if self._error is not None:
            raise self._error


async def test_the_state_planner_is_asked_before_the_task_runs(project: Project):
    project.write("p/states.yaml", "states: {ready: {check: look}}")
    project.task("look", "steps: []")
    project.task("t", "meta: {requires_initial_state: ready}\nsteps: []")
    planner = Planner()
    async with project.running(state_planner=planner) as framework:
        with framework.events.subscribe(TaskChanged) as told:
            assert (await framework.submit(Tasklet("p/t", run=RunInfo(corr_id="c")))).ok
            assert [event.phase for event in told.pending()] == ["queued", "planning", "running", "success"]
    assert planner.reached == ["p/t ready c"]
    async with project.running(state_planner=Planner(StatePlanningError("no way"))) as framework:
        result = await framework.submit(Tasklet("p/t"))
    assert (result.status, result.error and result.error.message) == ("error", "no way")


async def test_a_task_group_that_failed_in_an_action_does_not_confuse_the_clock(project: Project):
    """Before Python 3.13 a failed TaskGroup leaves a cancellation request behind in the task around it."""
    project.write(
        "p/actions/group.py",
        """
        import asyncio
        from aura_core.api import action

        async def broken() -> None:
            await asyncio.sleep(0)
            raise OSError("broken")

        @action("group")
        async def group() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(broken())
        """,
    )
    project.task(
        "slow",
        """
        meta: {timeout: 0.02}
        steps:
          - {action: group, continue_on_failure: true}
          - {action: sleep, params: {seconds: 60}}
        """,
    )
    project.task(
        "t",
        """
        steps: [{run_task: slow}]
        on_failure: {steps: [{action: echo, params: {value: "{{ error.type }}"}}], recover: true}
        """,
    )
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/slow"))).status == "timeout"
        assert (await framework.submit(Tasklet("p/t"))).result == "TimeoutError"
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0


QUITTERS = """
    import asyncio
    from aura_core.api import action

    @action("quit")
    async def quit_() -> None:
        raise asyncio.CancelledError

    @action("await_what_was_cancelled")
    async def await_what_was_cancelled() -> None:
        lost = asyncio.create_task(asyncio.Event().wait())
        lost.cancel()
        await lost

    @action("quit_in_thread")
    def quit_in_thread() -> None:
        raise asyncio.CancelledError

    @action("quit_inline", inline=True)
    def quit_inline() -> None:
        raise asyncio.CancelledError

    @action("quit_in_process", cpu=True)
    def quit_in_process() -> None:
        raise asyncio.CancelledError
"""


@pytest.mark.parametrize(
    "name", ["quit", "await_what_was_cancelled", "quit_in_thread", "quit_inline", "quit_in_process"]
)
async def test_an_action_that_raises_cancelled_error_by_itself_fails_its_step_and_cancels_nothing(
    project: Project, name: str
):
    project.write("p/actions/quitters.py", QUITTERS)
    project.task("alone", f"steps: [{{action: {name}}}]")
    project.task("timed", f"steps: [{{action: {name}, timeout: 60}}]")
    project.task("beside", f"steps: [{{parallel: [[{{action: {name}}}], [{{action: echo}}]]}}]")
    project.task("goes_on", f"steps: [{{action: {name}, continue_on_failure: true}}]\nreturns: 1")
    async with project.running() as framework:
        for task in ("alone", "timed", "beside"):
            result = await framework.submit(Tasklet(f"p/{task}"))
            assert result.error is not None
            assert (result.status, result.error.type) == ("error", "ActionError")
            assert f"{name} raised CancelledError" in result.error.message
        assert (await framework.submit(Tasklet("p/goes_on"))).result == 1


async def test_cancel_before_start_and_cancel_twice(gated: Any, gate: Gate):
    async with gated() as framework:
        with framework.events.subscribe(TaskChanged) as told:
            never = asyncio.create_task(framework.submit(Tasklet("p/t")))
            never.cancel()
            early = asyncio.create_task(framework.submit(Tasklet("p/t")))
            await asyncio.sleep(0)
            early.cancel()
            twice = asyncio.create_task(framework.submit(Tasklet("p/t", inputs={"name": "twice"})))
            await gate.entered.wait()
            twice.cancel()
            await asyncio.sleep(0)
            twice.cancel()
            ends = await asyncio.gather(never, early, twice, return_exceptions=True)
            assert [type(end) for end in ends] == [asyncio.CancelledError] * 3
            assert [event.phase for event in told.pending()].count("cancelled") == 2
        assert (framework.execution_manager.busy, gate.total) == (0, 0)


async def test_hooks_after_the_end_may_be_cut_short_and_the_others_are_called_and_the_result_stands(project: Project):
    project.write(
        "watcher/actions/hooks.py",
        """
        import asyncio
        from aura_core.api import hook

        seen = []

        @hook("after_task_success")
        async def slow() -> None:
            await asyncio.Event().wait()

        @hook("after_task_success")
        def success(result) -> None:
            seen.append(result.result)

        @hook("after_task_run")
        async def always(result) -> None:
            seen.append(result.status)
        """,
    )
    project.write("watcher/plan.yaml", "name: watcher")
    project.task("t", "steps: []\nreturns: done")
    async with project.running(limits=ExecutionLimits(grace=0.05)) as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await settle()
        seen = framework.plans.plans["watcher"].hooks[0].__globals__["seen"]
    assert (await run).result == "done"
    assert seen == ["done", "success"]


async def test_a_task_that_is_cancelled_while_it_is_announced_still_ends_with_its_hooks(project: Project):
    project.write(
        "watcher/actions/hooks.py",
        """
        import asyncio
        from aura_core.api import hook

        seen = []

        @hook("before_task_run")
        async def slow() -> None:
            seen.append("before")
            await asyncio.Event().wait()

        @hook("after_task_failure")
        def failure(error) -> None:
            seen.append(error.type)

        @hook("after_task_run")
        async def always(result) -> None:
            seen.append(result.status)
        """,
    )
    project.write("watcher/plan.yaml", "name: watcher")
    project.task("t", "steps: [{action: fail}]")
    async with project.running() as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await settle()
        seen = framework.plans.plans["watcher"].hooks[0].__globals__["seen"]
        assert seen == ["before"]
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert seen == ["before", "CancelledError", "cancelled"]
