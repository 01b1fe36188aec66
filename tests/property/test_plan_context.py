"""Laws of the current plan: however tasks of different plans are nested and run side by side, `config()` is right."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aura_core.asynccontext import current_plan_name
from aura_core.config import config
from aura_core.errors import NotFoundError
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.project import Project

REQUIRES = {"a": ["b", "c"], "b": ["c"], "c": []}
TASKS_EACH = 2
ACTIONS = """
    import asyncio, os, time
    from aura_core.api import ActionError, action, config, hook, requires_services

    @action("look")
    @requires_services(watch="watch", memo="memo")
    async def look(watch, memo, expected: str, seen: str) -> None:
        watch.note("expression", expected, seen)
        watch.note("action", PLAN, config("name"))
        watch.note("service made", PLAN, memo.made)
        watch.note("service started", PLAN, memo.started)
        await asyncio.sleep(0)
        watch.note("action later", PLAN, config("name"))

    @action("look_in_thread")
    @requires_services(watch="watch")
    def look_in_thread(watch, expected: str, seen: str) -> None:
        watch.note("expression", expected, seen)
        time.sleep(0.0001)
        watch.note("thread", PLAN, config("name"))

    @action("look_in_process", cpu=True)
    def look_in_process() -> list:
        return [os.getpid(), config("name"), config("deep.er", "none")]

    @action("break")
    @requires_services(watch="watch")
    async def break_(watch, expected: str, seen: str) -> None:
        watch.note("breaking", expected, seen)
        raise ActionError("as the test wanted")

    @hook("on_step_failure")
    async def failed(context) -> None:
        context.run.dest["watch"].note("hook", PLAN, config("name"))
        await asyncio.sleep(0)
        context.run.dest["watch"].note("hook later", PLAN, config("name"))

    @hook("before_task_run")
    def begun(tasklet) -> None:
        tasklet.run.dest["watch"].note("hook in thread", PLAN, config("name"))
"""
SERVICES = """
    import asyncio
    from aura_core.api import config, service

    @service("memo")
    class Memo:
        def __init__(self):
            self.made = config("name")

        async def start(self):
            await asyncio.sleep(0)
            self.started = config("name")
"""


class Watch:
    """What was expected and what was seen, by the place where `config()` was asked."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.wrong: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()

    def note(self, place: str, expected: str, seen: str) -> None:
        with self._lock:
            self.seen[place] += 1
            if expected != seen:
                self.wrong.append((place, expected, seen))


def steps_of(plan: str, number: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Steps of task `t<number>` of a plan; they run only tasks of the plan with lower numbers and of required plans."""
    homes = [plan, *REQUIRES[plan]]
    params = st.just({"expected": plan, "seen": "{{ config('name') }}"})
    looks = [f"{home}/{name}" for home in homes for name in ("look", "look_in_thread")]
    tasks = [f"{plan}/t{lower}" for lower in range(number)]
    tasks += [f"{home}/t{any_}" for home in REQUIRES[plan] for any_ in range(TASKS_EACH)]
    look = st.fixed_dictionaries({"action": st.sampled_from(looks), "params": params})
    broken = st.fixed_dictionaries(
        {"action": st.just("break"), "params": params, "continue_on_failure": st.sampled_from([True])}
    )
    leaves = look | broken
    if tasks:
        leaves |= st.fixed_dictionaries({"run_task": st.sampled_from(tasks)})
    step = st.recursive(
        leaves,
        lambda inner: (
            st.fixed_dictionaries({"for": st.just(2), "parallel": st.just(2), "do": st.lists(inner, max_size=2)})
            | st.fixed_dictionaries(
                {"parallel": st.lists(st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=2)}
            )
        ),
        max_leaves=4,
    )
    steps = st.lists(step, min_size=1, max_size=3)
    if not tasks:
        return steps
    chain = st.just([]) | st.fixed_dictionaries({"go_task": st.sampled_from(tasks)}).map(lambda last: [last])
    return st.tuples(steps, chain).map(lambda parts: parts[0] + parts[1])


programs = st.fixed_dictionaries(
    {f"{plan}/t{number}": steps_of(plan, number) for plan in REQUIRES for number in range(TASKS_EACH)}
)


def write_plans(project: Project) -> None:
    for plan, requires in REQUIRES.items():
        project.write(f"{plan}/plan.yaml", json.dumps({"name": plan, "requires": requires}))
        project.write(f"{plan}/config.yaml", f"name: {plan}\ndeep: {{er: {plan}{plan}}}")
        project.write(f"{plan}/actions/look.py", ACTIONS.replace("PLAN", repr(plan)))
        project.write(f"{plan}/services/memo.py", SERVICES)


@pytest.mark.slow
@settings(max_examples=25)
@given(program=programs)
def test_config_is_right_in_every_nesting_of_plans(program: dict[str, list[dict[str, Any]]]):
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        write_plans(project)
        for ref, steps in program.items():
            plan, name = ref.split("/")
            project.write(f"{plan}/tasks/{name}.yaml", json.dumps({"steps": steps}))
        asyncio.run(_run_all(project, list(program), side_by_side='"parallel"' in json.dumps(program)))


async def _run_all(project: Project, refs: list[str], *, side_by_side: bool) -> None:
    watch = Watch()
    async with project.running(services={"watch": watch}) as framework:
        tasklets = [Tasklet(ref, run=RunInfo(dest={"watch": watch})) for ref in refs * 2]
        results = await asyncio.gather(*(framework.submit(tasklet) for tasklet in tasklets))
    assert [result.error for result in results if result.error is not None] == []
    assert watch.wrong == []
    told, failures = watch.seen["hook"] // len(REQUIRES), watch.seen["breaking"]
    assert watch.seen["hook"] == told * len(REQUIRES)
    assert told <= failures
    assert told == failures or side_by_side  # what fails in a branch that is being ended is no failure of a step
    assert watch.seen["hook in thread"] == len(refs) * 2 * len(REQUIRES)
    assert current_plan_name.get() is None
    with pytest.raises(NotFoundError, match="outside a running task"):
        config("name")


@pytest.mark.slow
def test_config_is_right_in_other_processes(tmp_path: Path):
    """Both processes of the pool serve all three plans, in turn."""
    project = Project(tmp_path)
    write_plans(project)
    for plan in REQUIRES:
        project.write(
            f"{plan}/tasks/t.yaml",
            """
            steps: [{for: 4, parallel: 4, collect: seen, do: [{action: look_in_process}]}]
            returns: "{{ seen }}"
            """,
        )

    async def run() -> list[list[list[Any]]]:
        watch = Watch()
        tasklets = [Tasklet(f"{plan}/t", run=RunInfo(dest={"watch": watch})) for plan in REQUIRES]
        async with project.running(services={"watch": watch}, settings={"b": {"deep": 1}}) as framework:
            results = await asyncio.gather(*(framework.submit(tasklet) for tasklet in tasklets))
        return [result.result for result in results]

    a, b, c = asyncio.run(run())
    assert [seen[1:] for seen in (*a, *b, *c)] == [["a", "aa"]] * 4 + [["b", "none"]] * 4 + [["c", "cc"]] * 4
