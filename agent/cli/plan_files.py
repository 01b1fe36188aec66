"""The files of `aura plan`: a catalogue (a tool list), past plans and a batch of requests (JSON Lines)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agent.errors import InputFileError

if TYPE_CHECKING:
    from agent.contracts import PastPlan, TaskCard


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One request of a batch.

    Attributes:
        number: its line, from 1.
        id: as the file names it; None if it does not.
        request: the person's words.
        context: the conversation before it.
        files: names of files that the person has.
        catalogue: the tool list of this line alone, or the file that holds it; None takes that of the batch.
        problem: why this line cannot be planned; empty if it can.
    """

    number: int
    id: Any = None
    request: str = ""
    context: str = ""
    files: list[str] = field(default_factory=list[str])
    catalogue: object = None
    problem: str = ""


def read_catalogue(path: Path) -> tuple[list[TaskCard], list[str]]:
    """The tasks of a tool list, and a line for each entry that was left out.

    Raises:
        InputFileError: it cannot be read, is no JSON or no tool list.
    """
    from agent.tool_lists import cards_from

    text = _text(path)
    try:
        return cards_from(json.loads(text))
    except json.JSONDecodeError as error:
        raise InputFileError(f"{path} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise InputFileError(f"{path} is nested too deeply to be a tool list.") from error
    except InputFileError as error:
        raise InputFileError(f"{path}: {error}") from error


def read_history(path: Path) -> tuple[list[PastPlan], list[str]]:
    """Past plans, one a line: {"request", "steps": [{"task", "inputs"}]}.

    Returns:
        The plans, and a line for each line of the file that was left out.

    Raises:
        InputFileError: it cannot be read.
    """
    plans: list[PastPlan] = []
    left_out: list[str] = []
    for number, value, problem in _json_lines(_text(path).splitlines()):
        plan = problem or _past_plan(value)
        if isinstance(plan, str):
            left_out.append(f"{path} line {number}: {plan}")
        else:
            plans.append(plan)
    return plans, left_out


def _past_plan(value: dict[str, Any]) -> PastPlan | str:
    from agent.contracts import PastPlan

    request, steps = value.get("request"), value.get("steps")
    if not isinstance(request, str) or not request.strip():
        return "it has no `request`"
    if not isinstance(steps, list) or not steps:
        return "it has no `steps`"
    written: list[dict[str, Any]] = []
    for number, step in enumerate(cast("list[object]", steps), start=1):
        if not isinstance(step, dict):
            return f"step {number} is not an object"
        one = cast("dict[str, Any]", step)
        if not isinstance(one.get("task"), str) or not isinstance(one.setdefault("inputs", {}), dict):
            return f"step {number} has no `task`, or its `inputs` are not an object"
        written.append(one)
    return PastPlan(request=request, steps=written)


def read_batch(lines: Iterable[str]) -> Iterator[BatchLine]:
    """The requests of a batch as they come, one a line: {"id", "request", "context"?, "files"?, "catalogue"?}.

    Args:
        lines: of the file, or of standard input; empty ones are passed over.
    """
    for number, value, problem in _json_lines(lines):
        yield BatchLine(number, problem=problem) if problem else _batch_line(number, value)


def _batch_line(number: int, value: dict[str, Any]) -> BatchLine:
    request, context, files = value.get("request"), value.get("context", ""), value.get("files", [])
    names = cast("list[object]", files) if isinstance(files, list) else [None]
    if not isinstance(request, str):
        problem = "it has no `request`"
    elif not isinstance(context, str):
        problem = "`context` is not a text"
    elif not all(isinstance(name, str) for name in names):
        problem = "`files` is not a list of names"
    else:
        own = [str(name) for name in names]
        return BatchLine(number, value.get("id"), request, context, own, value.get("catalogue"))
    return BatchLine(number, value.get("id"), str(request or ""), problem=problem)


def _json_lines(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any], str]]:
    """(number, object, problem) for every line that is not empty."""
    for number, line in enumerate(lines, start=1):
        words = line.removeprefix("\ufeff").strip()
        if not words:
            continue
        try:
            value: object = json.loads(words)
        except ValueError as error:
            yield number, {}, f"no JSON: {error}"
        except RecursionError:
            yield number, {}, "nested too deeply"
        else:
            fits = isinstance(value, dict)
            yield number, cast("dict[str, Any]", value) if fits else {}, "" if fits else "not an object"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror}.") from error
