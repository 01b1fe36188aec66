"""The marks in front of lines, as far as a terminal can show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signs:
    """The marks in front of lines; a terminal without UTF-8 gets plain ones."""

    states: dict[str, tuple[str, str]]
    spinner: str
    prompt: str
    ellipsis: str
    file: str
    dot: str


UNICODE = Signs(
    states={
        "drafted": ("○", "dim"),
        "pending": ("○", "dim"),
        "running": ("•", "cyan"),
        "waiting": ("?", "yellow"),
        "ok": ("✓", "green"),
        "partial": ("✓", "yellow"),
        "error": ("✗", "red"),
        "blocked": ("⊘", "red"),
        "needs_input": ("?", "yellow"),
        "cancelled": ("■", "yellow"),
    },
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    prompt="›",
    ellipsis="…",
    file="→",
    dot="·",
)
ASCII = Signs(
    states={
        "drafted": (".", "dim"),
        "pending": (".", "dim"),
        "running": ("*", "cyan"),
        "waiting": ("?", "yellow"),
        "ok": ("+", "green"),
        "partial": ("+", "yellow"),
        "error": ("x", "red"),
        "blocked": ("-", "red"),
        "needs_input": ("?", "yellow"),
        "cancelled": ("#", "yellow"),
    },
    spinner="|/-\\",
    prompt=">",
    ellipsis="...",
    file="->",
    dot="-",
)


def signs_for(encoding: str | None) -> Signs:
    """The marks that a terminal of this encoding can show."""
    return UNICODE if (encoding or "").lower().replace("-", "").startswith("utf") else ASCII
