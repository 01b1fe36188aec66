"""First answer: how long a person waits for it on an empty home, in a chat that was just opened and with `aura ask`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks import builds
from benchmarks.builds import Build
from benchmarks.case import Case, Contestant, Measure, Series, Size, Target, ratio
from benchmarks.person import Sitting, busy_machine
from benchmarks.stopwatch import WrongResultError

REQUEST = "What is 37*41? Also list my files."
ANSWER = "1517"
BEFORE_TYPING = 15.0
OTHERS = 2
CHAT, BUSY_CHAT = "a chat, typed after 15 s", "the same, two busy programs beside"
ASK, BUSY_ASK = "aura ask", "aura ask, two busy programs beside"
PULLED_ASK = "aura ask after aura model pull"
MEMORY = "an idle chat after its first answer"
SMALL_MODEL = "smollm2-135m"
COMMAND, DONE = "/note milk", "Noted"
"""What a quick look types instead: a command, since the small model plans for half a minute."""


class Trial:
    """What is asked of each build.

    Args:
        build: the build.
        size: at less than full size the small model is loaded and a command is typed, at once.
    """

    def __init__(self, build: Build, size: Size) -> None:
        self._build = build
        full = size.factor >= 1
        self._request, self._answer = (REQUEST, ANSWER) if full else (COMMAND, DONE)
        self._before = BEFORE_TYPING * size.factor
        self._model = {} if full else {"AURA_MODEL": SMALL_MODEL}
        self.memory: list[float] = []

    def chat(self, others: int) -> float:
        """Seconds from Enter to the answer, in a chat opened for the first time."""
        with TemporaryDirectory(prefix="aura-bench-") as home, busy_machine(others):
            surroundings = builds.environment(Path(home), **self._model)
            with Sitting(self._build.command("chat"), self._build.root, surroundings) as sitting:
                sitting.opened()
                sitting.idle(self._before)
                seconds = sitting.asked(self._request, self._answer)
                if not others:
                    sitting.idle(1.0)
                    self.memory.append(sitting.memory())
                sitting.leave()
        return seconds

    async def ask(self, others: int, *, pulled: bool = False) -> float:
        """Seconds from the start of an `aura ask` to its answer.

        Args:
            others: busy programs beside it.
            pulled: `aura model pull` ran before, with the weights there, as in an installation by hand.
        """
        with TemporaryDirectory(prefix="aura-bench-") as home, busy_machine(others):
            if pulled:
                await (await self._start(Path(home) / "before", Path(home), "model", "pull")).communicate()
            started = perf_counter()
            process = await self._start(Path(home) / "aura", Path(home), "ask", REQUEST)
            assert process.stdout is not None  # noqa: S101 (a pipe; pyright cannot know)
            first = await process.stdout.readline()
            seconds = perf_counter() - started
            rest, _ = await process.communicate()
        if ANSWER not in (first + rest).decode():
            raise WrongResultError(f"expected {ANSWER} in {(first + rest)!r}")
        return seconds

    async def _start(self, aura_home: Path, cache: Path, *words: str) -> asyncio.subprocess.Process:
        surroundings = builds.environment(cache, **self._model)
        return await asyncio.create_subprocess_exec(
            *self._build.command(*words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=self._build.root,
            env={**surroundings, "AURA_HOME": str(aura_home)},
        )

    async def held(self) -> float:
        """MiB of the next chat that was measured without others beside it."""
        return self.memory.pop(0)


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    full = size.factor >= 1
    trials = [
        (build.name, Trial(build, size)) for build in ([builds.this(), builds.earlier()] if full else [builds.this()])
    ]

    def series(name: str, unit: str, measure: Callable[[Trial], Measure]) -> Series:
        return Series(name, unit, [Contestant(contestant, measure(trial)) for contestant, trial in trials])

    def chatting(others: int) -> Callable[[Trial], Measure]:
        return lambda trial: lambda: asyncio.to_thread(trial.chat, others)

    def asking(others: int, *, pulled: bool = False) -> Callable[[Trial], Measure]:
        return lambda trial: lambda: trial.ask(others, pulled=pulled)

    yield [
        series(CHAT, "s", chatting(0)),
        series(MEMORY, "MiB", lambda trial: trial.held),
        *(
            [
                series(ASK, "s", asking(0)),
                series(PULLED_ASK, "s", asking(0, pulled=True)),
                series(BUSY_CHAT, "s", chatting(OTHERS)),
                series(BUSY_ASK, "s", asking(OTHERS)),
            ]
            if full
            else []
        ),
    ]


CASE = Case(
    "first_answer",
    "the first answer of the embedded model on an empty home, whole programs, beside an earlier build",
    _prepare,
    (
        Target("in a chat at most 0.35 of the earlier build's time", 0.35, ratio(CHAT, builds.EARLIER)),
        Target("with two busy programs at most half", 0.5, ratio(BUSY_CHAT, builds.EARLIER)),
        Target("aura ask at most 0.75", 0.75, ratio(ASK, builds.EARLIER)),
        Target("an idle chat holds no more memory", 1.0, ratio(MEMORY, builds.EARLIER)),
    ),
)
