"""Laws of recorded tasks: whatever its shape, a task killed again and again has each of its effects once."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.crashing import ACTIONS, World, life
from tests.fixtures.examples import examples
from tests.fixtures.project import Project

Step = dict[str, Any]


def write(name: str) -> list[Step]:
    return [{"action": "write", "params": {"name": name}}]


def write_what_was_seen(name: str) -> list[Step]:
    return [{"action": "look", "output_to": "seen"}, *write(f"{name} {{{{ seen }}}}")]


names = st.sampled_from(["a", "b", "c"])
leaves = st.one_of(
    names.map(write),
    names.map(write_what_was_seen),
    names.map(lambda name: [*write(name), *write(name)]),
    names.map(lambda name: [{"ask": f"{name}?", "output_to": "answer"}]),
    names.map(lambda name: [{"set": {"at": "{{ now() }}"}}, *write(f"{name} {{{{ at }}}}")]),
)


def composed(inner: st.SearchStrategy[list[Step]]) -> st.SearchStrategy[list[Step]]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda two: [*two[0], *two[1]]),
        st.tuples(inner, st.integers(1, 3)).map(lambda of: [{"for": of[1], "do": of[0]}]),
        inner.map(lambda body: [{"for": ["x", "x", "y"], "as": "word", "parallel": 2, "do": body}]),
        st.tuples(inner, inner).map(lambda two: [{"parallel": [two[0], two[1]]}]),
        inner.map(lambda body: [{"task": body}]),
        inner.map(lambda body: [{"if": "{{ true }}", "then": body}]),
    )


shapes = st.recursive(leaves, composed, max_leaves=5)


def written(project: Project, steps: list[Step], name: str = "t") -> None:
    """Writes the task; a `task` becomes a task of its own and a step that runs it."""

    def settle(value: Any) -> Any:
        if isinstance(value, list):
            return [settle(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "task" in value:
            counter.append(0)
            inner = f"{name}_{len(counter)}"
            written(project, value["task"], inner)
            return {"run_task": inner}
        return {key: settle(item) for key, item in value.items()}

    counter: list[int] = []
    project.task(name, json.dumps({"steps": settle(steps)}))


def effects(steps: list[Step], times: int = 1) -> int:
    """How many effects the steps have."""
    total = 0
    for step in steps:
        total += times * (step.get("action") == "write")
        rounds = 1 if "for" not in step else step["for"] if isinstance(step["for"], int) else len(step["for"])
        for body in ("do", "then", "task"):
            total += effects(step.get(body, []), times * rounds)
        if isinstance(step.get("parallel"), list):
            total += sum(effects(branch, times) for branch in step["parallel"])
    return total


def is_sequence(steps: list[Step]) -> bool:
    return "parallel" not in json.dumps(steps)


async def killed_again_and_again(steps: list[Step], kills: list[int]) -> World:
    world = World({f"{name}?": "yes" for name in "abc"})
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        project.write("p/actions/world.py", ACTIONS)
        written(project, steps)
        for records in kills:
            await life(project, world, dies_after=records)
        result = await life(project, world)
    assert result is not None
    assert result.ok, result.error
    return world


@settings(max_examples=examples(40))
@given(shapes, st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_each_effect_happens_once_whenever_the_task_is_killed(steps, kills):
    world = asyncio.run(killed_again_and_again(steps, kills))
    assert len(world.once) == effects(steps), "an idempotency key names an effect, in every life the same"
    if is_sequence(steps):
        assert len(world.happened) == effects(steps), "a recorded effect is not repeated"


@settings(max_examples=15)
@given(shapes, st.integers(1, 6))
def test_a_task_that_was_done_is_not_done_again(steps, kill):
    async def done_twice() -> None:
        world = await killed_again_and_again(steps, [kill])
        before = list(world.happened)
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder))
            project.write("p/actions/world.py", ACTIONS)
            written(project, steps)
            await life(project, world)
        assert world.happened == before

    asyncio.run(done_twice())


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(shapes, st.lists(shapes, min_size=1, max_size=3), st.integers(1, 5))
def test_whatever_is_edited_between_its_lives_a_task_does_what_it_began(begun, edits, killed_after):
    async def happened(edits: list[list[Step]]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder))
            project.write("p/actions/world.py", ACTIONS)
            world = World({f"{name}?": "yes" for name in "abc"})
            written(project, [*write("first"), *begun, {"ask": "Go on?"}])
            await life(project, world, dies_after=killed_after)
            for steps in edits:
                written(project, [*steps, *write("edited")])
                assert await life(project, world) is None, "it waits at its last question"
            world.answers["Go on?"] = "yes"
            result = await life(project, world)
            assert result is not None
            assert result.ok, result.error
        return sorted(name.split()[0] for name in (*world.once.values(), *world.asked.values()))

    assert asyncio.run(happened(edits)) == asyncio.run(happened([]))
