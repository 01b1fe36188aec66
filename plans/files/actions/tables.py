"""Tables as text: reading and writing CSV, TSV, JSON, JSON Lines and Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from aura_core.api import ActionError, parse_json

from .markdown import read_rows, write_rows

MAX_COLUMNS = 1_000
_SAMPLE = 20_000
_SEPARATORS = ",;\t|"
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d+)?(?:e[-+]\d+)?")
_CONSTANTS = {"true": True, "false": False}
_HINT = re.compile(r"\s*\"?sep=(.)\"?[ \t]*(?:\r\n|\r|\n|$)", re.IGNORECASE)
"""The first line by which Excel is told the separator."""

csv.field_size_limit(2**31 - 1)  # a cell may be as long as the file; how much of that is read is decided before


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, and rows of JSON values, each as long as there are columns."""

    columns: list[str]
    rows: list[list[Any]]


# --- values and cells ------------------------------------------------------------------------------------------


def value_of(cell: str) -> Any:
    """The JSON value of a cell: a number, true or false only if writing it gives the very same cell again."""
    if _INTEGER.fullmatch(cell) and cell != "-0":
        return int(cell)
    if _DECIMAL.fullmatch(cell) and repr(float(cell)) == cell:
        return float(cell)
    return _CONSTANTS.get(cell, cell)


def cell_of(value: Any) -> str:
    """A JSON value as the text of a cell; lists and objects as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(header: list[str], rows: list[list[str]]) -> Table:
    """A table of cells: names for columns without one, short rows filled up, empty cells as empty text."""
    width = max([len(header), *map(len, rows)], default=0)
    if width > MAX_COLUMNS:
        raise ActionError(f"The table has {width:,} columns; at most {MAX_COLUMNS:,} are converted.")
    columns: list[str] = []
    for index in range(width):
        name = header[index] if index < len(header) and header[index].strip() else f"column {index + 1}"
        columns.append(name if name not in columns else _unused(name, columns))
    return Table(columns, [[*map(value_of, row), *[""] * (width - len(row))] for row in rows])


def _unused(name: str, taken: list[str]) -> str:
    return next(other for number in range(2, len(taken) + 3) if (other := f"{name} {number}") not in taken)


# --- reading ---------------------------------------------------------------------------------------------------


def read_csv(text: str) -> Table:
    """A table with a line of column names first; the separator (comma, semicolon, tab or bar) is found out.

    A line `sep=;` before it, which Excel reads and writes, names the separator and is no part of the table.

    Raises:
        ActionError: a line cannot be read; says which one.
    """
    text = text.removeprefix("\ufeff")
    named = _HINT.match(text)
    if named and named[1] not in '"\r\n':
        return _read_separated(text[named.end() :], named[1])
    return _read_separated(text, _separator(text))


def read_tsv(text: str) -> Table:
    """The same with tabs."""
    return _read_separated(text, "\t")


def _separator(text: str) -> str:
    """The separator that cuts the first lines into the most cells, the same number in each; a comma if none does."""
    best, most = ",", 1
    for separator in _SEPARATORS:
        lines = csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=separator)
        try:
            widths = [len(line) for line in islice(lines, 10) if line]
        except csv.Error:
            continue
        if len(text) > _SAMPLE and len(widths) > 1:
            widths.pop()
        if widths and min(widths) == max(widths) > most:
            best, most = separator, widths[0]
    return best


def _read_separated(text: str, separator: str) -> Table:
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=True)
    try:
        rows = [line for line in lines if line]
    except csv.Error as error:
        raise ActionError(f"Line {lines.line_num} cannot be read as CSV: {error}.") from None
    if not rows:
        raise ActionError("The file holds no table: it is empty.")
    return _table([name.strip() for name in rows[0]], rows[1:])


def read_json(text: str) -> Table:
    """A list of objects, of lists (the first one names the columns) or of values; or an object with one such list.

    Raises:
        ActionError: it is not JSON, or holds no table.
    """
    try:
        value = parse_json(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise ActionError(f"The file is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    if isinstance(value, dict):
        parts = cast("dict[str, Any]", value)
        lists = [cast("list[Any]", part) for part in parts.values() if isinstance(part, list)]
        return _from_list(lists[0] if len(lists) == 1 else [parts])
    if not isinstance(value, list):
        raise ActionError("The JSON is a single value; a table is a list of objects.")
    return _from_list(cast("list[Any]", value))


def read_jsonl(text: str) -> Table:
    """One JSON value a line.

    Raises:
        ActionError: a line is not JSON; says which one.
    """
    values: list[Any] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if line.strip():
            try:
                values.append(parse_json(line))
            except json.JSONDecodeError as error:
                raise ActionError(f"Line {number} is not JSON: {error.msg} at column {error.colno}.") from None
    return _from_list(values)


def _from_list(items: list[Any]) -> Table:
    if not items:
        raise ActionError("The file holds no table: the list is empty.")
    if all(isinstance(item, dict) for item in items):
        records = cast("list[dict[str, Any]]", items)
        columns = list(dict.fromkeys(key for record in records for key in record))
        if len(columns) > MAX_COLUMNS:
            raise ActionError(f"The table has {len(columns):,} columns; at most {MAX_COLUMNS:,} are converted.")
        return Table(columns, [[record.get(column) for column in columns] for record in records])
    if all(isinstance(item, list) for item in items):
        lists = cast("list[list[Any]]", items)
        return _table([cell_of(value) for value in lists[0]], [[cell_of(value) for value in row] for row in lists[1:]])
    return Table(["value"], [[item] for item in items])


def read_markdown(text: str) -> Table:
    """The first table of a Markdown text.

    Raises:
        ActionError: there is none.
    """
    header, *rows = read_rows(text)
    return _table(header, rows)


# --- writing ---------------------------------------------------------------------------------------------------


def write_csv(table: Table) -> str:
    """Comma-separated, quoted where needed."""
    return _write_separated(table, ",")


def write_tsv(table: Table) -> str:
    """Separated by tabs."""
    return _write_separated(table, "\t")


def _write_separated(table: Table, separator: str) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([cell_of(value) for value in row] for row in table.rows)
    return out.getvalue()


def write_json(table: Table) -> str:
    """A list with one object a row."""
    records = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return f"{json.dumps(records, ensure_ascii=False, indent=2)}\n"


def write_jsonl(table: Table) -> str:
    """One object a line."""
    records = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)


def write_markdown(table: Table) -> str:
    """A Markdown table."""
    return write_rows([table.columns, *([cell_of(value) for value in row] for row in table.rows)])


READERS: dict[str, Callable[[str], Table]] = {
    "csv": read_csv,
    "tsv": read_tsv,
    "json": read_json,
    "jsonl": read_jsonl,
    "markdown": read_markdown,
}
WRITERS: dict[str, Callable[[Table], str]] = {
    "csv": write_csv,
    "tsv": write_tsv,
    "json": write_json,
    "jsonl": write_jsonl,
    "markdown": write_markdown,
}
