"""Reading when somebody wants to be reminded, and of what: from one sentence, or from two pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from .calendar import Calendar
from .leftover import is_certain
from .numbers import DAY, NUMBER, UNIT
from .pieces import Pieces, pieces_of, without_lead
from .repeating import Repeating

_SHORTEST, _LONGEST = 60.0, 3660.0 * DAY
_LAST_YEAR = 2999
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
_WIDE_COLON = re.compile(r"(?<=\d)：(?=\d)")
_A_SPAN = re.compile(r"(?:an?|half|a half|полчаса|полтора|недел[юя]|сутки|пару)\b", re.IGNORECASE)
"""How an answer begins that is a span, and no clock as «два часа» is."""
_SET = re.compile(r"^(?:请|帮我)*(?:设置?|定|订)一?个?\s*[\x1e\x1f]\s*的(?=闹钟|提醒)|(?:^|(?<=请))在(?=\s*[\x1e\x1f])")
_GLUE_AFTER = re.compile(r"(?:[\s,，、。:：;；.—–-]|\b(?:please|and|at|on|by)|提醒我|叫我|的时候)+$", re.IGNORECASE)
_PLAIN = re.compile(
    r"now|сейчас|现在"
    rf"|(?!\d{{1,2}}\s*дня\b)(?:(?:in|through|через)\s+)?-?(?:{NUMBER}|пару)\s*(?:{UNIT}|months?|years?|месяц(?:а|ев)?|года?|лет)(?:\s+(?:ago|назад))?"
    r"|(?:in a|через)\s+(?:month|year|месяц|год)",
    re.IGNORECASE,
)
"""Answers that say when only because nothing else was asked; "may" and "seven" do not."""


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

    @property
    def rule(self) -> str:
        """What repeats, as a job says it: `cron 0 9 * * *`, `every 1h30m`; empty if nothing does."""
        if self.cron:
            return f"cron {self.cron}"
        left, pieces = int(self.every), ""
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
            count, left = divmod(left, size)
            pieces += f"{count}{unit}" if count else ""
        return f"every {pieces}" if pieces else ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What was read.

    Attributes:
        when: when, if that is certain.
        rest: the words that say of what to remind; all of them if it is not certain when.
        guess: when it may be meant, if it is not certain; None if nothing was read.
    """

    when: When | None
    rest: str
    guess: When | None = None


def read(text: str, now: datetime, morning: time, dates: Calendar) -> Sentence:
    """Reads when and what from a text.

    Args:
        text: e.g. "in 10 minutes to stretch", "напомни завтра в 9 позвонить маме".
        now: the wall clock where the person is.
        morning: the time of day that counts where a day is named alone.
        dates: the calendar.
    """
    text = " ".join(text.split())
    told, text = text, _WIDE_COLON.sub(":", text.translate(_WIDE))
    pieces = pieces_of(text, now, dates)
    when = _meant(pieces, now, morning)
    if when is not None and not pieces.contradict and _is_near(when) and is_certain(pieces, now, dates):
        return Sentence(when, _tidy(pieces.left))
    return Sentence(None, _tidy(told), when if when is not None and _is_near(when) else None)


def _is_near(when: When) -> bool:
    return when.at is None or when.at.year <= _LAST_YEAR


def _meant(pieces: Pieces, now: datetime, morning: time) -> When | None:
    at = pieces.clock.value if pieces.clock else None
    if pieces.clock is not None and at is None:
        return None
    if pieces.repeating is not None:
        return _repeats(pieces.repeating, at, morning)
    if pieces.after is not None:
        moment = pieces.after.moment
        if at is not None:
            return When(at=datetime.combine(moment.date(), at))
        return When(at=moment, after=None if pieces.after.of_days else (moment - now).total_seconds())
    day = pieces.day
    return _once(day.day if day else None, at, now, morning, fixed=bool(day and day.fixed))


def read_when(text: str, now: datetime, morning: time, dates: Calendar) -> Sentence:
    """Reads an answer that says when and nothing else; words beside that make it uncertain."""
    found = read(text, now, morning, dates)
    if found.when is not None and not re.search(r"\w", found.rest):
        return found
    if _A_SPAN.match(text.strip()):
        spoken = read(f"in {text}", now, morning, dates)
        if spoken.when is not None and spoken.when.at is not None and not re.search(r"\w", spoken.rest):
            return spoken
    plain = _plain(text.strip(), now)
    return Sentence(plain, "") if plain else Sentence(None, found.rest, found.guess or found.when)


def _plain(text: str, now: datetime) -> When | None:
    """What an answer alone may be, and no part of a sentence: "2 hours", "now"."""
    if not _PLAIN.fullmatch(text) or not re.search(r"[^\W\d]{3}|[\u4e00-\u9fff]", text):  # "18h" may be a clock
        return None
    import dateparser  # takes longer to load than all plans; few texts come so far

    parsed = dateparser.parse(
        text, languages=["en", "ru", "zh"], settings={"RELATIVE_BASE": now, "PREFER_DATES_FROM": "future"}
    )
    return When(at=parsed) if parsed is not None else None


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


def _tidy(text: str) -> str:
    """The words of a text that say of what to remind: without "remind me to", and signs at its ends."""
    text = without_lead(_SET.sub("", text))
    return " ".join(_GLUE_AFTER.sub("", text).split())
