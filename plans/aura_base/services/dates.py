"""Days and time zones as people name them: “next Friday”, “Christmas”, “25 December”, “Tokyo”."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from aura_core.api import ActionError, service

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
LIKENESS = 0.75
"""How alike two names must be (0 to 1) for one to be suggested for the other."""
_LEAP_SEARCH_YEARS = 9
_RELATIVE = {"today": 0, "now": 0, "tomorrow": 1, "yesterday": -1, "day after tomorrow": 2, "day before yesterday": -2}
_UNITS = {"day": (1, 0), "week": (7, 0), "month": (0, 1), "year": (0, 12)}
_SMALL_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
}
_FORMS = "2026-12-25, 25 December, next Friday, tomorrow, in 10 days, Christmas"

_AMOUNT = re.compile(r"(?:in )?(\d{1,6}|[a-z]+) (day|week|month|year)s?( ago| from now| from today)?")
_NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})(?:\2(\d{4})?)?")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?(?: of)? ([a-z]{3,9})\.?,?(?: (\d{4}))?")
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?")
_NAMED = re.compile(r"(?:(next|this|coming|last|previous) )?(.+?)(?:,? (?:in )?(\d{4}))?")
_END_OF = re.compile(r"end of (?:this )?(month|year)")


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


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shifted = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shifted + 114, 31)
    return date(year, month, day + 1)


def thanksgiving(year: int) -> date:
    """The fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


_MOVABLE: dict[str, Callable[[int], date]] = {
    "easter": easter,
    "easter sunday": easter,
    "good friday": lambda year: easter(year) - timedelta(days=2),
    "easter monday": lambda year: easter(year) + timedelta(days=1),
    "pentecost": lambda year: easter(year) + timedelta(days=49),
    "thanksgiving": thanksgiving,
}


def _key(name: str) -> str:
    """A day's name without what people add or leave out: “New Year's Day” and “new years” are one."""
    words = re.sub(r"['’]s?\b", "", name.casefold()).replace("saint", "st").replace(".", "").split()
    return " ".join(word.rstrip("s") for word in words if word not in {"the", "day", "international"})


def _index(name: str, names: tuple[str, ...]) -> int | None:
    """Position of a weekday or month given by its name or at least its first three letters."""
    matches = [i for i, full in enumerate(names) if len(name) > 2 and full.casefold().startswith(name)]  # noqa: PLR2004
    return matches[0] if len(matches) == 1 else None


def long_date(day: date) -> str:
    """“Friday, 25 December 2026”, in English on every machine."""
    return f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year}"


