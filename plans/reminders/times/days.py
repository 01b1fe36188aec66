"""Days as people name them: "tomorrow", "next Friday", «послезавтра», "下周五", "24 December"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from .numbers import END, START, number_of

WEEKDAYS = [
    r"mon(?:days?)?|понедельник(?:ам)?|(?:周|星期|礼拜)一",
    r"tue(?:s|sdays?)?|вторник(?:ам)?|(?:周|星期|礼拜)二",
    r"wed(?:s|nesdays?)?|сред[уаы]|средам|(?:周|星期|礼拜)三",
    r"thu(?:rs?|rsdays?)?|четверг(?:ам)?|(?:周|星期|礼拜)四",
    r"fri(?:days?)?|пятниц[уаы]|пятницам|(?:周|星期|礼拜)五",
    r"sat(?:urdays?)?|суббот[уаы]|субботам|(?:周|星期|礼拜)六",
    r"sun(?:days?)?|воскресень[ея]|воскресеньям|(?:周|星期|礼拜)(?:日|天)",
]
"""By number, Monday first."""
MONTHS = (
    *(r"jan(?:uary)?|января", r"feb(?:ruary)?|февраля", r"mar(?:ch)?|марта", r"apr(?:il)?|апреля", r"may|мая"),
    *(r"june?|июня", r"july?|июля", r"aug(?:ust)?|августа", r"sep(?:t(?:ember)?)?|сентября"),
    *(r"oct(?:ober)?|октября", r"nov(?:ember)?|ноября", r"dec(?:ember)?|декабря"),
)
_MONTH = rf"(?P<name>{'|'.join(MONTHS)})"
_RELATIVE = {
    r"day after tomorrow|послезавтра|后天": 2,
    r"大后天": 3,
    r"tomm?orr?ow|tmrw?|завтра|明天|明(?=[早晚])": 1,
    r"today|tonight|tonite|this (?:morning|afternoon|evening)|сегодня|今天|今(?=[早晚])": 0,
}
_ZH_MONTH = "(?<![零〇一二两三四五六七八九十百])(?:十[一二]?|[一二三四五六七八九])"
_ZH_DAY = "(?:[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_NEXT_WEEK = re.compile(r"下|следующ")
_OTHER_WORDS = re.compile(r"mon|wed|sat|sun", re.IGNORECASE)
_NO_TIME_BEHIND = re.compile(
    r"\s+(?!(?:at|in|on|to|by|mornings?|noon|afternoons?|evenings?|nights?|midnight)\b)[^\W\d]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class DayFound:
    """A day that was read, and where it stands.

    Attributes:
        start: first character.
        end: behind the last.
        day: the day.
        fixed: it is one day of the calendar, and not the next of many; a day that has passed is not the next one.
        sure: the words mean a day for certain, as those of "sun cream" do not.
    """

    start: int
    end: int
    day: date
    fixed: bool
    sure: bool = True


def find_day(text: str, today: date) -> DayFound | None:
    """The day in a text; None if there is none.

    Args:
        text: what somebody wrote.
        today: the day from which it counts.
    """
    for days in (_dated, _written, _relative, _weekday):
        found = days(text, today)
        if found is not None:
            return found
    return None


def weekday_of(word: str) -> int:
    """Number of a weekday that matches one of WEEKDAYS; Monday is 0."""
    return next(number for number, names in enumerate(WEEKDAYS) if re.fullmatch(names, word, re.IGNORECASE))


def _relative(text: str, today: date) -> DayFound | None:
    for words, days in _RELATIVE.items():
        match = re.search(rf"{START}(?:the )?(?:{words}){END}", text, re.IGNORECASE)
        if match is not None and not (days == 2 and text[: match.start()].endswith("大")):  # noqa: PLR2004 (大后天)
            return DayFound(match.start(), match.end(), today + timedelta(days), fixed=True)
    return None


def _weekday(text: str, today: date) -> DayFound | None:
    names = "|".join(WEEKDAYS)
    before = r"(?P<before>(?:(?:on|this|next|в|во|эт(?:от|у|о)|следующ\w+)\s+)*|(?:(?<!一)下下|[这下本])个?)"
    match = re.search(rf"{START}{before}(?P<name>{names}){END}", text, re.IGNORECASE)
    if match is None:
        return None
    number = weekday_of(match["name"])
    if _NEXT_WEEK.search(match["before"]):
        weeks = 2 if match["before"].startswith("下下") else 1
        day = today + timedelta(days=7 * weeks - today.weekday() + number)
    else:
        day = today + timedelta(days=(number - today.weekday()) % 7)
    behind = text[match.end() :]
    sure = bool(match["before"]) or not _OTHER_WORDS.fullmatch(match["name"]) or not _NO_TIME_BEHIND.match(behind)
    return DayFound(match.start(), match.end(), day, fixed=day != today, sure=sure)


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
            return _found(match, today, year, int(number_of(month)), int(number_of(day)))
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
        if match is not None:
            names = (
                number for number, names in enumerate(MONTHS, 1) if re.fullmatch(names, match["name"], re.IGNORECASE)
            )
            return _found(match, today, match["year"], next(names), int(match["day"]))
    return None


def _found(match: re.Match[str], today: date, year: str | None, month: int, day: int) -> DayFound | None:
    """The day of the calendar; without a year its next one. None if the calendar has no such day."""
    for number in [int(year)] if year else range(today.year, today.year + 9):
        try:
            found = date(number, month, day)
        except ValueError:
            continue
        if year or found >= today:
            return DayFound(match.start(), match.end(), found, fixed=True)
    return None
