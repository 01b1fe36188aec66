"""Sequential steps: what a step costs beyond its own work, and whether that grows with the length of the task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, figure, ratio
from benchmarks.peers import peer
from benchmarks.stopwatch import per_item

LENGTHS = (100, 1000, 5000)
SHORT, MIDDLE, LONG = (f"{length} steps" for length in LENGTHS)
UNIT = "µs a step"


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    lengths = [size.of(length) for length in LENGTHS]
    many = [lengths[2] // lengths[0], 1, 1]
    names = [[f"steps_{length}_{one}" for one in range(times)] for length, times in zip(lengths, many, strict=True)]
    tasks = {task: _task(length, "bump") for length, alike in zip(lengths, names, strict=True) for task in alike}
    tasks["inline"] = _task(lengths[1], "bump_inline")
    tasks["set"] = "steps:\n  - set: {n: 0}\n" + '  - set: {n: "{{ n + 1 }}"}\n' * lengths[1] + 'returns: "{{ n }}"\n'
    async with aura.running(tasks) as framework:

        def ours(name: str, tasks: Sequence[str], length: int) -> Contestant:
            return _contestant(name, [partial(aura.run, framework, task) for task in tasks], length)

        all_series = [
            Series(name, UNIT, [_floor(length, len(alike)), ours(AURA, alike, length)])
            for name, length, alike in zip((SHORT, MIDDLE, LONG), lengths, names, strict=True)
        ]
        length = lengths[1]
        others = [ours(f"{AURA}, inline action", ["inline"], length), ours(f"{AURA}, set", ["set"], length)]
        peers = [one for name in ("pypyr", "Burr", "Dask", "LangGraph") for one in peer(name, "steps", length)]
        all_series[1] = Series(MIDDLE, UNIT, [*all_series[1].contestants, *others, *peers])
        yield all_series


def _task(length: int, action: str) -> str:
    step = f'  - {{action: {action}, params: {{value: "{{{{ n }}}}"}}, output_to: n}}\n'
    return "steps:\n  - set: {n: 0}\n" + step * length + 'returns: "{{ n }}"\n'


def _contestant(name: str, tasks: Sequence[Callable[[], Awaitable[int]]], length: int) -> Contestant:
    """Runs so many tasks of equal length: as many short ones as make a long one, each with steps of its own."""

    async def work() -> int:
        result = 0
        for task in tasks:
            result = await task()
        return result

    return Contestant(name, per_item(work, length * len(tasks), length))


def _floor(length: int, times: int) -> Contestant:
    async def bump(value: int) -> int:
        return value + 1

    def params(scope: dict[str, int]) -> dict[str, int]:
        return {"value": scope["n"]}

    steps = [(params, bump, "n")] * length

    async def task() -> int:
        scope = {"n": 0}
        for prepare, action, output in steps:
            scope[output] = await action(**prepare(scope))
        return scope["n"]

    return _contestant(FLOOR, [task] * times, length)


CASE = Case(
    "steps",
    "one step after the other: read a variable, call an async action, set a variable",
    _prepare,
    (
        Target("a step takes at most 5 µs", 5.0, figure(MIDDLE)),
        Target(
            "no more in a task of 5000 steps than in one of 1000 (at most 1.25 ×)",
            1.25,
            lambda figures: figures[LONG, AURA] / figures[MIDDLE, AURA],
        ),
        Target("at most a third of pypyr's", 1 / 3, ratio(MIDDLE, "pypyr")),
    ),
)
