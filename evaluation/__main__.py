"""The command line: `python -m evaluation` plans what has no result yet; `… report` writes docs/evaluation.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.planner.config import PARTS as PARTS_OF_AURA
from evaluation import results
from evaluation.cases import PARTS
from evaluation.running import SETS, Wanted, run
from evaluation.systems import AURA, SYSTEMS

STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Plans what has no result yet and prints the tables, or writes the report.

    Args:
        arguments: of the command line; `sys.argv` if left out.

    Returns:
        The exit code: 0, 1 when planning could not go on, 130 when it was stopped; what is planned is kept.
    """
    from agent.errors import AgentError  # noqa: PLC0415 (`--help` needs none of it)
    from evaluation import report  # noqa: PLC0415
    from evaluation.systems.earlier import DriverError  # noqa: PLC0415

    options = _parser().parse_args(arguments)
    folder: Path = options.results
    if options.what == "report":
        for line in report.write(folder):
            _say(line)
        return 0
    wanted = Wanted(
        sets=options.set or SETS,
        part=options.part,
        systems=options.system or ([AURA] if options.without else tuple(SYSTEMS)),
        without=options.without,
        limit=options.limit,
        seed=options.seed,
        history=options.history,
        anew=options.anew,
        folder=folder,
    )
    try:
        asyncio.run(run(wanted, _progress))
    except KeyboardInterrupt:
        _say("Stopped. Run it again to go on.")
        return STOPPED
    except (AgentError, DriverError) as error:
        _say(str(error))
        return 1
    _progress("")
    sys.stdout.write(report.tables(folder))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make eval", description="How good plans are, beside other planners.")
    parser.add_argument("what", nargs="?", choices=("run", "report"), default="run", help="report: docs/evaluation.md")
    parser.add_argument("--system", action="append", choices=tuple(SYSTEMS), help="only this planner; may be repeated")
    parser.add_argument("--set", action="append", choices=SETS, help="only these requests; may be repeated")
    parser.add_argument("--part", choices=PARTS, default="open", help="of our own requests")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=PARTS_OF_AURA,
        metavar="PART",
        help="Aura without a part of itself",
    )
    parser.add_argument("--history", action="store_true", help="show planners the plans of the other requests of a set")
    parser.add_argument("--limit", type=_positive, metavar="N", help="at most so many requests of a set")
    parser.add_argument("--seed", type=int, default=1, help="decides which requests those are")
    parser.add_argument("--anew", action="store_true", help="plan again what has a result")
    parser.add_argument("--results", type=Path, default=results.FOLDER, metavar="FOLDER", help="where results are kept")
    return parser


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line}")
    elif line:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
