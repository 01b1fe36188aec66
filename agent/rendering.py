"""A JSON result as text for a person: bullets, small tables, `name: value` lines; never raw JSON.

A result that has a text `message` or `text` says itself in words, and those are what a person reads.
"""

from __future__ import annotations

from typing import Any, cast

MAX_CHARACTERS = 4000
MAX_ROWS = 30
MAX_DEPTH = 3
OWN_WORDS = ("message", "text")
"""Fields in which a result says itself in words, the better one first."""
TABLE_WIDTH = 76
"""Characters; a wider table is shown as bullets, because phones are narrow."""


def summarize_output(output: Any, *, limit: int = MAX_CHARACTERS) -> str:
    """A person-friendly rendering of a step's result.

    Args:
        output: any JSON value.
        limit: at most so many characters; what is left out is said.
    """
    text = (_own_words(output) or _render(output, 0)).strip()
    if len(text) <= limit:
        return text
    kept = text[:limit].rsplit("\n", 1)[0] if "\n" in text[:limit] else text[:limit]
    return f"{kept.rstrip()}\n… ({len(text) - len(kept)} more characters)"


def says_itself(output: Any) -> bool:
    """Whether a result has words of its own for a person."""
    return bool(_own_words(output))


def _own_words(output: Any) -> str:
    if not isinstance(output, dict):
        return ""
    said = cast("dict[str, Any]", output)
    return next((said[name] for name in OWN_WORDS if isinstance(said.get(name), str) and said[name].strip()), "")


def _render(value: Any, depth: int) -> str:
    if isinstance(value, dict):
        return _mapping(cast("dict[str, Any]", value), depth)
    if isinstance(value, list):
        return _rows(cast("list[Any]", value), depth)
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None or value is True:
        return "done"
    if value is False:
        return "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else _scalar(value)


def _mapping(value: dict[str, Any], depth: int) -> str:
    shown = {name: part for name, part in value.items() if part is not None and part not in ("", [])}
    if len(shown) == 1 and len(value) == 1:
        return _render(next(iter(shown.values())), depth)
    if not shown:
        return "nothing"
    return "\n".join(_entry(name, part, depth) for name, part in shown.items())


def _entry(name: str, value: Any, depth: int) -> str:
    label = name.replace("_", " ")
    if not isinstance(value, dict | list):
        text = _cell(value)
        return f"{label}:\n{text}" if "\n" in text else f"{label}: {text}"
    if depth >= MAX_DEPTH:
        return f"{label}: {_size(cast('dict[str, Any] | list[Any]', value))}"
    return f"{label}:\n{_indented(_render(value, depth + 1))}"


def _rows(rows: list[Any], depth: int) -> str:
    if not rows:
        return "nothing"
    if depth >= MAX_DEPTH:
        return _size(rows)
    shown = rows[:MAX_ROWS]
    text = _table(shown) or "\n".join(f"- {_bullet(row, depth)}" for row in shown)
    return f"{text}\n… and {len(rows) - len(shown)} more" if len(rows) > len(shown) else text


def _bullet(row: Any, depth: int) -> str:
    if isinstance(row, dict):
        parts = {name: part for name, part in cast("dict[str, Any]", row).items() if part is not None and part != ""}
        if all(not isinstance(part, dict | list) for part in parts.values()):
            if len(parts) == 1:
                return _cell(next(iter(parts.values())))
            return "; ".join(f"{name.replace('_', ' ')}: {_cell(part)}" for name, part in parts.items())
    return _indented(_render(row, depth + 1)).strip()


def _table(rows: list[Any]) -> str:
    """A Markdown table, or nothing when the rows are not alike, too wide, or hold more than scalars."""
    if len(rows) < 2 or not all(isinstance(row, dict) for row in rows):  # noqa: PLR2004 (one row is no table)
        return ""
    records = cast("list[dict[str, Any]]", rows)
    names = list(records[0])
    if len(names) < 2 or any(list(record) != names for record in records):  # noqa: PLR2004 (nor is one column)
        return ""
    if any(isinstance(part, dict | list) for record in records for part in record.values()):
        return ""
    lines = [[name.replace("_", " ") for name in names]]
    lines += [[_cell(record[name]).replace("|", "\\|") for name in names] for record in records]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    if sum(widths) + 3 * len(widths) > TABLE_WIDTH or any("\n" in cell for line in lines for cell in line):
        return ""
    head, *body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, f"|{'|'.join(' --- ' for _ in names)}|", *body])


def _size(value: dict[str, Any] | list[Any]) -> str:
    return f"({len(value)} entries)"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
