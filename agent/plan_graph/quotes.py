"""Quotes: each step names the words of the request that it serves, so code sees what no step serves.

A plan that quotes can be checked in every language without knowing a word of it: what is quoted twice is planned twice,
and what is quoted by nobody was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from agent.contracts import PlanStep
from agent.wording import is_little

_WIDE = "\u3040-\u30ff\u3400-\u9fff"
PIECE = re.compile(rf"[{_WIDE}]|[^\W_{_WIDE}]+(?:[._/@:'’-]+[^\W_{_WIDE}]+)*|\S")
"""A word, a name with dots or dashes in it, a Chinese character, or a mark."""
_WORD = re.compile(r"\w")
LONGEST = 90
"""Pieces of a request up to which a decoder is held to it; the pattern grows with the square of them."""
FEW, SOME = 2, 3
"""Words of meaning, or pieces of any kind around one of them, that are worth to be asked about."""


def quote_pattern(request: str) -> str | None:
    """A regular expression of everything that can be quoted from a request; None where it would become too large."""
    found = list(PIECE.finditer(request))
    if not found or len(found) > LONGEST:
        return None
    starts: list[str] = []
    for place, match in enumerate(found):
        if not _WORD.match(match.group()):
            continue
        rest = "".join(f"(?:{re.escape(request[one.end() : two.end()])}" for one, two in zip(found[place:], found[place + 1 :], strict=False))
        starts.append(re.escape(match.group()) + rest + ")?" * (len(found) - place - 1))
    return f"^(?:{'|'.join(dict.fromkeys(starts))})$" if starts else None


@dataclass(frozen=True)
class Quoted:
    """A request, and where in it the steps' quotes stand.

    Attributes:
        request: the person's words.
        steps: the plan.
        left_out: further quotes, of what shall not be done.
    """

    request: str
    steps: Sequence[PlanStep]
    left_out: Sequence[str] = ()

    @cached_property
    def spans(self) -> dict[str, tuple[int, int]]:
        """Where the quote of each step stands, by step id; a quote that stands there more often is taken in turn."""
        taken: dict[str, int] = {}
        found: dict[str, tuple[int, int]] = {}
        for step in self.steps:
            place = self._find(step.quote, taken.get(step.quote, 0))
            if place is not None:
                found[step.id] = place
                taken[step.quote] = place[1]
        return found

    def inside(self, step_id: str, other_id: str) -> bool:
        """Whether a step's quote is a part of another's."""
        one, other = self.spans.get(step_id), self.spans.get(other_id)
        return one is not None and other is not None and other[0] <= one[0] and one[1] <= other[1]

    def gaps(self) -> list[str]:
        """Parts of the request that no step quotes or uses, in order, as far as they may mean something."""
        served = bytearray(len(self.request))
        for start, end in self._served():
            served[start:end] = b"\1" * (end - start)
        return [part for part in self._stretches(served) if _matters(part)]

    def _served(self) -> Iterable[tuple[int, int]]:
        yield from self.spans.values()
        for text in [*self.left_out, *(text for step in self.steps for text in literals(step))]:
            if place := self._find(text, 0):
                yield place

    def _stretches(self, served: bytearray) -> Iterable[str]:
        start = end = -1
        for match in PIECE.finditer(self.request):
            if served[match.start()]:
                if start >= 0:
                    yield self.request[start:end]
                start = -1
            else:
                start = match.start() if start < 0 else start
                end = match.end()
        if start >= 0:
            yield self.request[start:end]

    def _find(self, text: str, behind: int) -> tuple[int, int] | None:
        words = text.strip()
        if not words:
            return None
        for start in (behind, 0):
            if match := re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE).search(self.request, start):
                return match.span()
        return None


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


def _matters(part: str) -> bool:
    pieces = [piece for piece in PIECE.findall(part) if _WORD.match(piece)]
    meaning = [piece for piece in pieces if not is_little(piece)]
    named = any(character.isdigit() for character in part)
    return len(meaning) >= FEW or (bool(meaning) and (named or len(pieces) >= SOME))
