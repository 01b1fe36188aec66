"""The nearest name that exists, for every "did you mean …?" of the core."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_LISTED = 10
"""Longer lists of names are cut: an error must stay readable."""
MOST_COMPARED = 500
"""Of more names, only the likeliest are compared: by the first letter, then by the length."""


def nearest(name: str, existing: Iterable[str]) -> str | None:
    """The name most like `name`, case aside; None if none is near.

    Args:
        name: what was written.
        existing: what could have been written.
    """
    by_lower = {candidate.lower(): candidate for candidate in existing}
    if len(by_lower) > MOST_COMPARED:
        alike = sorted(
            by_lower, key=lambda candidate: (candidate[:1] != name[:1].lower(), abs(len(candidate) - len(name)))
        )
        by_lower = {candidate: by_lower[candidate] for candidate in alike[:MOST_COMPARED]}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def hint(name: str, existing: Iterable[str], *, what: str = "known") -> str:
    """`did you mean 'x'?`, or if nothing is near, what there is; empty if there is nothing at all.

    Args:
        name: what was written.
        existing: what could have been written.
        what: how a list of the existing names begins, e.g. "known actions".
    """
    names = sorted(set(existing))
    near = nearest(name, names)
    if near is not None:
        return f"did you mean {near!r}?"
    if not names:
        return ""
    rest = "" if len(names) <= MOST_LISTED else f" and {len(names) - MOST_LISTED} more"
    return f"{what}: {', '.join(names[:MOST_LISTED])}{rest}"


def sentence(statement: str, advice: str, otherwise: str = "") -> str:
    """A statement and what `hint` advises, ending in one mark.

    Args:
        statement: what is wrong, without a mark at its end.
        advice: from `hint`; may be empty.
        otherwise: said in place of an empty advice.
    """
    text = "; ".join(part for part in (statement, advice or otherwise) if part)
    return text if text.endswith("?") else f"{text}."
