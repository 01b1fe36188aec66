"""An earlier build of Aura in a process of its own: requests go in and plans come out as lines of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.builds import earlier, environment
from evaluation.systems.system import Made, System, Task

DRIVER = Path(__file__).with_name("earlier_driver.py")
LINE_BYTES = 16 * 2**20
END_SECONDS = 20
MODEL_VARIABLES = ("OPENAI_", "AURA_MODEL", "AURA_LLM_", "AURA_EMBEDDED_")
"""What says which model is asked, so that all planners ask the same one."""


class DriverError(Exception):
    """The earlier build does not answer; says what it wrote last."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Plans in the other process.

    Attributes:
        process: it.
        log: the file of its standard error.
    """

    process: asyncio.subprocess.Process
    log: Path

    async def plan(self, task: Task) -> Made:
        """Plans one request.

        Raises:
            DriverError: the process has ended.
        """
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            raise DriverError("the earlier build was started without pipes")
        cards = None if task.cards is None else [card.model_dump(mode="json") for card in task.cards]
        line = {"request": task.request, "context": task.context, "files": list(task.files), "cards": cards}
        answer = b""
        with contextlib.suppress(ConnectionError):
            stdin.write(json.dumps(line).encode() + b"\n")
            await stdin.drain()
            answer = await stdout.readline()
        if not answer:
            last = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise DriverError(f"the earlier build has ended: {''.join(last)}")
        made: dict[str, Any] = json.loads(answer)
        return Made(made["plan"], made["error"], made["read"], made["written"], made["repairs"])


@asynccontextmanager
async def earlier_build(_: frozenset[str]) -> AsyncGenerator[System]:
    """The earlier build as one of the systems; its first use makes it (benchmarks/builds.py)."""
    build = await asyncio.to_thread(earlier)
    with TemporaryDirectory(prefix="aura-eval-") as name:
        home = Path(name)
        log = home / "log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                str(build.python),
                "-P",
                str(DRIVER),
                cwd=build.root,
                env={**environment(home, **_model()), "PYTHONUTF8": "1"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                limit=LINE_BYTES,
            )
        try:
            yield Earlier(process, log)
        finally:
            await _end(process)


def _model() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(MODEL_VARIABLES)}


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
