"""Whatever tasks, guards, questions, scarce places and cancellations come together.

Nothing of a held task runs while its handler does, no limit is exceeded, and everything comes to its end.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aura_core.execution_manager import ExecutionLimits
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.examples import examples
from tests.fixtures.guarded import ACTIONS, Disk
from tests.fixtures.project import Project

PAUSES = st.lists(st.sampled_from(["0", "0.003", "0.012", "ask"]), min_size=1, max_size=3)
TASKS = st.lists(
    st.fixed_dictionaries(
        {
            "branches": st.lists(PAUSES, min_size=1, max_size=3),
            "place": st.sampled_from(["", "cam", "cam"]),
            "patience": st.sampled_from(["", "", "0.006"]),
        }
    ),
    min_size=1,
    max_size=3,
)
GUARDS = st.lists(
    st.fixed_dictionaries(
        {
            "scope": st.sampled_from(["task", "global"]),
            "mode": st.sampled_from(["pause", "pause", "beside"]),
            "times": st.integers(1, 3),
            "priority": st.integers(0, 1),
            "condition": st.sampled_from(["works", "works", "raises at first", "is slow"]),
            "handler": st.sampled_from(["works", "works", "fails", "asks"]),
        }
    ),
    min_size=1,
    max_size=3,
)


ENDS = st.sampled_from(["by itself", "by itself", "cancelled", "in time-out", "with everything"])
MOMENTS = st.floats(0, 0.05)


class Shaky(Disk):
    """A disk on which each guard finds something so many times."""

    def __init__(self, guards: list[dict[str, Any]]) -> None:
        super().__init__()
        self.guards = {f"g{number}": guard for number, guard in enumerate(guards)}
        self.times = {name: guard["times"] for name, guard in self.guards.items()}

    async def look(self, name: str, where: str) -> bool:
        await super().look(name, where)
        condition = self.guards[name]["condition"]
        if condition == "raises at first" and self.looks[name] == 1:
            raise OSError("no such disk")
        if condition == "is slow":
            await asyncio.sleep(0.004)
        return self.times[name] > 0

    async def work(self, name: str) -> None:
        self.log.append(f"{name} begins")
        try:
            await asyncio.sleep(float(name.partition(":")[2] or 0))
        finally:
            self.log.append(f"{name} done")

    async def sweep(self, name: str, where: str) -> None:
        self.log.append(f"{name} begins")
        try:
            for _ in range(5):
                await asyncio.sleep(0.001)
        finally:
            self.times[name] -= 1
            self.log.append(f"{name} done")
        if self.guards[name]["handler"] == "fails":
            raise OSError("the broom broke")


class Person:
    """Takes a moment to answer."""

    async def ask(self, run: RunInfo, text: str, options: object = ()) -> str:
        await asyncio.sleep(0.006)
        return "yes"


def write(project: Project, tasks: list[dict[str, Any]], guards: list[dict[str, Any]]) -> None:
    project.write("p/actions/guards.py", ACTIONS)
    lines = [
        f"g{number}: {{condition: {{action: low, params: {{name: g{number}}}}}, task: sweep{number}, every: 10ms, "
        f"cooldown: 0, scope: {guard['scope']}, mode: {guard['mode']}, priority: {guard['priority']}}}"
        for number, guard in enumerate(guards)
    ]
    project.write("p/interrupts.yaml", "\n".join(lines))
    for number, guard in enumerate(guards):
        question = "{ask: Sweep?}, " if guard["handler"] == "asks" else ""
        project.task(f"sweep{number}", f"steps: [{question}{{action: sweep, params: {{name: g{number}}}}}]")
    own = [f"g{number}" for number, guard in enumerate(guards) if guard["scope"] == "task"]
    for number, task in enumerate(tasks):
        body = [
            "[" + ", ".join(step(f"t{number}.{branch}.{index}", pause) for index, pause in enumerate(pauses)) + "]"
            for branch, pauses in enumerate(task["branches"])
        ]
        steps = f"[{{parallel: [{', '.join(body)}]}}]"
        meta = f"activates_interrupts: {own if number == 0 else []}, resources: [{task['place']}]"
        if task["patience"]:
            project.task(f"inner{number}", f"meta: {{timeout: {task['patience']}}}\nsteps: {steps}")
            steps = f"[{{run_task: inner{number}}}]"
        after = f"on_failure: {{steps: [{step(f't{number}.after', '0.003')}], recover: true}}"
        project.task(f"t{number}", f"meta: {{{meta}}}\nsteps: {steps}\n{after}")


def step(name: str, pause: str) -> str:
    """A piece of work, or a question."""
    return "{ask: Well?}" if pause == "ask" else f"{{action: work, params: {{name: '{name}:{pause}'}}}}"


def broken(log: list[str], guards: list[dict[str, Any]], scarce: set[str]) -> str:
    """Says where something of a held task ran while a handler did, or two on one place; empty if nowhere."""
    inside: set[str] = set()
    handlers: set[str] = set()
    for line in log:
        name, what = line.rsplit(" ", 1)
        running = handlers if name.startswith("g") else inside
        (running.add if what == "begins" else running.discard)(name)
        if len({work.split(".")[0] for work in inside} & scarce) > 1:
            return f"{inside} on one place: {log}"
        for handler in handlers:
            guard = guards[int(handler[1:])]
            everywhere = guard["scope"] == "global"
            held = {work for work in inside if everywhere or work.startswith("t0.")}
            if held and guard["mode"] == "pause":
                return f"{held} while {handler}: {log}"
    return ""


async def scenario(folder: Path, tasks: Any, guards: Any, end: str, moment: float) -> Disk:
    project = Project(folder)
    write(project, tasks, guards)
    disk = Shaky(guards)
    before = asyncio.all_tasks()
    services = {"disk": disk, "chat": Person()}
    async with project.running(services=services, limits=ExecutionLimits(grace=0.02)) as framework:
        idle = asyncio.all_tasks()
        limits = {0: 0.001 + moment} if end == "in time-out" else {}
        works = [
            asyncio.create_task(framework.submit(Tasklet(f"p/t{number}", timeout=limits.get(number))))
            for number in range(len(tasks))
        ]
        if end in ("cancelled", "with everything"):
            await asyncio.sleep(moment)
        if end == "cancelled":
            works[0].cancel()
        if end != "with everything":
            await asyncio.wait_for(asyncio.wait(works), 30)
            assert all(work.result().ok for work in works[1:])
            assert end != "by itself" or works[0].result().ok
            async with asyncio.timeout(30):
                while not asyncio.all_tasks() <= idle:  # noqa: ASYNC110 (handlers of global scope may go on after the last task)
                    await asyncio.sleep(0)
    await asyncio.wait(works)
    assert asyncio.all_tasks() == before
    return disk


@settings(max_examples=examples(40))
@given(tasks=TASKS, guards=GUARDS, end=ENDS, moment=MOMENTS)
def test_nothing_of_a_held_task_runs_while_its_handler_does(tasks, guards, end, moment):
    with tempfile.TemporaryDirectory() as folder:
        disk = asyncio.run(scenario(Path(folder), tasks, guards, end, moment))
    scarce = {f"t{number}" for number, task in enumerate(tasks) if task["place"]}
    assert broken(disk.log, guards, scarce) == ""
    begun = Counter(line.removesuffix(" begins") for line in disk.log if line.endswith("begins"))
    assert begun == Counter(line.removesuffix(" done") for line in disk.log if line.endswith("done"))
