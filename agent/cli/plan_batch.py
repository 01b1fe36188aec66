"""`aura plan --batch`: many requests in one process, a line of JSON for each; what fails in one stops no other."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.channels.terminal.controls import escaped
from agent.cli.invocation import remark
from agent.cli.plan_files import BatchLine, read_batch, read_catalogue
from agent.errors import InputFileError
from agent.llm.token_count import TokenCount

if TYPE_CHECKING:
    from collections.abc import Generator

    from agent.contracts import Plan, TaskCard
    from agent.planner import PlannerConfig

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Batch:
    """What every line of a batch shares.

    Attributes:
        name: the file, or `-` for standard input.
        config: makes what a plan depends on, anew for each line, with the line's own meter.
        meter: a meter that has counted nothing.
    """

    name: str
    config: Callable[[TokenCount], PlannerConfig]
    meter: Callable[[], TokenCount]


async def plan_batch(batch: Batch) -> int:
    """Plans every line and writes one line for each: id, request, plan or error, seconds, tokens, repairs.

    Returns:
        0 once the last line is read; what could not be planned is counted on standard error.

    Raises:
        InputFileError: the file cannot be read.
    """
    failed = done = 0
    catalogues: dict[str, list[TaskCard]] = {}
    with _lines(batch.name) as lines:
        for line in read_batch(lines):
            record = await _record(batch, line, catalogues)
            sys.stdout.write(_one_line(record))
            sys.stdout.flush()
            done += 1
            failed += "error" in record
    if failed:
        remark(f"{failed} of {done} requests could not be planned; `error` says why.", style="yellow")
    return 0


async def _record(batch: Batch, line: BatchLine, catalogues: dict[str, list[TaskCard]]) -> dict[str, Any]:
    """What is written for one line."""
    from aura_core.errors import AuraError
    from aura_core.ground.logger import get_logger
    from aura_core.ground.reasons import reason_of, text_of

    meter = batch.meter()
    made: dict[str, Any]
    repairs: list[str] = []
    started = time.perf_counter()
    try:
        plan = await _plan(batch, line, meter, catalogues)
    except AuraError as error:
        made = {"error": f"line {line.number}: {text_of(error)}"}
    except Exception as error:  # noqa: BLE001 (one request must not take the others with it; it is logged and told)
        get_logger("agent.cli").error("a request broke the planner", line=line.number, exc_info=error)
        made = {"error": f"line {line.number}: {reason_of(error)}"}
    else:
        made = {"plan": plan.model_dump(mode="json")}
        repairs = plan.repairs
    return {
        "id": line.id,
        "line": line.number,
        "request": line.request,
        **made,
        "seconds": round(time.perf_counter() - started, 3),
        "tokens": {"read": meter.read, "written": meter.written},
        "repairs": repairs,
    }


async def _plan(batch: Batch, line: BatchLine, meter: TokenCount, catalogues: dict[str, list[TaskCard]]) -> Plan:
    """The plan of one line.

    Raises:
        AuraError: the line is none, or it cannot be planned.
    """
    from agent.channels.terminal.words import clean_request
    from agent.planner import plan_steps

    if line.problem:
        raise InputFileError(line.problem)
    config = replace(batch.config(meter), files=line.files)
    if line.catalogue is not None:
        config = replace(config, catalogue=_own_catalogue(line.catalogue, catalogues))
    return await plan_steps(config, clean_request(line.request), line.context)


def _own_catalogue(named: object, known: dict[str, list[TaskCard]]) -> list[TaskCard]:
    """The tasks of one line's own tool list; a file is read once for the whole batch."""
    from agent.tool_lists import cards_from

    if not isinstance(named, str):
        return cards_from(named)[0]
    if named not in known:
        known[named] = read_catalogue(Path(named))[0]
    return known[named]


@contextmanager
def _lines(name: str) -> Generator[Iterable[str]]:
    if name == STANDARD_INPUT:
        yield (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        return
    try:
        file = Path(name).open(encoding="utf-8", errors="replace")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise InputFileError(f"{name} cannot be read: {error.strerror}.") from error
    with file:
        yield file


def _one_line(record: dict[str, Any]) -> str:
    encoding = (sys.stdout.encoding or "ascii").lower()
    return escaped(json.dumps(record, ensure_ascii=not encoding.startswith("utf"), default=str)) + "\n"
