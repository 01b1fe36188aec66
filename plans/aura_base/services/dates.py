"""The calendar of all plans: days and time zones as people name them, “next Friday”, “Christmas”, «завтра», “Tokyo”."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from aura_core.api import ActionError, local_now, service

from ..days.holidays import Holidays, key
from ..days.reading import DayFound, day_of, find_day
from ..days.words import DAY_NAMES, MONTHS, RELATIVE, WEEKDAYS, long_moment

LIKENESS = 0.75
"""How alike two names must be (0 to 1) for one to be suggested for the other."""
_NAMES = [name.casefold() for name in DAY_NAMES]
_UNITS = {"day": (1, 0), "week": (7, 0), "month": (0, 1), "year": (0, 12)}
_ONE_TO_TEN = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SMALL_NUMBERS = {"a": 1, "an": 1} | {word: number for number, word in enumerate(_ONE_TO_TEN, 1)}
_FORMS = "2026-12-25, 25 December, next Friday, tomorrow, in 10 days, Christmas"
_AMOUNT = re.compile(r"(?:in )?(\d{1,6}|[a-z]+) (day|week|month|year)s?( ago| from now| from today)?")
_NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})(?:\2(\d{4})?)?")
_NAMED = re.compile(r"(?:(next|this|coming|last|previous) )?(.+?)(?:,? (?:in )?(\d{4}))?")
_LAST_WEEKDAY = re.compile(rf"(?:last|previous|прошл\w+|上个?) ?({'|'.join(WEEKDAYS)})")
_DAY_BEHIND_WEEKDAY = re.compile(rf"(?:{'|'.join(WEEKDAYS)}) (?=\d|(?:{'|'.join(MONTHS)}) )")
_END_OF = re.compile(r"(?:the )?end of (?:this |the )?(month|year)")
_BEFORE_HOLIDAY = r"^(?i:on|at|by|в|на|к)\s+"


def shift(day: date, *, days: int = 0, months: int = 0) -> date:
    """Moves a date: first by months, where the 31st becomes the last day of a shorter month, then by days.

    Raises:
        ActionError: the result lies outside the years 1 to 9999.
    """
    try:
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        moved = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
        return moved + timedelta(days=days)
    except (ValueError, OverflowError):
        raise ActionError("That day lies outside the years 1 to 9999.") from None


@service("dates")
class Dates:
    """Reads and says days and time zones; other plans use it as `@requires_services(dates="dates")`.

    Args:
        config: settings of the plan: `calendars` (country and language), `holidays` (name: month-day) and
            `cities` (name: zone).
    """

    weekdays = WEEKDAYS
    """Patterns of the days of the week in English, Russian and Chinese, Monday first."""
    day_words = "|".join((*WEEKDAYS, *RELATIVE, *MONTHS))
    """A pattern of all words for days and months, also where no day can be read from them."""

    def __init__(self, config: Callable[..., Any]) -> None:
        cities: Mapping[str, str] = config("cities", {})
        self._cities = {key(name): zone for name, zone in cities.items()}
        self._holidays = Holidays(config("calendars", []), config("holidays", {}))

    def zone(self, name: str = "") -> tzinfo:
        """The time zone of an IANA name, a city or “UTC”; without a name that of the person who asks.

        Raises:
            ActionError: no such zone; names the nearest ones.
        """
        wanted = name.strip()
        if not wanted:
            return local_now().tzinfo or UTC
        if wanted.upper() in {"UTC", "GMT", "Z"}:
            return UTC
        zones = available_timezones()
        by_name = {zone.casefold(): zone for zone in zones}
        by_city = {key(zone.rsplit("/", 1)[-1].replace("_", " ")): zone for zone in sorted(zones, reverse=True)}
        by_city |= self._cities
        found = by_name.get(wanted.replace(" ", "_").casefold()) or by_city.get(key(wanted.split(",")[0]))
        if found is None:
            near = [by_city[city] for city in get_close_matches(key(wanted), by_city, 3)]
            hint = f"Did you mean {' or '.join(near)}?" if near else "Give a large city or a name such as Europe/Paris."
            raise ActionError(f"I know no time zone {wanted!r}. {hint}")
        return ZoneInfo(found)

    def now(self, zone: str = "") -> datetime:
        """The time of day there, with its zone."""
        return datetime.now(self.zone(zone)) if zone.strip() else local_now()

    def said(self, moment: datetime, language: str = "en") -> str:
        """A moment in words: “Friday, 25 December 2026, 18:00”; the language is `en`, `ru` or `zh`."""
        return long_moment(moment, language)

    def find(self, text: str, today: date) -> DayFound | None:
        """The day that stands somewhere in a text, and where; None if there is none, or one that no calendar has.

        Args:
            text: what somebody wrote in English, Russian or Chinese.
            today: the day from which “tomorrow” and the like count.
        """
        try:
            found = find_day(text, today)
        except ValueError:
            return None
        if found is not None:
            return found
        match = re.search(self._holidays.pattern(today.year), text, re.IGNORECASE)
        day = self._next_holiday(re.sub(_BEFORE_HOLIDAY, "", match[0]), today) if match else None
        return DayFound(match.start(), match.end(), day) if match and day else None

    def resembles_day(self, text: str) -> bool:
        """Whether a word of a text is a day of the week, or nearly one: “thrusday”."""
        words: list[str] = re.findall(r"\w+", text.casefold())
        return any(get_close_matches(word, _NAMES, 1, LIKENESS) for word in words)

    def parse(self, text: str, today: date) -> date:
        """The day that a text of nothing else means.

        A day without a year is its next occurrence, today included; a day of the week alone is the next one after
        today, and so is “next Friday”.

        Args:
            text: one of the forms named in the error.
            today: the day from which “tomorrow” and the like count.

        Raises:
            ActionError: the text is not a day; says which forms are understood.
        """
        cleaned = " ".join(text.casefold().replace(",", " ").split()).strip(" ?!.")
        cleaned = re.sub(r"^(?:on |until |the |by )+", "", cleaned)
        try:
            for reader in (_iso, _counted, _numeric, _whole, self._named):
                day = reader(cleaned, today)
                if day is not None:
                    return day
        except ValueError as error:
            raise ActionError(f"“{cleaned}” is not a day: {error}.") from None
        known = [*self._holidays.of(today.year), "today", "tomorrow", "yesterday", *_NAMES]
        near = get_close_matches(cleaned, known, 1, LIKENESS)
        hint = f"Did you mean “{near[0]}”?" if near else f"Write it like one of these: {_FORMS}."
        raise ActionError(f"I do not know which day “{text.strip()[:80]}” is. {hint}")

    def _named(self, text: str, today: date) -> date | None:
        """“Christmas”, “last Easter”, “Thanksgiving 2027”."""
        match = _NAMED.fullmatch(text)
        if match is None:
            return None
        if match[3]:
            return self._holidays.find(match[2], int(match[3]))
        if match[1] in {"last", "previous"}:
            day = self._holidays.find(match[2], today.year)
            return day if day and day < today else self._holidays.find(match[2], today.year - 1)
        return self._next_holiday(match[2], today)

    def _next_holiday(self, name: str, today: date) -> date | None:
        day = self._holidays.find(name, today.year)
        return day if day and day >= today else self._holidays.find(name, today.year + 1)


def _iso(text: str, today: date) -> date | None:
    del today
    try:
        return datetime.fromisoformat(text.upper()).date()
    except ValueError:
        return None


def _counted(text: str, today: date) -> date | None:
    """“now”, “in 10 days”, “two weeks ago”, “end of the month”."""
    if text == "now":
        return today
    if match := _END_OF.fullmatch(text):
        month = 12 if match[1] == "year" else today.month
        return date(today.year, month, monthrange(today.year, month)[1])
    match = _AMOUNT.fullmatch(text.replace("next ", "in a ").replace("last week", "a week ago"))
    number = (int(match[1]) if match[1].isdecimal() else _SMALL_NUMBERS.get(match[1])) if match else None
    if match is None or number is None:
        return None
    days, months = _UNITS[match[2]]
    sign = -1 if match[3] == " ago" else 1
    return shift(today, days=sign * number * days, months=sign * number * months)


def _numeric(text: str, today: date) -> date | None:
    match = _NUMERIC.fullmatch(text)
    if match is None:
        return None
    first, second = int(match[1]), int(match[3])
    if match[2] != "." and first <= 12 and second <= 12 and first != second:  # noqa: PLR2004 (months)
        raise ActionError(f"“{text}” can be read in two ways; write it like 2026-12-25.")
    day, month = (second, first) if match[2] != "." and second > 12 else (first, second)  # noqa: PLR2004 (months)
    return day_of(match[4], month, day, today)


def _whole(text: str, today: date) -> date | None:
    """What `find_day` reads if it is all of the text; “last Friday”."""
    last = _LAST_WEEKDAY.fullmatch(text)
    text = last[1] if last else _DAY_BEHIND_WEEKDAY.sub("", text, count=1)
    found = find_day(text, today)
    if found is None or (found.start, found.end) != (0, len(text)):
        return None
    if last:
        return found.day - timedelta(days=7)
    return found.day if found.fixed else found.day + timedelta(days=7)
