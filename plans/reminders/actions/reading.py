"""Reading when somebody wants to be reminded, and of what: from one sentence, or from two pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from .beside import part_of_a_time
from .clock_times import Found, find_time
from .days import DayFound, find_day
from .doubts import MARK, in_doubt, names_more
from .elsewhere import means_another
from .numbers import DAY, NUMBER, UNIT
from .repeating import Repeating, find_repeating, says_again
from .spans import Span, find_span
from .tidying import tidy

EXAMPLES = "in 10 minutes · tomorrow at 9 · Friday 17:00 · every weekday at 8 · через час · 每天8点"
_SHORTEST, _LONGEST = 60.0, 3660.0 * DAY
_LAST_YEAR = 2999
_PLAIN = re.compile(
    r"yesterday|вчера|昨天|now|сейчас|现在"
    rf"|(?:(?:in|through|через)\s+)?-?(?:{NUMBER}|пару)\s*(?:{UNIT}|months?|years?|месяц(?:а|ев)?|года?|лет)(?:\s+(?:ago|назад))?"
    r"|(?:in a|через)\s+(?:month|year|месяц|год)",
    re.IGNORECASE,
)
"""Answers that no sentence gives; every other one that is not read either, such as "may" or "seven", is no moment."""


@dataclass(frozen=True, slots=True)
class When:
    """When to remind.

    Attributes:
        at: date and time on the wall clock, for a reminder that comes once.
        cron: a cron rule, for one that comes again.
        every: an interval in seconds, for one that goes by no clock.
        after: seconds of real time from now, if `at` was said as a span that is not one of whole days: a clock change
            between now and then makes it neither longer nor shorter.
    """

    at: datetime | None = None
    cron: str = ""
    every: float = 0.0
    after: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Sentence:
    """What was read: when, and the words that say something else; all of them if it is not clear when."""

    when: When | None
    rest: str
    named: bool = False
    """Whether the text says something of a time at all, clear or not."""


@dataclass(frozen=True, slots=True)
class _Pieces:
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


def read(text: str, now: datetime, morning: time) -> Sentence:
    """Reads when and what from a text: for certain, or not at all.

    Args:
        text: e.g. "in 10 minutes to stretch", "напомни завтра в 9 позвонить маме".
        now: the wall clock where the person is.
        morning: the time of day that counts where a day is named alone.
    """
    text = " ".join(text.split())
    pieces = _pieces(text, now)
    when = None if pieces.contradict else _meant(pieces, now, morning)
    if when is not None and not _certain(text, pieces, when):
        when = None
    named = MARK in pieces.left or says_again(text) or names_more(text)
    return Sentence(when, tidy(text if when is None else pieces.left), named)


def _certain(text: str, pieces: _Pieces, when: When) -> bool:
    """Whether nothing else in the text says something of a time."""
    again = pieces.repeating is not None
    if says_again(pieces.left if again else text) or (when.at is not None and when.at.year > _LAST_YEAR):
        return False
    span = pieces.after
    clock = bool(pieces.clock or (span and not span.of_days) or (pieces.repeating and pieces.repeating.seconds))
    if part_of_a_time(pieces.left, headless=bool(span and span.headless)):
        return False
    vague = pieces.clock is not None and pieces.clock.vague
    if means_another(pieces.left, repeats=again, clock=clock and not vague):
        return False
    return not in_doubt(
        pieces.left,
        repeats=again,
        day=again or bool(pieces.day or span),
        clock=clock,
        hour=pieces.clock.value.hour if pieces.clock and pieces.clock.value else None,
    )


def _pieces(text: str, now: datetime) -> _Pieces:
    after, rest = find_span(text, now), text
    if after is not None:
        rest = _without(text, after.start, after.end)
    repeating = find_repeating(rest, now.date()) if after is None else None
    if repeating is not None:
        rest = _without(rest, repeating.start, repeating.end, repeating.day_part)
    day = find_day(rest, now.date()) if repeating is None else None
    if day is not None:
        rest = _without(rest, day.start, day.end, _part_of(rest[day.start : day.end]))
    clock = find_time(rest) if after is None or after.of_days else None
    if clock is not None:
        rest = _without(rest, clock.start, clock.end)
    return _Pieces(after, repeating, day, clock, rest)


def _meant(pieces: _Pieces, now: datetime, morning: time) -> When | None:
    at = pieces.clock.value if pieces.clock else None
    if pieces.repeating is not None:
        return _repeats(pieces.repeating, at, morning)
    if pieces.after is not None:
        moment = pieces.after.moment
        if at is not None:
            return When(at=datetime.combine(moment.date(), at))
        return When(at=moment, after=None if pieces.after.of_days else (moment - now).total_seconds())
    day = pieces.day
    return _once(day.day if day else None, at, now, morning, fixed=bool(day and day.fixed))


def read_when(text: str, now: datetime, morning: time) -> When | None:
    """When a text that says nothing else means; None if that cannot be told for certain."""
    found = read(text, now, morning)
    if found.when is not None and not re.search(r"\w", found.rest):
        return found.when
    if found.named or not text.strip():
        return None
    if not _PLAIN.fullmatch(text.strip()):
        return None
    import dateparser  # noqa: PLC0415 (takes longer to load than all plans; few texts come so far)

    parsed = dateparser.parse(
        text, languages=["en", "ru", "zh"], settings={"RELATIVE_BASE": now, "PREFER_DATES_FROM": "future"}
    )
    has_words = bool(re.search(r"[^\W\d]{3}|[\u4e00-\u9fff]", text))  # "18h" may be a clock
    return When(at=parsed) if parsed is not None and has_words else None


def _repeats(repeating: Repeating, at: time | None, morning: time) -> When | None:
    """The rule; None for an interval that nobody means, or one at a time of day, which no rule says."""
    if repeating.days:
        return When(cron=repeating.cron(at or morning))
    if repeating.seconds == DAY:
        return When(cron=Repeating(0, 0, "*").cron(at or morning))
    return When(every=repeating.seconds) if at is None and _SHORTEST <= repeating.seconds <= _LONGEST else None


def _once(day: date | None, at: time | None, now: datetime, morning: time, *, fixed: bool) -> When | None:
    if day is None and at is None:
        return None
    moment = datetime.combine(day or now.date(), at or morning)
    if moment <= now and day is None:
        moment += timedelta(days=1)
    elif moment <= now and not fixed:
        moment += timedelta(days=7)
    return When(at=moment)


def _part_of(words: str) -> str:
    """What a word for a day says of the time of day: tonight, this evening."""
    words = words.casefold()
    if words in {"tonight", "tonite"}:
        return "tonight"
    return words.replace("this", "in the") if re.fullmatch("this (?:morning|afternoon|evening)", words) else ""


def _without(text: str, start: int, end: int, instead: str = "") -> str:
    return f"{text[:start]} {MARK} {instead} {text[end:]}" if instead else f"{text[:start]} {MARK} {text[end:]}"
