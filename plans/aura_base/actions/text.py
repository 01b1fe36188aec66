"""Small operations on text, for task authors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aura_core.api import ActionError, action

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
MAX_CHARS = 1_000_000


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARS:
        raise ActionError(f"The text would have {len(text):,} characters; at most {MAX_CHARS:,} are made.")
    return text


@action("text.upper", inline=True)
def upper(text: str) -> str:
    """The text in capital letters."""
    return text.upper()


@action("text.lower", inline=True)
def lower(text: str) -> str:
    """The text in small letters."""
    return text.lower()


@action("text.strip", inline=True)
def strip(text: str) -> str:
    """The text without white space at both ends."""
    return text.strip()


@action("text.replace", inline=True)
def replace(text: str, old: str, new: str = "", count: int = -1) -> str:
    """The text with `old` replaced by `new`.

    Args:
        text: where to look.
        old: plain text, not a pattern.
        new: what stands there afterwards.
        count: how often at most; -1 is everywhere.
    """
    if not old:
        raise ActionError("text.replace needs `old`, the text to look for; it is empty.")
    _ = _bounded(text)
    grown = text.count(old) * (len(new) - len(old)) + len(text) if count < 0 else len(text) + count * len(new)
    if grown > MAX_CHARS:
        raise ActionError(f"The text would have {grown:,} characters; at most {MAX_CHARS:,} are made.")
    return text.replace(old, new, count)


@action("text.split", inline=True)
def split(text: str, separator: str | None = None, limit: int = -1) -> list[str]:
    """The parts of the text.

    Args:
        text: what is cut.
        separator: cut there; left out: at any white space.
        limit: how many cuts at most; -1 is all.
    """
    if not separator:
        return text.split(None, limit)
    return text.split(separator, limit)


@action("text.lines", inline=True)
def lines(text: str) -> list[str]:
    """The lines of the text that hold something, without white space at both ends."""
    return [line.strip() for line in text.splitlines() if line.strip()]


@action("text.join", inline=True)
def join(parts: list[Any], separator: str = "\n") -> str:
    """The parts as one text.

    Args:
        parts: values; what is not text is written as text.
        separator: what stands between two of them.
    """
    return _bounded(separator.join(str(part) for part in parts))


@action("text.slice", inline=True)
def slice_text(text: str, start: int = 0, end: int | None = None) -> str:
    """The characters from `start` up to and without `end`; negative numbers count from the end."""
    return text[start:end]


@action("text.shorten", inline=True)
def shorten(text: str, length: int = 200) -> str:
    """At most `length` characters, cut between words and ended with “…”."""
    if len(text) <= length:
        return text
    if length < 1:
        return ""
    cut = text[: length - 1]
    head, _, _ = cut.rpartition(" ")
    return f"{(head if len(head) > length // 2 else cut).rstrip()}…"


@action("text.count", inline=True)
def count(text: str) -> dict[str, int]:
    """Counts `{words, characters, lines}`; a word is letters or digits, with - or ' inside."""
    return {
        "words": sum(1 for _ in _WORD.finditer(text)),
        "characters": len(text),
        "lines": len(text.splitlines()),
    }


@action("text.fill", inline=True)
def fill(template: str, values: dict[str, Any]) -> str:
    """Puts values into the places of a text that was not written by the task's author.

    Only `{name}` is understood, and `{{` and `}}` for plain braces: no expressions, so the text may come from a file.

    Args:
        template: e.g. "Dear {name}".
        values: what stands for each name.

    Raises:
        ActionError: a place has no value.
    """
    return _bounded(_PLACEHOLDER.sub(lambda match: _filled(match, values), template))


def _filled(match: re.Match[str], values: Mapping[str, Any]) -> str:
    name = match[1]
    if name is None:
        return match[0][0]
    if name.strip() not in values:
        known = ", ".join(sorted(values)) or "none"
        raise ActionError(f"text.fill: the place {{{name}}} has no value; values given: {known}.")
    return str(values[name.strip()])
