"""Reading when somebody wants to be reminded, and of what: from one sentence, or from two pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from .beside import part_of_a_time
from .doubts import MARK, in_doubt, names_more
from .elsewhere import means_another
from .harmless import without_harmless
from .numbers import DAY, NUMBER, UNIT
from .pieces import Pieces, pieces_of
from .repeating import Repeating, says_again
from .tidying import tidy

_SHORTEST, _LONGEST = 60.0, 3660.0 * DAY
_LAST_YEAR = 2999
_MINUTE, _HOUR = 60.0, 3600.0
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
_WIDE_COLON = re.compile(r"(?<=\d)：(?=\d)")
_A_SPAN = re.compile(r"(?:an?|half|a half|полчаса|полтора|недел[юя]|сутки|пару)\b", re.IGNORECASE)
"""How an answer begins that is a span, and no clock as «два часа» is."""
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


def read(text: str, now: datetime, morning: time) -> Sentence:
    """Reads when and what from a text: for certain, or not at all.

    Args:
        text: e.g. "in 10 minutes to stretch", "напомни завтра в 9 позвонить маме".
        now: the wall clock where the person is.
        morning: the time of day that counts where a day is named alone.
    """
    text = " ".join(text.split())
    told, text = text, _WIDE_COLON.sub(":", text.translate(_WIDE))
    pieces = pieces_of(text, now)
    when = None if pieces.contradict else _meant(pieces, now, morning)
    if when is not None and not _certain(text, pieces, when):
        when = None
    named = MARK in pieces.left or says_again(text) or names_more(text)
    return Sentence(when, tidy(told if when is None else pieces.left), named)


def _certain(text: str, pieces: Pieces, when: When) -> bool:
    """Whether nothing else in the text says something of a time."""
    again = pieces.repeating is not None
    clock_read, span = pieces.clock, pieces.after
    left = without_harmless(
        pieces.left,
        complete=clock_read.complete
        if clock_read
        else bool(span and span.settled) or pieces.interval % _HOUR > _MINUTE,
        vague=clock_read.vague if clock_read else pieces.interval > _HOUR,
        again=again,
    )
    if says_again(left if again else text) or (when.at is not None and when.at.year > _LAST_YEAR):
        return False
    clock = bool(pieces.clock or (span and not span.of_days) or (pieces.repeating and pieces.repeating.seconds))
    if part_of_a_time(left, headless=bool(span and span.headless)):
        return False
    vague = bool(clock_read and clock_read.vague)
    hour = clock_read.value.hour if clock_read and clock_read.value else None
    lone = clock_read is not None and not clock_read.complete and not vague
    if means_another(left, repeats=again, clock=clock and not vague, lone_hour=hour if lone else None):
        return False
    return not in_doubt(
        left,
        repeats=again,
        day=again or bool(pieces.day or span),
        clock=clock,
        hour=hour,
    )


def _meant(pieces: Pieces, now: datetime, morning: time) -> When | None:
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
    if _A_SPAN.match(text.strip()):
        spoken = read(f"in {text}", now, morning)
        if spoken.when is not None and spoken.when.at is not None and not re.search(r"\w", spoken.rest):
            return spoken.when
    if found.named or not text.strip():
        return None
    if not _PLAIN.fullmatch(text.strip()):
        return None
    import dateparser  # takes longer to load than all plans; few texts come so far

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
