"""Words of a text as a search counts them, in every language: little words left out, endings cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rank_bm25 import BM25Plus

_WIDE = "\u3040-\u30ff\u3400-\u9fff"
_RUN = re.compile(rf"[{_WIDE}]+|[^\W\d_{_WIDE}]+|\d+")
_HUMP = re.compile(r"(?<=[^\W\dA-Z_])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\dA-Z_])")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
LITTLE_LANGUAGES = ("en", "ru", "zh")
WORDS_KEPT = 20_000
"""Words whose stems are remembered."""


def terms(text: str) -> list[str]:
    """The words by which texts are compared.

    `getWeatherForecast` is three words; "погоды" and "погода" are one; Chinese and Japanese, which have no word
    borders, count in pairs of characters.

    Args:
        text: in any language, or names of a program.
    """
    return list(_terms(_HUMP.sub(" ", text)))


def is_little(word: str) -> bool:
    """Whether a word carries no meaning of its own: "the", "и", "的"."""
    return word.casefold() in _little()


def rank(texts: Iterable[str], query: str) -> list[float]:
    """How much each text has in common with a query: BM25, higher is nearer; 0 for all where nothing is shared.

    Args:
        texts: what is searched.
        query: what is wanted.
    """
    bags = [terms(text) for text in texts]
    wanted = terms(query)
    if not wanted or not any(bags):
        return [0.0] * len(bags)
    from rank_bm25 import BM25Plus  # noqa: PLC0415 (it brings numpy; most catalogues are short)

    index: BM25Plus = BM25Plus(bags)
    scores: Sequence[float] = index.get_scores(wanted)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportAssignmentType] (rank_bm25 has no types)
    weights: dict[str, float] = index.idf  # pyright: ignore[reportUnknownMemberType] (rank_bm25 has no types)
    floor = index.delta * sum(weights.get(word) or 0.0 for word in wanted)
    shared = set(wanted)
    return [float(score) - floor if shared & set(bag) else 0.0 for score, bag in zip(scores, bags, strict=True)]


def _terms(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        word = run.casefold()
        if re.match(rf"[{_WIDE}]", word):
            yield from (word[place : place + 2] for place in range(max(1, len(word) - 1)))
        elif not is_little(word):
            yield _stem(word)


@cache
def _little() -> frozenset[str]:
    from stopwordsiso import stopwords  # noqa: PLC0415 (a list of 70 kB)

    return frozenset(stopwords(LITTLE_LANGUAGES))


@lru_cache(maxsize=WORDS_KEPT)
def _stem(word: str) -> str:
    import snowballstemmer  # noqa: PLC0415 (only what is searched needs it)

    language = "russian" if _CYRILLIC.search(word) else "english"
    stemmer = snowballstemmer.stemmer(language)  # pyright: ignore[reportUnknownMemberType] (it has no types)
    return str(stemmer.stemWord(word))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
