"""Quotes: each step names the words of the request that it serves, so code sees what no step serves.

A plan that quotes can be checked in every language without knowing a word of it: what is quoted twice is planned twice,
and what is quoted by nobody was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

from agent.contracts import PlanStep

_WIDE = "\u3040-\u30ff\u3400-\u9fff"
PIECE = re.compile(rf"[{_WIDE}]|[^\W_{_WIDE}]+(?:[._/@:'’-]+[^\W_{_WIDE}]+)*|\S")
"""A word, a name with dots or dashes in it, a Chinese character, or a mark."""
_WORD = re.compile(r"\w")
_PASSAGE = re.compile(
    r"(?<!\w)'([^']+)'(?!\w)|‘([^’]+)’|\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|„([^“”]+)[“”]|「([^」]+)」|『([^』]+)』"
)
_PLAIN = str.maketrans({**dict.fromkeys("’‘", "'"), **dict.fromkeys("“”", '"'), "ё": "е", "Ё": "Е"})
"""Marks and letters that are written in several ways, at the same length."""
_CLOSING = frozenset("?!？！)）”»」』")
LONGEST = 90
"""Pieces of a request up to which a decoder is held to it; the pattern grows with the square of them."""


def quote_pattern(parts: Iterable[str]) -> str | None:
    """A regular expression of everything that can be quoted from texts; None where it would become too large."""
    found = [(part, list(PIECE.finditer(part))) for part in parts]
    if sum(len(pieces) for _, pieces in found) > LONGEST:
        return None
    quotes = dict.fromkeys(quote for part, pieces in found for quote in _quotes(part, pieces))
    return f"^(?:{'|'.join(quotes)})$" if quotes else None


def _quotes(text: str, pieces: Sequence[re.Match[str]]) -> Iterable[str]:
    """For each word of a text, what begins with it and may end behind each piece from there on."""
    for place, match in enumerate(pieces):
        if _WORD.match(match.group()):
            ends = [piece.end() for piece in pieces[place:] if _WORD.match(piece.group()) or piece.group() in _CLOSING]
            rest = "".join(f"(?:{re.escape(text[one:two])}" for one, two in pairwise(ends))
            yield re.escape(match.group()) + rest + ")?" * (len(ends) - 1)


@dataclass(frozen=True)
class Quoted:
    """A request, and where in it the steps' quotes stand.

    Attributes:
        request: the person's words.
        steps: the plan.
    """

    request: str
    steps: Sequence[PlanStep]

    @cached_property
    def spans(self) -> dict[str, tuple[int, int]]:
        """Where the quote of each step stands, by step id; a quote that stands there more often is taken in turn."""
        taken: dict[str, int] = {}
        found: dict[str, tuple[int, int]] = {}
        for step in self.steps:
            place = self.find(step.quote, taken.get(step.quote, 0))
            if place is not None:
                found[step.id] = place
                taken[step.quote] = place[1]
        return found

    def inside(self, step_id: str, other_id: str) -> bool:
        """Whether a step's quote is a part of another's."""
        one, other = self.spans.get(step_id), self.spans.get(other_id)
        return one is not None and other is not None and other[0] <= one[0] and one[1] <= other[1]

    def used(self) -> bytearray:
        """Which characters of the request steps were given as values: 1, else 0."""
        return self.marked(place for step in self.steps for text in literals(step) if (place := self.find(text)))

    def marked(self, places: Iterable[tuple[int, int]], before: bytes | bytearray = b"") -> bytearray:
        """Characters of the request that lie in these places, or are marked already: 1, else 0."""
        marked = bytearray(before or len(self.request))
        for start, end in places:
            marked[start:end] = b"\1" * (end - start)
        return marked

    def stretches(self, marked: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterable[str]:
        """The parts of the request, from word to word, none of whose characters is marked."""
        first = last = -1
        for match in PIECE.finditer(self.request, start, len(self.request) if end is None else end):
            if marked[match.start()]:
                if first >= 0:
                    yield self.request[first:last]
                first = -1
            elif _WORD.match(match.group()):
                first = match.start() if first < 0 else first
                last = match.end()
        if first >= 0:
            yield self.request[first:last]

    def find(self, text: str, behind: int = 0) -> tuple[int, int] | None:
        """Where words stand in the request, however they are spaced; behind a place if they do, else anywhere."""
        words = text.translate(_PLAIN).split()
        pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        hits = (pattern.search(self.request.translate(_PLAIN), start) for start in (behind, 0)) if words else ()
        return next((hit.span() for hit in hits if hit), None)


def literals(step: PlanStep) -> list[str]:
    """The texts that a step was given, references left out."""
    given: list[Any] = [step.instruction, *step.inputs.values()]
    return [text for value in given for text in _texts(value)]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        if value and "${" not in value:
            yield value
    elif isinstance(value, dict):
        for part in cast("dict[str, Any]", value).values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from _texts(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def passages(text: str) -> list[str]:
    """What stands between quotation marks."""
    return [next(filter(None, match.groups())) for match in _PASSAGE.finditer(text)]
