"""Loops: what a turn of `for` and of `while` costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from benchmarks import aura
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, figure
from benchmarks.peers import peer
from benchmarks.stopwatch import per_item

TURNS = 1000
FOR, WHILE = "for", "while"
UNIT = "µs a turn"


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    turns = size.of(TURNS)
    total = sum(range(turns))
    tasks = {
        "for": "steps:\n  - set: {total: 0}\n"
        f'  - {{for: {turns}, as: item, do: [{{set: {{total: "{{{{ total + item }}}}"}}}}]}}\n'
        'returns: "{{ total }}"\n',
        "for_action": "steps:\n  - set: {n: 0}\n"
        f'  - {{for: {turns}, do: [{{action: bump, params: {{value: "{{{{ n }}}}"}}, output_to: n}}]}}\n'
        'returns: "{{ n }}"\n',
        "while": "steps:\n  - set: {n: 0}\n"
        f'  - {{while: "{{{{ n < {turns} }}}}", max_iterations: {turns}, do: [{{set: {{n: "{{{{ n + 1 }}}}"}}}}]}}\n'
        'returns: "{{ n }}"\n',
    }
    async with aura.running(tasks) as framework:

        def ours(name: str, task: str, expected: int) -> Contestant:
            return Contestant(name, per_item(lambda: aura.run(framework, task), turns, expected))

        yield [
            Series(
                FOR,
                UNIT,
                [
                    _floor(turns, total),
                    ours(AURA, "for", total),
                    ours(f"{AURA}, calling an action", "for_action", turns),
                    *peer("pypyr", "for_loop", turns),
                ],
            ),
            Series(
                WHILE,
                UNIT,
                [
                    _floor(turns, total),
                    ours(AURA, "while", turns),
                    *(one for name in ("pypyr", "Burr", "LangGraph") for one in peer(name, "while_loop", turns)),
                ],
            ),
        ]


def _floor(turns: int, total: int) -> Contestant:
    async def add(scope: dict[str, int]) -> None:
        scope["total"] += scope["item"]

    async def work() -> int:
        scope = {"total": 0}
        for item in range(turns):
            scope["item"] = item
            await add(scope)
        return scope["total"]

    return Contestant(FLOOR, per_item(work, turns, total))


CASE = Case(
    "loops",
    "a turn of a loop whose body evaluates an expression and sets a variable",
    _prepare,
    (
        Target("a turn of `for` takes at most 3 µs", 3.0, figure(FOR)),
        Target("a turn of `while` takes at most 3 µs", 3.0, figure(WHILE)),
    ),
)
