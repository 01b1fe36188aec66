"""Short-lists the catalogue by the words of a request, once it is larger than a model should read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.contracts import TaskCard

_WORD = re.compile(r"[^\W\d_]{2,}|[\u3040-\u30ff\u3400-\u9fff]{2}")
STEM = 6
"""Letters of a word that count, so that "translate" meets "translation"."""
HEAD_WEIGHT = 2
"""How often a task's name, title and command count, beside its description once."""


def shortlist(cards: Sequence[TaskCard], request: str, limit: int) -> list[TaskCard]:
    """The `limit` tasks that have most in common with the request, by BM25, in the catalogue's own order.

    Args:
        cards: the catalogue.
        request: the person's words, and whatever else says what is wanted.
        limit: how many may stay; all of them if there are no more.
    """
    if len(cards) <= limit:
        return list(cards)
    from rank_bm25 import BM25Plus  # noqa: PLC0415 (it brings numpy; most catalogues are short)

    index = BM25Plus([_words(_described(card)) for card in cards])
    scores: Sequence[float] = index.get_scores(_words(request))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportAssignmentType] (rank_bm25 has no types)
    best = sorted(range(len(cards)), key=lambda place: -float(scores[place]))[:limit]
    return [cards[place] for place in sorted(best)]


def _described(card: TaskCard) -> str:
    head = " ".join([card.task.replace("/", " ").replace("_", " "), card.title, card.command or ""])
    inputs = [f"{name} {schema.get('description', '')}" for name, schema in card.properties.items()]
    return " ".join([*[head] * HEAD_WEIGHT, card.description, *inputs])


def _words(text: str) -> list[str]:
    return [word[:STEM] for word in _WORD.findall(text.casefold())]
