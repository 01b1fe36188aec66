"""pypyr: YAML pipelines whose steps are Python modules."""

from __future__ import annotations

import asyncio
import atexit
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from pypyr import pipelinerunner

from benchmarks.case import Measure
from benchmarks.stopwatch import per_item, per_second

_folder = Path(mkdtemp(prefix="pypyr-bench-"))
atexit.register(rmtree, _folder, ignore_errors=True)


def steps(count: int) -> Measure:
    """A pipeline of so many steps that each read an expression and set a value."""
    step = "  - {name: benchmarks.peers.pypyr_bump, in: {value: !py n}}\n"
    return per_item(_runner("steps", count, step * count), count, count)


def for_loop(count: int) -> Measure:
    """One step with `foreach`."""
    text = f"  - {{name: benchmarks.peers.pypyr_set, in: {{value: !py n + i}}, foreach: !py range({count})}}\n"
    return per_item(_runner("foreach", count, text), count, sum(range(count)))


def while_loop(count: int) -> Measure:
    """One step with `while`."""
    loop = f"while: {{max: {count + 1}, stop: !py 'n >= {count}'}}"
    text = f"  - {{name: benchmarks.peers.pypyr_set, in: {{value: !py n + 1}}, {loop}}}\n"
    return per_item(_runner("while", count, text), count, count)


def runs(count: int, length: int, seconds: float) -> Measure:
    """So many pipelines at once, each in a thread of its own, with steps that sleep."""
    run = _runner("runs", length, f"  - {{name: benchmarks.peers.pypyr_rest, in: {{seconds: {seconds}}}}}\n" * length)

    async def work() -> int:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(count) as threads:
            done = await asyncio.gather(*(loop.run_in_executor(threads, _synchronously, run) for _ in range(count)))
        return len(done)

    return per_second(work, count * length, count)


def _runner(kind: str, count: int, steps: str) -> Any:
    path = _folder / f"{kind}_{count}"
    path.with_suffix(".yaml").write_text(f"steps:\n{steps}", encoding="utf-8")

    async def work() -> Any:
        return pipelinerunner.run(str(path), dict_in={"n": 0})["n"]

    return work


def _synchronously(work: Any) -> Any:
    try:
        work().send(None)
    except StopIteration as end:
        return end.value
