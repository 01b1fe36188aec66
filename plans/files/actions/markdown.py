"""Markdown tables: written so that any table comes back unchanged, read as Markdown means them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape

from aura_core.api import ActionError

_RULE = re.compile(r":?-+:?")
_CELL = re.compile(r"(?:[^\\|]+|\\.?)*", re.DOTALL)
_BLANK = " \t"
_MEANT = re.compile(r"\\([!-/:-@\[-`{-~])|<br ?/?>|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});")
"""What stands for something else in a cell: an escaped mark, a line break, a character reference."""
_ESCAPED = re.compile(r"[\\|]|<(?=br ?/?>)|&(?=#?\w{1,32};)")
_EDGE = re.compile(r"^[ \t]|[ \t]$")
_NEW_LINE = re.compile(r"\r\n|\r|\n")


def read_rows(text: str) -> list[list[str]]:
    """The rows of the first table of a Markdown text, its names first.

    Raises:
        ActionError: there is none.
    """
    lines = text.split("\n")
    for index in range(1, len(lines)):
        if "|" in lines[index - 1] and _is_rule(lines[index]):
            return [_cells(lines[index - 1]), *_rows(lines[index + 1 :])]
    raise ActionError("The text holds no Markdown table (a line of names, then a line such as | --- | --- |).")


def write_rows(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its names in the first row; what Markdown would take for something else is escaped."""
    first, *others = [[_written(cell) for cell in row] for row in rows]
    lines = [first, ["---"] * len(first), *others]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _is_rule(line: str) -> bool:
    return "-" in line and all(_RULE.fullmatch(part.strip(_BLANK)) for part in _parts(line))


def _rows(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        if "|" not in line:
            return
        yield _cells(line)


def _cells(line: str) -> list[str]:
    return [_MEANT.sub(_meaning, part.strip(_BLANK)) for part in _parts(line)]


def _parts(line: str) -> list[str]:
    """What stands between the bars of a line; the bars at its ends may be left out."""
    inner = line.strip(_BLANK + "\r").removeprefix("|")
    parts: list[str] = []
    start = 0
    while True:
        found = _CELL.match(inner, start)
        end = found.end() if found else start
        parts.append(inner[start:end])
        if end >= len(inner):
            break
        start = end + 1
    return parts[:-1] if len(parts) > 1 and not parts[-1] else parts


def _meaning(found: re.Match[str]) -> str:
    word = found[0]
    return found[1] or ("\n" if word.startswith("<") else unescape(word))


def _written(cell: str) -> str:
    """A cell as one line: marks escaped, line ends as <br>, blanks at its ends as character references."""
    escaped = _ESCAPED.sub(lambda found: f"\\{found[0]}", cell)
    edged = _EDGE.sub(lambda found: f"&#{ord(found[0])};", escaped)
    return _NEW_LINE.sub(lambda found: "&#13;" * found[0].count("\r") + "<br>" * found[0].count("\n"), edged)
