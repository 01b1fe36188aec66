"""Memory: what a piece of work adds to a process, measured in a process of its own that has done nothing else.

The work is named as `module:function`; the function is an asynchronous context manager that prepares and gives the
work. The child process is this module run as a program.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.case import Measure

ROOT = Path(__file__).resolve().parents[1]
STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


class ChildError(Exception):
    """The process that was measured failed."""


def grown(function: str, *arguments: Any, items: int = 1) -> Measure:
    """A measure of how many KiB an item of the work adds at its peak.

    Args:
        function: `module:function`.
        arguments: for the function, as JSON.
        items: how many items the work consists of.
    """

    async def measure() -> float:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.memory", function, json.dumps(arguments)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        out, complaint = await child.communicate()
        if child.returncode:
            raise ChildError(complaint.decode(errors="replace").strip().rpartition("\n")[2])
        return float(out) / items

    return measure


async def _grow(function: str, arguments: list[Any]) -> float:
    module, _, name = function.partition(":")
    prepare = getattr(import_module(module), name)
    async with prepare(*arguments) as work:
        gc.collect()
        before = _now()
        await work()
        return max(0.0, _peak() - before)


def _now() -> float:
    """KiB of memory that the process holds now; forgets its peak so far."""
    try:
        RESET.write_text("5", encoding="utf-8")
        return _status("VmRSS:")
    except OSError:
        return _peak()


def _peak() -> float:
    """KiB of memory that the process held at most."""
    try:
        return _status("VmHWM:")
    except OSError:
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size / 1024 if sys.platform == "darwin" else float(size)


def _status(key: str) -> float:
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(key))


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(_grow(sys.argv[1], json.loads(sys.argv[2])))))
