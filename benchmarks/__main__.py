"""The command line: `python -m benchmarks [--case NAME]… [--json] [--strict]`, what `make bench` runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from benchmarks import machine, report
from benchmarks.case import AURA, Case, Size
from benchmarks.cases import CASES
from benchmarks.peers import missing
from benchmarks.runner import Outcome, run_case

ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the cases that were asked for and prints what came out.

    Args:
        arguments: of the command line; `sys.argv` if left out.

    Returns:
        The exit code: 1 when Aura failed at a case, and with `--strict` when a target was missed; 2 for an unknown
        case; else 0.
    """
    options = _parser().parse_args(arguments)
    if options.list:
        _print("\n".join(f"{case.name:<14}{case.title}" for case in CASES.values()))
        return 0
    unknown = [name for name in options.case if name not in CASES]
    if unknown:
        _print(f"There is no case {unknown[0]!r}; there are: {', '.join(CASES)}.", error=True)
        return 2
    chosen = [CASES[name] for name in options.case] or list(CASES.values())
    outcomes = asyncio.run(_run(chosen, options))
    missed = any(verdict.met is False for outcome in outcomes for verdict in outcome.verdicts)
    return 1 if (options.strict and missed) or any(map(_failed, outcomes)) else 0


def _failed(outcome: Outcome) -> bool:
    rows = (row for table in outcome.tables for row in table.rows)
    return any(row.failure for row in rows if row.name.startswith(AURA))


async def _run(cases: Sequence[Case], options: argparse.Namespace) -> list[Outcome]:
    here, found = machine.describe(), machine.versions()
    taken = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    rounds: int = options.rounds
    size = Size(options.size)
    if not options.json:
        _print(report.header(here, found, missing(), taken, rounds))
    outcomes: list[Outcome] = []
    for case in cases:
        outcome = await run_case(case, size, rounds, _progress)
        outcomes.append(outcome)
        if not options.json:
            _progress("")
            _print(report.text(outcome))
    _progress("")
    if options.json:
        how = {"taken": taken, "rounds": rounds, "size": size.factor, "missing": missing()}
        document = report.document(here, found, outcomes, **how)
        _print(json.dumps(document, ensure_ascii=False))
    else:
        _print(report.summary(outcomes))
    return outcomes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Aura side by side with its peers.")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this case; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--rounds", type=_positive, default=ROUNDS, metavar="N", help=f"{ROUNDS} if left out")
    parser.add_argument("--size", type=_size, default=1.0, metavar="X", help="0.01 to 1: less work for a quick look")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _size(word: str) -> float:
    factor = float(word)
    if not 0 < factor <= 1:
        raise argparse.ArgumentTypeError("above 0, at most 1")
    return factor


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()


def _print(line: str, *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.exit(main())
