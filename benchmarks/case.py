"""What a benchmark consists of: a case has series, a series has contestants that do the same work in turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

AURA = "Aura"
FLOOR = "floor"
"""The name of the contestant that does the work with nothing around it; every other one is a multiple of it."""

Measure = Callable[[], Awaitable[float]]
"""Does the work once and gives the figure, in the unit of its series; raises if the work came out wrong."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who does the work.

    Attributes:
        name: `AURA`, `FLOOR`, or a peer's name; words behind `, ` say which way it does it.
        measure: does the work once.
    """

    name: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Series:
    """One table: the same work, done by each contestant.

    Attributes:
        name: what is varied inside the case, e.g. "1000 steps".
        unit: of every figure, e.g. "µs a step".
        contestants: in the order in which they are shown.
        more_is_better: throughput, not time.
    """

    name: str
    unit: str
    contestants: Sequence[Contestant]
    more_is_better: bool = False


Figures = Mapping[tuple[str, str], float]
"""(name of the series, name of the contestant) -> median."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the project promises of a figure, or of a ratio of two that were taken in the same run.

    Attributes:
        text: the promise, e.g. "a step takes at most 5 µs".
        limit: the bound.
        measured: the figure or ratio; raises KeyError where a contestant is missing.
        at_least: the figure must not be below the bound, instead of not above.
    """

    text: str
    limit: float
    measured: Callable[[Figures], float]
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a measured value keeps the promise."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Size:
    """How large the work is; 1 is what the targets speak of, less is for a quick look.

    Attributes:
        factor: 0 < factor <= 1.
    """

    factor: float = 1.0

    def of(self, full: int) -> int:
        """A number of steps, runs, nodes … at this size; never less than 2."""
        return max(2, round(full * self.factor))


@dataclass(frozen=True, slots=True)
class Case:
    """One idea that is measured.

    Attributes:
        name: what `--case` calls it.
        title: one line for the report.
        prepare: makes everything ready outside the measurement, and cleans up after it.
        targets: what is promised; judged at full size only.
    """

    name: str
    title: str
    prepare: Callable[[Size], AbstractAsyncContextManager[Sequence[Series]]]
    targets: Sequence[Target] = ()


def figure(series: str, contestant: str = AURA) -> Callable[[Figures], float]:
    """A contestant's median in a series, for a target."""
    return lambda figures: figures[series, contestant]


def ratio(series: str, other: str, contestant: str = AURA) -> Callable[[Figures], float]:
    """A contestant's median as a multiple of another one's in the same series, for a target."""
    return lambda figures: figures[series, contestant] / figures[series, other]
