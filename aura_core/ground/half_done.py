"""Half done: what a task did before it failed, in words, so that nobody does it twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_MOST = 5
"""Different things that are named; of more only the number is told."""


def with_done(message: str, done: Sequence[str]) -> str:
    """A message about a failure, with what was done before that and stays done.

    Args:
        message: what went wrong.
        done: what was done, in order; one thing that was done several times stands there several times.
    """
    if not done:
        return message
    counted = [name if times == 1 else f"{name} {times} times" for name, times in Counter(done).items()]
    more = f" and {len(counted) - _MOST} more" if len(counted) > _MOST else ""
    end = "" if message.endswith((".", "!", "?", "。")) else "."
    return f"{message}{end} Done before that, and not undone: {', '.join(counted[:_MOST])}{more}."
