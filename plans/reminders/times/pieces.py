"""The times that stand in a text: each is cut out, and leaves a mark where it was."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from .calendar import Calendar, DayFound
from .clock_times import Found, find_time
from .numbers import NUMBER
from .repeating import Repeating, find_repeating
from .spans import Span, find_span

MARK, NUMBERED = "\x1f", "\x1e"
"""Where a time was cut out, one that began with a number the second; spaces for every pattern that reads times."""

_LEAD = re.compile(
    r"^(?:[\s,，、。:：;；.—–-]|(?:please|can you|could you|remind (?:me|us)|reminder|to|that|about|of|me)\b"
    r"|(?:пожалуйста|напомни(?:те)?|напоминай(?:те)?|напоминание|мне|нам|что|о том|чтобы|о|об|про|надо|нужно)\b"
    r"|(?:请|帮我|提醒我|提醒|叫我|记得|我))+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The times in a text: a span from now, what repeats, a day, a time of day."""

    after: Span | None
    repeating: Repeating | None
    day: DayFound | None
    clock: Found | None
    left: str
    amid: bool = False
    """Whether the time of day is a number alone amid other words, as in "sell at 20 dollars"."""

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
    def complete(self) -> bool:
        """Whether the time was said to the minute, so that a number behind it is not a part of it."""
        return self.clock.complete if self.clock is not None else bool(self.after and self.after.settled)

    @property
    def open_clock(self) -> bool:
        """Whether no time of day was said where one is needed, or only a part of the day."""
        if self.clock is not None:
            return self.clock.vague
        return not (self.after and not self.after.of_days) and not (self.repeating and self.repeating.seconds)

    @property
    def open_day(self) -> bool:
        """Whether a time of day was said, and no day."""
        return self.clock is not None and not (self.day or self.after or self.repeating)


def pieces_of(text: str, now: datetime, dates: Calendar) -> Pieces:
    """The times in a text, and what is left without them.

    Args:
        text: what somebody wrote.
        now: the wall clock where the person is.
        dates: the calendar.
    """
    after, rest = find_span(text, now), text
    if after is not None:
        rest = _without(text, after.start, after.end)
    repeating = find_repeating(rest, now.date(), dates) if after is None else None
    if repeating is not None:
        rest = _without(rest, repeating.start, repeating.end, repeating.day_part)
    found = dates.find(rest, now.date()) if repeating is None else None
    day = DayFound(*found) if found else None
    if day is not None:
        rest = _without(rest, day.start, day.end, _part_of(rest[day.start : day.end]))
    clock = find_time(rest) if after is None or after.of_days else None
    if clock is None:
        return Pieces(after, repeating, day, clock, rest)
    before, said, behind = rest[: clock.start], rest[clock.start : clock.end], rest[clock.end :]
    amid = re.search(r"\w *$", without_lead(before)) and re.match(r" *\w", behind)
    alone = re.fullmatch(r"\D*\d{1,2}", said)
    return Pieces(after, repeating, day, clock, _without(rest, clock.start, clock.end), amid=bool(amid and alone))


def without_lead(text: str) -> str:
    """A text without "remind me to" and signs at its head."""
    return _LEAD.sub("", text)


def _part_of(words: str) -> str:
    """What a word for a day says of the time of day: tonight, this evening."""
    words = words.casefold()
    if words in {"tonight", "tonite"}:
        return "tonight"
    return words.replace("this", "in the") if re.fullmatch("this (?:morning|afternoon|evening)", words) else ""


def _without(text: str, start: int, end: int, instead: str = "") -> str:
    mark = NUMBERED if re.match(rf"\s*{NUMBER}", text[start:end], re.IGNORECASE) else MARK
    return f"{text[:start]} {mark} {instead} {text[end:]}" if instead else f"{text[:start]} {mark} {text[end:]}"
