"""Controls: what people, models, plans and web pages wrote must not steer the terminal."""

from __future__ import annotations

_CONTROLS = dict.fromkeys(
    set(range(32)) - {9, 10}
    | set(range(127, 160))
    | {0x200E, 0x200F}
    | set(range(0x202A, 0x202F))
    | set(range(0x2066, 0x206A))
)
"""Characters that move the cursor, colour the screen or turn the direction of writing round."""


def printable(text: str) -> str:
    """Text without control characters, apart from line breaks and tabs."""
    return text.translate(_CONTROLS)


def escaped(document: str) -> str:
    """A JSON document with control characters as escapes: it says the same."""
    return document.translate({code: f"\\u{code:04x}" for code in _CONTROLS})


def one_line(text: str) -> str:
    """Text for a row of a table or a remark: printable, and line breaks are spaces."""
    return printable(" ".join(text.split()))
