"""Sequential steps: what a step costs beyond its own work, and whether that grows with the length of the task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

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
    tasks = {f"steps_{length}": _task(length, "bump") for length in lengths}
    tasks["inline"] = _task(lengths[1], "bump_inline")
    tasks["set"] = "steps:\n  - set: {n: 0}\n" + '  - set: {n: "{{ n + 1 }}"}\n' * lengths[1] + 'returns: "{{ n }}"\n'
    async with aura.running(tasks) as framework:

        def ours(name: str, task: str, length: int) -> Contestant:
            return Contestant(name, per_item(lambda: aura.run(framework, task), length, length))

        all_series = [
            Series(name, UNIT, [_floor(length), ours(AURA, f"steps_{length}", length)])
            for name, length in zip((SHORT, MIDDLE, LONG), lengths, strict=True)
        ]
        length = lengths[1]
        others = [ours(f"{AURA}, inline action", "inline", length), ours(f"{AURA}, set", "set", length)]
        peers = [one for name in ("pypyr", "Burr", "Dask", "LangGraph") for one in peer(name, "steps", length)]
        all_series[1] = Series(MIDDLE, UNIT, [*all_series[1].contestants, *others, *peers])
        yield all_series


def _task(length: int, action: str) -> str:
    step = f'  - {{action: {action}, params: {{value: "{{{{ n }}}}"}}, output_to: n}}\n'
    return "steps:\n  - set: {n: 0}\n" + step * length + 'returns: "{{ n }}"\n'


def _floor(length: int) -> Contestant:
    async def bump(value: int) -> int:
        return value + 1

    def params(scope: dict[str, int]) -> dict[str, int]:
        return {"value": scope["n"]}

    steps = [(params, bump, "n")] * length

    async def work() -> int:
        scope = {"n": 0}
        for prepare, action, output in steps:
            scope[output] = await action(**prepare(scope))
        return scope["n"]

    return Contestant(FLOOR, per_item(work, length, length))


CASE = Case(
    "steps",
    "one step after the other: read a variable, call an async action, set a variable",
    _prepare,
    (
        Target("a step takes at most 5 µs", 5.0, figure(MIDDLE)),
        Target(
            "no more in a task of 5000 steps than in one of 100 (at most 1.25 ×)",
            1.25,
            lambda figures: figures[LONG, AURA] / figures[SHORT, AURA],
        ),
        Target("at most a third of pypyr's", 1 / 3, ratio(MIDDLE, "pypyr")),
    ),
)
