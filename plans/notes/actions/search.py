"""Which notes a few words mean: case, accents, endings and small typing errors do not matter."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from typing import Any

LONGEST_ENDING = 3
SHORT_STEM = 3
SHORTEST_TYPO = 5
TYPO_LIKENESS = 0.8
HALF = 0.5
_FILLERS = frozenset(
    {"a", "an", "the", "my", "of", "on", "in", "at", "to", "for", "and", "or", "about", "with", "is", "are"}
    | {"note", "notes", "that", "what"}
)


def words(text: str) -> list[str]:
    """The words of a text in small letters, without accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", plain)


def alike(first: str, second: str) -> bool:
    """Whether two words are equal, forms of one word (“plumber”, “plumbers”), or one a typing error for the other."""
    if first == second:
        return True
    shorter, longer = sorted((first, second), key=len)
    stem = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(shorter))
    ending = LONGEST_ENDING if stem > SHORT_STEM else stem - 2
    if len(longer) - stem <= ending and len(shorter) - stem <= (stem - 2) // 2:
        return True
    if len(shorter) < SHORTEST_TYPO or len(longer) - len(shorter) > 1:
        return False
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= TYPO_LIKENESS


def matching(notes: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """The notes that fit the query.

    Args:
        notes: each with its `text`.
        query: a few words; text of a language without spaces is looked for as a whole.

    Returns:
        Notes with all of the words; if there is none, those with most of them, at least half. Order is kept.
    """
    asked = words(query)
    wanted = [word for word in asked if word not in _FILLERS] or asked
    if not wanted:
        return []
    shares = [(_share(wanted, words(note["text"])), note) for note in notes]
    needed = max(HALF, max((share for share, _ in shares), default=0.0))
    return [note for share, note in shares if share >= needed]


def _share(wanted: list[str], present: list[str]) -> float:
    return sum(any(_fits(word, other) for other in present) for word in wanted) / len(wanted)


def _fits(word: str, other: str) -> bool:
    """Scripts without capital letters (Chinese, Japanese, Thai …) put no spaces between words."""
    return alike(word, other) or (word.upper() == word.lower() and not word.isdecimal() and word in other)
