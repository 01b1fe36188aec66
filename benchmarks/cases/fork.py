"""Fork: what a branch, a parallel turn or a sub-task pays for variables of its own."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

from aura_core.context import ContextManager
from aura_core.tasklet import RunInfo
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, figure
from benchmarks.stopwatch import per_call

VARIABLES = 100
CALLS = 50_000
FORK = f"{VARIABLES} variables"


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    calls = size.of(CALLS)
    variables = {f"variable_{number}": {"text": "milk", "rows": [number] * 3} for number in range(VARIABLES)}
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        context = await ContextManager(Path(folder)).create("bench", RunInfo(), {}, **variables)
        yield [
            Series(
                FORK,
                "µs a fork",
                [
                    Contestant(FLOOR, per_call(variables.copy, calls)),
                    Contestant(AURA, per_call(context.fork, calls)),
                    Contestant("ChainMap", per_call(lambda: ChainMap({}, variables), calls)),
                    Contestant("deepcopy", per_call(lambda: deepcopy(variables), size.of(100))),
                ],
            )
        ]


CASE = Case(
    "fork",
    "a copy of the variables that changes on its own",
    _prepare,
    (Target("at most 1 µs", 1.0, figure(FORK)),),
)
