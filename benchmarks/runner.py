"""The runner: contestants of a series take turns round by round, so that a noisy moment hits all of them alike."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

from benchmarks.case import Case, Figures, Series, Size

Say = Callable[[str], None]


@dataclass(slots=True)
class Row:
    """What one contestant did in one series.

    Attributes:
        name: the contestant.
        rounds: a figure a round.
        failure: why it has no figures; empty if it has.
    """

    name: str
    rounds: list[float] = field(default_factory=list[float])
    failure: str = ""

    @property
    def median(self) -> float | None:
        """The middle of all rounds; None without any."""
        return median(self.rounds) if self.rounds and not self.failure else None


@dataclass(frozen=True, slots=True)
class Table:
    """What came out of one series, one row a contestant."""

    series: Series
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one target.

    Attributes:
        text: the promise.
        limit: its bound.
        measured: the value; None if it could not be measured.
        met: None if it was not judged: not measured, or not at full size.
    """

    text: str
    limit: float
    measured: float | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one case."""

    case: Case
    tables: Sequence[Table]
    verdicts: Sequence[Verdict]
    seconds: float


async def run_case(case: Case, size: Size, rounds: int, say: Say) -> Outcome:
    """Runs all series of a case.

    Args:
        case: the case.
        size: how large the work is.
        rounds: how many figures each contestant gives.
        say: told where it stands.
    """
    started = perf_counter()
    tables: list[Table] = []
    async with case.prepare(size) as all_series:
        for series in all_series:
            say(f"{case.name}: {series.name}")
            tables.append(await _take_turns(series, rounds))
    return Outcome(case, tables, _verdicts(case, tables, size), perf_counter() - started)


async def _take_turns(series: Series, rounds: int) -> Table:
    rows = [Row(contestant.name) for contestant in series.contestants]
    pairs = list(zip(series.contestants, rows, strict=True))
    for turn in range(rounds):
        first = turn % len(pairs)
        for contestant, row in pairs[first:] + pairs[:first]:
            if row.failure:
                continue
            _tidy()
            try:
                row.rounds.append(await contestant.measure())
            except Exception as error:  # noqa: BLE001 (a peer that breaks must not hide what the others did)
                row.failure = f"{type(error).__name__}: {error}"
    return Table(series, rows)


def _tidy() -> None:
    """Nobody pays for what others left behind, nor for what is there before the work begins.

    What is there is frozen, as programs of Aura that stay open do it, and as it is for every contestant.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _verdicts(case: Case, tables: Sequence[Table], size: Size) -> list[Verdict]:
    figures: Figures = {
        (table.series.name, row.name): row.median for table in tables for row in table.rows if row.median is not None
    }
    verdicts: list[Verdict] = []
    for target in case.targets:
        try:
            value = target.measured(figures)
        except KeyError:
            verdicts.append(Verdict(target.text, target.limit, None, None))
            continue
        met = target.is_met(value) if size.factor >= 1 else None
        verdicts.append(Verdict(target.text, target.limit, value, met))
    return verdicts