def _exact(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ActionError(f"“{text}” is not a day: {error}.") from None


@service("dates")
class Dates:
    """Reads days and time zones.

    Args:
        config: settings of the plan: `timezone`, `holidays` (name: month-day) and `cities` (name: zone).
    """

    def __init__(self, config: Callable[..., Any]) -> None:
        self._zone: str = config("timezone", "")
        cities: Mapping[str, str] = config("cities", {})
        self._cities = {_key(name): zone for name, zone in cities.items()}
        holidays: Mapping[str, str] = config("holidays", {})
        named = (*_MOVABLE, *holidays, *_RELATIVE, *WEEKDAYS)
        self._names = {_key(name): name for name in named}
        self._holidays = {**_MOVABLE, **{_key(name): _fixed(name, when) for name, when in holidays.items()}}

    def zone(self, name: str = "") -> tzinfo:
        """The time zone of an IANA name, a city or “UTC”; without a name the configured or the machine's own.

        Raises:
            ActionError: no such zone; names the nearest ones.
        """
        wanted = name.strip() or self._zone
        if not wanted:
            return datetime.now(UTC).astimezone().tzinfo or UTC
        if wanted.upper() in {"UTC", "GMT", "Z"}:
            return UTC
        zones = available_timezones()
        by_name = {zone.casefold(): zone for zone in zones}
        by_city = {_key(zone.rsplit("/", 1)[-1].replace("_", " ")): zone for zone in sorted(zones, reverse=True)}
        by_city |= self._cities
        found = by_name.get(wanted.replace(" ", "_").casefold()) or by_city.get(_key(wanted.split(",")[0]))
        if found is None:
            near = [by_city[city] for city in get_close_matches(_key(wanted), by_city, 3)]
            hint = f"Did you mean {' or '.join(near)}?" if near else "Give a large city or a name such as Europe/Paris."
            raise ActionError(f"I know no time zone {wanted!r}. {hint}")
        return ZoneInfo(found)

    def now(self, zone: str = "") -> datetime:
        """The time of day there, with its zone."""
        return datetime.now(self.zone(zone))

    def parse(self, text: str, today: date) -> date:
        """The day that `text` means.

        A day without a year is its next occurrence, today included; “next Friday” is the first Friday after today.

        Args:
            text: one of the forms named in the error.
            today: the day from which “tomorrow” and the like count.

        Raises:
            ActionError: the text is no day; says which forms are understood.
        """
        cleaned = " ".join(text.casefold().replace(",", " ").split()).strip(" ?!.")
        cleaned = re.sub(r"^(?:on |until |the |by )+", "", cleaned)
        for reader in (_iso, _counted, self._weekday, _numeric, _written, self._named):
            day = reader(cleaned, today)
            if day is not None:
                return day
        near = get_close_matches(_key(cleaned), self._names, 1, LIKENESS)
        hint = f"Did you mean “{self._names[near[0]]}”?" if near else f"Write it like one of these: {_FORMS}."
        raise ActionError(f"I do not know which day “{text.strip()[:80]}” is. {hint}")

    @staticmethod
    def _weekday(text: str, today: date) -> date | None:
        *before, last = text.split() or [""]
        index = _index(last, WEEKDAYS)
        if index is None or len(before) > 1 or (before and before[0] not in {"next", "this", "coming", "last"}):
            return None
        if before == ["last"]:
            return today - timedelta(days=(today.weekday() - index - 1) % 7 + 1)
        if before == ["this"]:
            return today + timedelta(days=(index - today.weekday()) % 7)
        return today + timedelta(days=(index - today.weekday() - 1) % 7 + 1)

    def _named(self, text: str, today: date) -> date | None:
        match = _NAMED.fullmatch(text)
        occurrence = self._holidays.get(_key(match[2])) if match else None
        if match is None or occurrence is None:
            return None
        if match[3]:
            return occurrence(int(match[3]))
        this_year = occurrence(today.year)
        if match[1] in {"last", "previous"}:
            return this_year if this_year < today else occurrence(today.year - 1)
        return this_year if this_year >= today else occurrence(today.year + 1)


def _fixed(name: str, when: str) -> Callable[[int], date]:
    try:
        month, day = (int(part) for part in str(when).split("-"))
        date(2000, month, day)
    except ValueError:
        raise ActionError(f"The setting holidays.{name} is {when!r}; write month-day, e.g. '12-25'.") from None
    return lambda year: date(year, month, min(day, monthrange(year, month)[1]))


def _iso(text: str, today: date) -> date | None:
    del today
    try:
        return datetime.fromisoformat(text.upper()).date()
    except ValueError:
        return None


def _counted(text: str, today: date) -> date | None:
    """“tomorrow”, “in 10 days”, “two weeks ago”, “end of the month”."""
    if text in _RELATIVE:
        return today + timedelta(days=_RELATIVE[text])
    if match := _END_OF.fullmatch(text.replace("the ", "")):
        month = 12 if match[1] == "year" else today.month
        return date(today.year, month, monthrange(today.year, month)[1])
    match = _AMOUNT.fullmatch(text.replace("next ", "in a ").replace("last week", "a week ago"))
    if match is None:
        return None
    number = int(match[1]) if match[1].isdecimal() else _SMALL_NUMBERS.get(match[1])
    if number is None:
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
    return _day_of(text, today, match[4], month, day)


def _written(text: str, today: date) -> date | None:
    head, _, rest = text.partition(" ")
    if rest and _index(head, WEEKDAYS) is not None:
        text = rest
    if match := _DAY_MONTH.fullmatch(text):
        day, name, year = match[1], match[2], match[3]
    elif match := _MONTH_DAY.fullmatch(text):
        name, day, year = match[1], match[2], match[3]
    else:
        return None
    month = _index(name, MONTHS)
    return None if month is None else _day_of(text, today, year, month + 1, int(day))


def _day_of(text: str, today: date, year: str | None, month: int, day: int) -> date:
    """The day in the given year, or its next occurrence; 29 February waits for a leap year."""
    if year:
        return _exact(text, int(year), month, day)
    for candidate in range(today.year, today.year + _LEAP_SEARCH_YEARS):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return _exact(text, today.year, month, day)
