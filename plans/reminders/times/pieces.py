"""The times that stand in a text: each is cut out, and leaves a mark where it was."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from .clock_times import Found, find_time
from .days import DayFound, find_day
from .doubts import MARK
from .harmless import without_occasions
from .repeating import Repeating, find_repeating
from .spans import Span, find_span


@dataclass(frozen=True, slots=True)
class Pieces:
    """The times in a text: a span from now, what repeats, a day, a time of day."""

    after: Span | None
    repeating: Repeating | None
    day: DayFound | None
    clock: Found | None
    left: str

    @property
    def contradict(self) -> bool:
        """Whether there are several that do not go together, or one that is not certain."""
        named = self.day is not None or self.repeating is not None
        if self.after is not None and not self.after.sure:
            return True
        if self.day is not None and (not self.day.sure or self.after is not None):
            return True
        if self.clock is None:
            return False
        of_some_days = self.repeating is not None and (self.repeating.days, self.repeating.month_day) != ("*", "*")
        unclear_night = self.clock.after_midnight and (self.day is not None or self.after is not None or of_some_days)
        return self.clock.value is None or unclear_night or (named and self.after is not None)

    @property
    def interval(self) -> float:
        """The interval of what repeats, in seconds; 0 if it goes by a clock."""
        return self.repeating.seconds if self.repeating else 0.0


def pieces_of(text: str, now: datetime) -> Pieces:
    """The times in a text, and what is left without them.

    Args:
        text: what somebody wrote.
        now: the wall clock where the person is.
    """
    after, rest = find_span(text, now), text
    if after is not None:
        rest = _without(text, after.start, after.end)
    repeating = None
    if after is None:
        repeating = find_repeating(without_occasions(rest), now.date()) or find_repeating(rest, now.date())
    if repeating is not None:
        rest = _without(rest, repeating.start, repeating.end, repeating.day_part)
    day = find_day(rest, now.date()) if repeating is None else None
    if day is not None:
        rest = _without(rest, day.start, day.end, _part_of(rest[day.start : day.end]))
    clock = find_time(rest) if after is None or after.of_days else None
    if clock is not None:
        rest = _without(rest, clock.start, clock.end)
    return Pieces(after, repeating, day, clock, rest)


def _part_of(words: str) -> str:
    """What a word for a day says of the time of day: tonight, this evening."""
    words = words.casefold()
    if words in {"tonight", "tonite"}:
        return "tonight"
    return words.replace("this", "in the") if re.fullmatch("this (?:morning|afternoon|evening)", words) else ""


def _without(text: str, start: int, end: int, instead: str = "") -> str:
    return f"{text[:start]} {MARK} {instead} {text[end:]}" if instead else f"{text[:start]} {MARK} {text[end:]}"
