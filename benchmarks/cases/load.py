"""Load: a task file of 1000 steps, read, parsed, validated, its expressions compiled, beside the bare YAML parser."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import yaml

from aura_core.language.loader import TaskLoader
from benchmarks.aura import write_plan
from benchmarks.case import AURA, FLOOR, Case, Contestant, Measure, Series, Size, Target, figure
from benchmarks.stopwatch import MILLISECONDS, check

STEPS = 1000
LOAD = f"{STEPS} steps"
SLOW = "PyYAML, SafeLoader"


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    length = size.of(STEPS)
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        plan = write_plan(Path(folder), {})
        file = plan / "tasks" / "long.yaml"

        def ours() -> int:
            loader = TaskLoader("bench", plan)
            loader.load()
            return len(loader.tasks["long"].steps) if not loader.problems else -1

        def parser(loader: Any) -> Callable[[], int]:
            return lambda: len(yaml.load(file.read_bytes(), loader)["steps"])  # noqa: S506 (both are safe loaders)

        numbers = count()
        contestants = [
            Contestant(name, _fresh(file, numbers, length, load))
            for name, load in ((FLOOR, parser(yaml.CSafeLoader)), (AURA, ours), (SLOW, parser(yaml.SafeLoader)))
        ]
        yield [Series(LOAD, "ms", contestants)]


def _fresh(file: Path, numbers: count[int], length: int, load: Callable[[], int]) -> Measure:
    """Writes a file with expressions that nobody has seen before, so that no cache helps, and times its loading."""

    async def measure() -> float:
        file.write_text(_task(length, next(numbers)), encoding="utf-8")  # noqa: ASYNC240 (nothing else runs meanwhile)
        started = perf_counter()
        steps = load()
        seconds = perf_counter() - started
        check(steps, length)
        return seconds * MILLISECONDS

    return measure


def _task(length: int, number: int) -> str:
    steps = (
        f"  - id: step_{step}\n"
        "    action: bump\n"
        f'    params: {{value: "{{{{ n + {number} }}}}"}}\n'
        "    output_to: n\n"
        f'    when: "{{{{ n < {step + 1_000_000} }}}}"\n'
        for step in range(length)
    )
    return f"meta: {{title: Long}}\nsteps:\n{''.join(steps)}"


CASE = Case(
    "load",
    "read, parse and validate a task file, and compile its expressions",
    _prepare,
    (Target("at most 210 ms", 210.0, figure(LOAD)),),
)
