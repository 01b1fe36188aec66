"""How problems are shown: as compilers and editors show them, each with its line of the source and a caret below."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from aura_core.errors import Problem

MOST_COLUMNS = 120
"""Columns of the source that are shown of one line."""
TAB = 4
"""Columns to which tabs are drawn."""
MOST_TOLD = 5
"""Problems that are told to whoever did not ask for them."""
_BEFORE = 60
_JOINER = "\u200d"
_YAML_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CODE_BREAK = re.compile("\r\n|[\n\r]")
_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff")

Part = tuple[str, str]
"""A piece of what is shown: its text behind its kind (place, error, warning, message, inside, margin, source, …)."""


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Problems by file, line and column; the same problem only once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.path, problem.line, problem.column))


def shown(problems: Iterable[Problem]) -> Iterator[tuple[Problem, list[Part]]]:
    """Problems in order, each with the pieces of what is shown; every file is read once.

    Args:
        problems: what is wrong.
    """
    here = Path.cwd()
    for path, group in groupby(ordered(problems), key=lambda problem: problem.path):
        its = list(group)
        rows = _rows(Path(path)) if any(problem.line for problem in its) else []
        for problem in its:
            yield problem, parts_of(problem, rows, near(path, here))


def in_short(problems: Sequence[Problem]) -> list[str]:
    """The first problems in one line each, and how many more there are: for whoever did not ask for them."""
    here = Path.cwd()
    lines = [_in_short(problem, here) for problem in ordered(problems)[:MOST_TOLD]]
    more = len(set(problems)) - MOST_TOLD
    return [*lines, f"{more} more mistakes; `aura check` shows all of them"] if more > 0 else lines


def _in_short(problem: Problem, here: Path) -> str:
    text = f"{_place(problem, near(problem.path, here))}: error: {problem.message}"
    return _plain(f"{text} ({problem.hint})" if problem.hint else text)


def _place(problem: Problem, path: str) -> str:
    return ":".join(str(part) for part in (path, problem.line, problem.column) if part)


def near(path: str, here: Path) -> str:
    """A path as short as a terminal still finds it: relative to `here` if it is below."""
    try:
        return str(Path(path).relative_to(here))
    except ValueError:
        return path


def parts_of(problem: Problem, rows: Sequence[str], path: str) -> list[Part]:
    """The pieces of one problem.

    Args:
        problem: what is wrong.
        rows: the lines of its file.
        path: how its file is named.
    """
    parts = [
        ("place", f"{_plain(_place(problem, path))}: "),
        (problem.severity, f"{problem.severity}: "),
        ("message", _plain(problem.message)),
    ]
    step = problem.step if "[" in problem.step else problem.step and f"step {problem.step}"
    inside = ", ".join(part for part in (problem.task, step) if part)
    if inside:
        parts.append(("inside", f" [{_plain(inside)}]"))
    margin = " " * (len(str(problem.line)) + 3)
    if 0 < problem.line <= len(rows):
        source, columns = drawn(rows[problem.line - 1], problem.column)
        parts += [("margin", f"\n {problem.line} | "), ("source", source)]
        if problem.column:
            parts += [("margin", f"\n{margin[:-1]}| "), ("caret", " " * columns + "^")]
    if problem.hint:
        parts += [("margin", f"\n{margin[:-1]}= "), ("hint", f"help: {_plain(problem.hint)}")]
    return parts


def drawn(row: str, column: int) -> tuple[str, int]:
    """A line as it is drawn, and how many columns of the screen stand before a character of it.

    Args:
        row: the line, with tabs, wide and combining characters as they are.
        column: the character that is meant, counted from 1; one past the end is the end.
    """
    at = max(0, min(column - 1, len(row)))
    start = at
    room = _BEFORE
    while start and (room := room - _width(row[start - 1], 0)) > 0:
        start -= 1
    if _columns(row) <= MOST_COLUMNS or _columns(row[:at]) <= _BEFORE:
        start = 0
    text = "" if start == 0 else "…"
    before, used = 0, len(text)
    for index in range(start, len(row)):
        if index == at:
            before = used
        piece = _cell(row[index], used)
        width = _columns(piece)
        if used + width > MOST_COLUMNS:
            text += "…"
            break
        text += piece
        used += width
    return text.rstrip(), before if at < len(row) else used


def _columns(text: str) -> int:
    total = 0
    for character in text:
        total += _width(character, total)
    return total


def _width(character: str, column: int) -> int:
    if character == "\t":
        return TAB - column % TAB
    if " " <= character <= "~":
        return 1
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _cell(character: str, column: int) -> str:
    return " " * _width(character, column) if character == "\t" else _plain(character)


def _plain(text: str) -> str:
    """Text that cannot steer a terminal: control characters, and marks that turn the direction, as a sign."""
    if text.isprintable():
        return text
    return "".join(" " if sign.isspace() else "\ufffd" if _steers(sign) else sign for sign in text)


def _steers(character: str) -> bool:
    return character != _JOINER and unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def _rows(path: Path) -> list[str]:
    """The lines of a file, as its reader counted them; none if it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    if data.startswith(_WIDE_TEXT):
        return []
    breaks = _CODE_BREAK if path.suffix == ".py" else _YAML_BREAK
    return breaks.split(data.decode("utf-8-sig", "replace"))
