"""Days as people name them: "tomorrow", "next Friday", «послезавтра», "下周五", "24 December"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from .words import END, MONTHS, RELATIVE, START, WEEKDAYS, number_of

_LEAP_SEARCH_YEARS = 9
_MONTH = rf"(?P<name>{'|'.join(MONTHS)})"
_ZH_DIGITS = "零一二三四五六七八九"
_ZH_MONTH = "(?<![零〇一二两三四五六七八九十百])(?:十[一二]?|[一二三四五六七八九])"
_ZH_DAY = "(?:[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_BEFORE = (
    r"(?P<before>(?:(?:on|this|next|coming|в|во|эт(?:от|у|о)|следующ\w+)\s+)*|(?:(?<!一)下下|[这下本])个?)"
    rf"(?P<name>{'|'.join(WEEKDAYS)}){END}"
)
_NEXT_WEEK = re.compile(r"下|следующ", re.IGNORECASE)
_THIS = re.compile(r"this|эт|这|本", re.IGNORECASE)
_OTHER_WORDS = re.compile(r"mon|wed|sat|sun", re.IGNORECASE)
_NO_TIME_BEHIND = re.compile(
    r"\s+(?!(?:at|in|on|to|by|mornings?|noon|afternoons?|evenings?|nights?|midnight)\b)[^\W\d]", re.IGNORECASE
)


class DayFound(NamedTuple):
    """A day that was read, and where it stands.

    Attributes:
        start: first character.
        end: behind the last.
        day: the day.
        fixed: it is one day of the calendar; if not, it is today, named by its weekday, and may mean that of next week.
        sure: the words mean a day for certain, as those of "sun cream" do not.
    """

    start: int
    end: int
    day: date
    fixed: bool = True
    sure: bool = True


def find_day(text: str, today: date) -> DayFound | None:
    """The first day in a text that a reader finds; None if there is none.

    Args:
        text: what somebody wrote.
        today: the day from which it counts.

    Raises:
        ValueError: the calendar has no such day.
    """
    for reader in (_dated, _written, _relative, _weekday):
        found = reader(text, today)
        if found is not None:
            return found
    return None


def _relative(text: str, today: date) -> DayFound | None:
    for words, days in sorted(RELATIVE.items(), key=lambda item: -abs(item[1])):
        match = re.search(rf"{START}(?:the )?(?:{words}){END}(?!['’]s)", text, re.IGNORECASE)
        if match is not None:
            return DayFound(match.start(), match.end(), today + timedelta(days))
    return None


def _weekday(text: str, today: date) -> DayFound | None:
    match = re.search(rf"{START}{_BEFORE}", text, re.IGNORECASE)
    number = number_of(WEEKDAYS, match["name"]) if match else None
    if match is None or number is None:
        return None
    before, ahead = match["before"].casefold(), (number - today.weekday()) % 7
    if _NEXT_WEEK.search(before):
        ahead = 7 * (2 if before.startswith("下下") else 1) - today.weekday() + number
    elif "next" in before:
        ahead = ahead or 7
    fixed = ahead > 0 or bool(_THIS.search(before))
    sure = bool(before) or not (_OTHER_WORDS.fullmatch(match["name"]) and _NO_TIME_BEHIND.match(text[match.end() :]))
    return DayFound(match.start(), match.end(), today + timedelta(ahead), fixed, sure)


def _dated(text: str, today: date) -> DayFound | None:
    """`2026-12-24`, `24.12.` and `24.12.2026`, `12月24日`."""
    forms: list[tuple[str, Callable[[re.Match[str]], tuple[str | None, str, str]]]] = [
        (r"\b(?:on\s+)?(\d{4})-(\d{1,2})-(\d{1,2})\b", lambda match: (match[1], match[2], match[3])),
        (
            rf"(?:(\d{{4}})年)?(\d{{1,2}}|{_ZH_MONTH})月(\d{{1,2}}|{_ZH_DAY})[日号]",
            lambda match: (match[1], match[2], match[3]),
        ),
        (r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})?(?!\d)", lambda match: (match[3], match[2], match[1])),
    ]
    for form, parts in forms:
        match = re.search(form, text, re.IGNORECASE)
        if match is not None:
            year, month, day = parts(match)
            return DayFound(match.start(), match.end(), day_of(year, _number(month), _number(day), today))
    return None


def _written(text: str, today: date) -> DayFound | None:
    """`24 December`, `December 24th, 2026`, `24 декабря`."""
    day, year = r"(?P<day>\d{1,2})(?:st|nd|rd|th|-?го)?", r"(?:,?\s+(?P<year>\d{4})(?:\s*г\w*\.?)?)?"
    forms = (
        rf"\b(?:on\s+)?(?:the\s+)?{day}\s+(?:of\s+)?{_MONTH}{END}{year}",
        rf"{START}(?:on\s+)?{_MONTH}\s+(?:the\s+)?{day}\b{year}",
    )
    for form in forms:
        match = re.search(form, text, re.IGNORECASE)
        month = number_of(MONTHS, match["name"]) if match else None
        if match is not None and month is not None:
            return DayFound(match.start(), match.end(), day_of(match["year"], month + 1, int(match["day"]), today))
    return None


def day_of(year: str | None, month: int, day: int, today: date) -> date:
    """A day of the calendar; without a year its next one, where 29 February waits for a leap year.

    Raises:
        ValueError: the calendar has no such day.
    """
    if year:
        return date(int(year), month, day)
    for candidate in range(today.year, today.year + _LEAP_SEARCH_YEARS):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return date(today.year, month, day)


def _number(text: str) -> int:
    """A number in digits or, up to 39, in Chinese."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    return (10 * (_ZH_DIGITS.index(tens) if tens else 1) if ten else 0) + (_ZH_DIGITS.index(ones) if ones else 0)
