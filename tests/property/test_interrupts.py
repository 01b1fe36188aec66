"""Whatever tasks, guards and cancellations come together: nothing of a held task runs while its handler does."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aura_core.tasklet import Tasklet
from tests.fixtures.guarded import ACTIONS, Disk
from tests.fixtures.project import Project

PAUSES = st.lists(st.sampled_from(["0", "0.003", "0.012"]), min_size=1, max_size=3)
TASKS = st.lists(st.lists(PAUSES, min_size=1, max_size=3), min_size=1, max_size=3)
GUARDS = st.lists(
    st.fixed_dictionaries(
        {"scope": st.sampled_from(["task", "global"]), "times": st.integers(1, 3), "priority": st.integers(0, 1)}
    ),
    min_size=1,
    max_size=3,
)


class Shaky(Disk):
    """A disk on which each guard finds something so many times."""

    def __init__(self, times: dict[str, int]) -> None:
        super().__init__()
        self.times = times

    async def look(self, name: str, where: str) -> bool:
        await super().look(name, where)
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


def write(project: Project, tasks: list[list[list[str]]], guards: list[dict[str, Any]]) -> None:
    project.write("p/actions/guards.py", ACTIONS)
    lines = [
        f"g{number}: {{condition: {{action: low, params: {{name: g{number}}}}}, task: sweep{number}, every: 10ms, "
        f"cooldown: 0, scope: {guard['scope']}, priority: {guard['priority']}}}"
        for number, guard in enumerate(guards)
    ]
    project.write("p/interrupts.yaml", "\n".join(lines))
    for number in range(len(guards)):
        project.task(f"sweep{number}", f"steps: [{{action: sweep, params: {{name: g{number}}}}}]")
    own = [f"g{number}" for number, guard in enumerate(guards) if guard["scope"] == "task"]
    for number, branches in enumerate(tasks):
        body = [
            [f"{{action: work, params: {{name: 't{number}.{branch}.{index}:{pause}'}}}}" for index, pause in pauses]
            for branch, pauses in enumerate([list(enumerate(branch)) for branch in branches])
        ]
        steps = ", ".join("[" + ", ".join(branch) + "]" for branch in body)
        activated = own if number == 0 else []
        project.task(f"t{number}", f"meta: {{activates_interrupts: {activated}}}\nsteps: [{{parallel: [{steps}]}}]")


def broken(log: list[str], guards: list[dict[str, Any]]) -> str:
    """Says where something of a held task ran while a handler did; empty if nowhere."""
    inside: set[str] = set()
    handlers: set[str] = set()
    for line in log:
        name, what = line.rsplit(" ", 1)
        running = handlers if name.startswith("g") else inside
        (running.add if what == "begins" else running.discard)(name)
        for handler in handlers:
            everywhere = guards[int(handler[1:])]["scope"] == "global"
            held = {work for work in inside if everywhere or work.startswith("t0.")}
            if held:
                return f"{held} while {handler}: {log}"
    return ""


@settings(max_examples=25, deadline=None)
@given(tasks=TASKS, guards=GUARDS, cancelled=st.one_of(st.none(), st.floats(0, 0.05)))
def test_nothing_of_a_held_task_runs_while_its_handler_does(tasks, guards, cancelled):
    async def scenario(folder: Path) -> Shaky:
        project = Project(folder)
        write(project, tasks, guards)
        disk = Shaky({f"g{number}": guard["times"] for number, guard in enumerate(guards)})
        async with project.running(services={"disk": disk}) as framework:
            before = asyncio.all_tasks()
            works = [asyncio.create_task(framework.submit(Tasklet(f"p/t{number}"))) for number in range(len(tasks))]
            if cancelled is not None:
                await asyncio.sleep(cancelled)
                works[0].cancel()
            results = await asyncio.wait_for(asyncio.gather(*works, return_exceptions=True), 30)
            assert all(getattr(result, "ok", cancelled is not None) for result in results), results
            assert asyncio.all_tasks() == before
        return disk

    with tempfile.TemporaryDirectory() as folder:
        disk = asyncio.run(scenario(Path(folder)))
    assert broken(disk.log, guards) == ""
    if cancelled is None:
        begun = {line.removesuffix(" begins") for line in disk.log if line.endswith("begins")}
        assert begun == {line.removesuffix(" done") for line in disk.log if line.endswith("done")}
