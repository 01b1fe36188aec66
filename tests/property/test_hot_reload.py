"""Law of hot reload: a run sees, from its first step to its last, exactly the plans that were good when it began.

Whatever is edited, broken, mended and reloaded meanwhile; and when the runs have ended, nothing old is left.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aura_core.execution.plan_modules import PREFIX
from aura_core.framework import Framework
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.project import Project

CODE = """
from typing import Any
from aura_core.api import Context, action, config, requires_services, service

@service("maker")
class Maker:
    def __init__(self, world: Any) -> None:
        self.world, self.open = world, True
        world.made["{plan}{number}"] += 1

    def close(self) -> None:
        self.open = False
        self.world.made["{plan}{number}"] -= 1

@action("look")
@requires_services(maker="maker")
async def look(seen: list[str], maker: Maker, task: str) -> list[str]:
    from ..later import NUMBER
    assert maker.open
    return [*seen, *{{task, "{plan}{number}", "{plan}" + str(config("number")), "{plan}" + NUMBER}}]

@action("held")
@requires_services(world="world")
async def held(world: Any, context: Context) -> None:
    world.here.release()
    await world.gates[context.run.corr_id].acquire()
"""
A_TASK = """
steps:
  - {{action: look, params: {{seen: [], task: a{number}}}, output_to: seen}}
  - {{action: held}}
  - {{run_task: b/inner, pass_params: {{seen: "{{{{ seen }}}}"}}, output_to: seen}}
  - {{action: held}}
  - {{action: look, params: {{seen: "{{{{ seen }}}}", task: a{number}}}, output_to: seen}}
  - {{go_task: b/last, inputs: {{seen: "{{{{ seen }}}}"}}}}
"""
B_TASK = """
meta: {{inputs: {{seen: {{type: array, required: true}}}}}}
steps:
  - {{action: look, params: {{seen: "{{{{ inputs.seen }}}}", task: b{number}}}, output_to: seen}}
  - {{action: held}}
  - {{action: look, params: {{seen: "{{{{ seen }}}}", task: b{number}}}, output_to: seen}}
returns: "{{{{ seen }}}}"
"""
HOLDS = 4
"""Places of a run where it is held: two in `a`, one in each task of `b`."""
BREAKS = ("yaml", "action", "python", "exit", "config", "missing task", "missing plan.yaml")


class World:
    """What the plans of a test see of it."""

    def __init__(self) -> None:
        self.here = asyncio.Semaphore(0)
        self.gates: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
        self.made: Counter[str] = Counter()


def write(project: Project, plan: str, number: int, broken: str) -> None:
    """Writes a version of a plan, whole or broken."""
    shutil.rmtree(project.plans / plan, ignore_errors=True)
    project.write(f"{plan}/plan.yaml", "requires: [b]" if plan == "a" else "name: b")
    project.write(f"{plan}/actions/code.py", CODE.format(plan=plan, number=number))
    project.write(f"{plan}/later.py", f"NUMBER = '{number}'")
    project.write(f"{plan}/config.yaml", f"number: {number}")
    names = ("t",) if plan == "a" else ("inner", "last")
    for name in names:
        project.write(f"{plan}/tasks/{name}.yaml", (A_TASK if plan == "a" else B_TASK).format(number=number))
    match broken:
        case "yaml":
            project.write(f"{plan}/tasks/{names[0]}.yaml", "steps: [")
        case "action":
            project.write(f"{plan}/tasks/{names[0]}.yaml", "steps: [{action: nobody_has_this}]")
        case "python":
            project.write(f"{plan}/later.py", "def (")
            project.write(f"{plan}/actions/code.py", "from ..later import NUMBER\n")
        case "exit":
            project.write(f"{plan}/actions/code.py", "raise SystemExit\n")
        case "config":
            project.write(f"{plan}/config.yaml", "- 1")
        case "missing task":
            (project.plans / plan / "tasks" / f"{names[-1]}.yaml").unlink()
            project.write(f"{plan}/tasks/other.yaml", "steps: [{run_task: nobody/has_this}]")
        case "missing plan.yaml":
            (project.plans / plan / "plan.yaml").unlink()
        case _:
            pass


class Play:
    """One sequence of edits, reloads, and runs that begin and go on."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.world = World()
        self.disk = {"a": (0, ""), "b": (0, "")}
        self.good = {"a": 0, "b": 0}
        self.runs: list[tuple[str, dict[str, int], asyncio.Task[TaskResult], int]] = []
        self.number = 0

    async def play(self, moves: list[tuple[str, Any]]) -> None:
        for plan in ("a", "b"):
            write(self.project, plan, 0, "")
        services = {"world": self.world}
        async with Framework([self.project.plans], self.project.data, services=services) as framework:
            assert [str(problem) for problem in framework.problems] == []
            every: list[tuple[str, Any]] = [*moves, ("reload", None)]
            for kind, value in every:
                match kind:
                    case "edit":
                        self.edit(*value)
                    case "reload":
                        await self.reload(framework)
                    case "start":
                        await self.start(framework)
                    case _:
                        await self.go_on(value)
            while self.runs:
                await self.go_on(0)
            await framework.generations.settled()
            assert framework.generations.living == [framework.generations.current]
            left = set(+self.world.made)
            assert left <= {f"{plan}{number}" for plan, number in self.good.items()}
            assert len(modules()) == len(self.good)
        assert not +self.world.made
        assert modules() == set()

    def edit(self, plan: str, broken: str) -> None:
        self.number += 1
        write(self.project, plan, self.number, broken)
        self.disk[plan] = (self.number, broken)

    async def reload(self, framework: Framework) -> None:
        report = await framework.reload()
        assert set(report.refused) == {plan for plan, (_, broken) in self.disk.items() if broken}
        for plan, (number, broken) in self.disk.items():
            if not broken:
                self.good[plan] = number

    async def start(self, framework: Framework) -> None:
        name = f"run{len(self.world.gates)}"
        work = asyncio.create_task(framework.submit(Tasklet("a/t", run=RunInfo(corr_id=name))))
        await self.world.here.acquire()
        self.runs.append((name, dict(self.good), work, HOLDS))

    async def go_on(self, index: int) -> None:
        """Lets a run go on to the next place where it is held, or to its end."""
        if not self.runs:
            return
        name, good, work, holds = self.runs.pop(index % len(self.runs))
        self.world.gates[name].release()
        if holds > 1:
            await self.world.here.acquire()
            self.runs.append((name, good, work, holds - 1))
            return
        result = await work
        assert result.error is None
        a, b = (f"{plan}{number}" for plan, number in good.items())
        assert result.result == [a, b, b, a, b, b]


def modules() -> set[str]:
    return {name for name in sys.modules if name.startswith((f"{PREFIX}a_", f"{PREFIX}b_")) and "." not in name}


EDIT = st.tuples(st.just("edit"), st.tuples(st.sampled_from("ab"), st.sampled_from(("", "", *BREAKS))))
MOVES = st.lists(
    st.one_of(
        EDIT, st.tuples(st.sampled_from(["start", "reload"]), st.none()), st.tuples(st.just("go on"), st.integers(0, 9))
    ),
    max_size=14,
)


@given(moves=MOVES)
@settings(max_examples=20)
def test_a_run_sees_the_plans_that_were_good_when_it_began_and_nothing_old_is_left(moves: list[tuple[str, Any]]):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(Play(Path(folder)).play(moves))
