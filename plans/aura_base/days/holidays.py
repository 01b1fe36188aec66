"""When holidays are: those of the calendars of countries, and a person's own."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from aura_core.api import ActionError

from .words import END, MONTHS, START, number_of

_POSSESSIVE = r"(?:['’]?s)?"
_ADDED = re.compile(r"^international | (?:day|sunday)$")


def key(name: str) -> str:
    """A name without the signs that people add or leave out: “New Year's Day” and “new years day” are one."""
    words = re.sub(r"['’]s?\b", "", name.casefold()).replace("saint", "st").replace(".", "").split()
    return " ".join(word.rstrip("s") for word in words if word != "the")


class Holidays:
    """Days with a name.

    Args:
        calendars: countries whose holidays count and the language of their names: `US en_US`, `GB-ENG en_GB`; where
            several know a name, the first one counts.
        own: further days by their name, as month-day; they win.

    Raises:
        ActionError: one of them cannot be read.
    """

    def __init__(self, calendars: Sequence[str], own: Mapping[str, str]) -> None:
        self._calendars = [_calendar(words) for words in calendars]
        self._own = {name.casefold(): _month_day(name, when) for name, when in own.items()}
        self._years: dict[int, dict[str, date]] = {}
        self._patterns: dict[int, str] = {}

    def find(self, name: str, year: int) -> date | None:
        """The day of a name in a year, also of one without its “day”: “Valentine's”, “Easter”."""
        days = {key(known): day for known, day in self.of(year).items()}
        return days.get(key(name)) or {_short(known): day for known, day in days.items()}.get(_short(key(name)))

    def of(self, year: int) -> Mapping[str, date]:
        """The days of a year by their names, in small letters.

        Raises:
            ActionError: a calendar of the settings is not known.
        """
        if year not in self._years:
            self._years[year] = self._made(year)
        return self._years[year]

    def pattern(self, year: int) -> str:
        """A pattern of the names in a year where they stand in a text: after “on” also without “day”."""
        if year in self._patterns:
            return self._patterns[year]
        names = {key(name) for name in self.of(year)}
        chinese = {name for name in names if re.match("[\u4e00-\u9fff]", name)}
        after = r"\b(?:on|at|by|в|на|к)\s+(?:the\s+)?"
        places = ((r"^(?:the\s+)?", names), (after, {*map(_short, names)}), ("", chinese))
        pattern = "|".join(f"{before}{START}(?:{_any(some)}){END}" for before, some in places if some)
        return self._patterns.setdefault(year, pattern or "(?!)")

    def _made(self, year: int) -> dict[str, date]:
        import holidays  # a tenth of a second

        days: dict[str, date] = {}
        for country, region, language in self._calendars:
            try:
                categories = {*holidays.country_holidays(country).supported_categories} - {"school"}
                found = holidays.country_holidays(
                    country, subdiv=region, years=year, language=language, categories=categories
                )
            except NotImplementedError as error:
                raise ActionError(f"The setting calendars of the plan aura_base: {error}") from None
            for day in sorted(found):
                for name in found.get_list(day):
                    if not re.search("[(（]", name):  # a day off instead, or next to it
                        days.setdefault(name.casefold(), day)
        for name, (month, day) in self._own.items():
            days[name] = date(year, month, min(day, monthrange(year, month)[1]))
        return days


def _short(name: str) -> str:
    """A key without “day”, unless that leaves a month."""
    short = _ADDED.sub("", name)
    return name if number_of(MONTHS, short) is not None else short


def _any(names: Iterable[str]) -> str:
    """A pattern of keys as people write them."""
    spaced = (rf"{_POSSESSIVE}\s+".join(map(re.escape, name.split())) for name in sorted(names, key=len, reverse=True))
    return "|".join(f"{name}{_POSSESSIVE}" for name in spaced)


def _calendar(words: str) -> tuple[str, str | None, str | None]:
    """Country, region and language of `GB-ENG en_GB`."""
    place, _, language = words.strip().partition(" ")
    country, _, region = place.partition("-")
    return country, region or None, language.strip() or None


def _month_day(name: str, when: str) -> tuple[int, int]:
    try:
        month, day = (int(part) for part in str(when).split("-"))
        date(2000, month, day)
    except ValueError:
        raise ActionError(f"The setting holidays.{name} is {when!r}; write month-day, e.g. '12-25'.") from None
    return month, day
