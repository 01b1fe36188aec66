"""Start: how long whole commands take that ask no model, and `make chat` from a clone to its input line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks import builds
from benchmarks.builds import Build
from benchmarks.case import Case, Contestant, Measure, Series, Size, Target, ratio
from benchmarks.person import Sitting
from benchmarks.stopwatch import MILLISECONDS, WrongResultError

RUN = "aura run aura_base/calculate"
COMMANDS = {
    RUN: ("run", "aura_base/calculate", "expression=12*7"),
    "aura tasks": ("tasks",),
    "aura runs": ("runs",),
    "aura check": ("check",),
    "aura --help": ("--help",),
}
MAKE_CHAT = "make chat, from clone to input line"


def _command(build: Build, words: Sequence[str], home: Path) -> Measure:
    async def measure() -> float:
        started = perf_counter()
        process = await asyncio.create_subprocess_exec(
            *build.command(*words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=build.root,
            env=builds.environment(home),
        )
        _, complaint = await process.communicate()
        seconds = perf_counter() - started
        if process.returncode:
            raise WrongResultError(complaint.decode("utf-8", "replace").strip())
        return seconds * MILLISECONDS

    return measure


def _from_clone(build: Build) -> Measure:
    def sit_down() -> float:
        with TemporaryDirectory(prefix="aura-bench-") as folder:
            checkout = Path(folder) / "aura"
            builds.clone(build.root, checkout, "HEAD")
            if build.name == builds.EARLIER:
                builds.venv_that_can_install(checkout)
            with Sitting(["make", "chat"], checkout, builds.environment(Path(folder) / "home")) as sitting:
                seconds = sitting.opened()
                sitting.leave()
        return seconds

    return lambda: asyncio.to_thread(sit_down)


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    full = size.factor >= 1
    contestants = [builds.this(), builds.earlier()] if full else [builds.this()]
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        homes = {build.name: Path(folder) / build.name for build in contestants}
        yield [
            *(
                Series(
                    name,
                    "ms",
                    [Contestant(build.name, _command(build, words, homes[build.name])) for build in contestants],
                )
                for name, words in COMMANDS.items()
            ),
            *(
                [Series(MAKE_CHAT, "s", [Contestant(build.name, _from_clone(build)) for build in contestants])]
                if full
                else []
            ),
        ]


CASE = Case(
    "start",
    "commands that ask no model, and the way from a clone to a chat, whole programs, beside an earlier build",
    _prepare,
    (
        Target("aura run at most 0.4 of the earlier build's time", 0.4, ratio(RUN, builds.EARLIER)),
        Target("make chat at most 0.7", 0.7, ratio(MAKE_CHAT, builds.EARLIER)),
    ),
)
