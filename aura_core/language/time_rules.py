"""What a rule in time must be like: cron rules, intervals and time zones, checked with words for whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from aura_core.errors import ScheduleError
from aura_core.ground.suggestions import hint, sentence
from aura_core.language.posix_zone import PREFIX, posix_zone

SHORTEST = 1.0
"""Seconds between two runs of one job, at least."""
LONGEST = 100 * 366 * 86400.0
"""Seconds between two runs of one job, at most: a hundred years."""
MOST_YEARS = 12
"""A cron rule that is not met for so long (leap days across 1900 or 2100 need eight) is never met."""
CRON_HELP = (
    "Write five fields: minute, hour, day of month, month, day of week, "
    'e.g. "0 8 * * *" for every day at 8 or "30 9 * * mon-fri" for 9:30 from Monday to Friday.'
)
_FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31, or l for the last"),
    ("month", "1 to 12, or jan to dec"),
    ("day of week", "0 to 7, or sun to sat"),
    ("second", "0 to 59"),
)
_RANGE = re.compile(r"(\w+)-(\w+)(?:/\d+)?")
_DAY, _MONTH, _WEEKDAY = 2, 3, 4
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NUMBERS = {
    _MONTH: {name: str(number) for number, name in enumerate(_MONTHS, 1)},
    _WEEKDAY: {"7": "0", **{name: str(number) for number, name in enumerate(_WEEKDAYS)}},
}
"""Index of a field -> other ways to write its numbers."""
_WHOLE_WEEK = ["0", "7"]
_FIVE = 5
_LONGEST_RULE = 500
_RANDOM = re.compile(r"[rh](?![a-z])", re.IGNORECASE)
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 (a wall clock's; cron rules know no zone)
_MISTAKES = (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError)
"""What croniter raises for a rule that is none; an error of its own is a ValueError."""


@lru_cache(maxsize=1024)
def check_cron(rule: str) -> None:
    """Checks that a cron rule has fields that exist and comes true one day.

    Args:
        rule: five fields as in crontab, with seconds as an optional sixth; or one word, e.g. `@daily`.

    Raises:
        ScheduleError: says which field is wrong and what it may be.
    """
    from croniter import CroniterBadDateError  # noqa: PLC0415 (few plans have cron rules)

    fields = rule.split()
    if not rule.startswith("@"):
        if len(fields) not in (_FIVE, _FIVE + 1) or len(rule) > _LONGEST_RULE:
            found = "it has one field" if len(fields) == 1 else f"it has {len(fields)} fields"
            raise ScheduleError(f"{rule[:80]!r} is not a cron rule: {found}. {CRON_HELP}")
        for index, field in enumerate(fields):
            _check_field(rule, index, field)
    try:
        times = walls_of(rule, _SOME_DAY)
    except _MISTAKES as error:
        raise ScheduleError(f"{rule[:80]!r} is not a cron rule. {CRON_HELP}") from error
    try:
        next(times)
    except (CroniterBadDateError, OverflowError) as error:
        raise ScheduleError(f"The cron rule {rule!r} is never met: no day is like that. {CRON_HELP}") from error


def walls_of(rule: str, after: datetime) -> Iterator[datetime]:
    """The times of a cron rule, as crontab means it, on a wall clock without a zone.

    A day must fit the day of month and the day of week; where both say which days, without a `*` in front, one of the
    two is enough.

    Args:
        rule: five fields, or six with the second at the end, or one word.
        after: the times after this one are given.

    Raises:
        ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError: it is not a rule, or never met again
            (the latter from the iterator).
    """
    from croniter import croniter  # noqa: PLC0415 (what goes by the clock pays for it)

    times = croniter(as_croniter_means_it(rule), after, max_years_between_matches=MOST_YEARS, implement_cron_bug=True)
    return iter(lambda: times.get_next(datetime), None)


def as_croniter_means_it(rule: str) -> str:
    """A cron rule in whose ranges croniter sees what crontab does.

    Args:
        rule: one that `check_cron` finds in order.

    Returns:
        The same rule with the value itself for a range of one value, `9-9`, `1-mon`: croniter takes that for the whole
        field. And with `*` for both kinds of days where both are named and one of them names all, `1-31`: that is every
        day, but croniter takes it for `*`, which leaves the choice to the other field.
    """
    if rule.startswith("@"):
        return rule
    fields = [
        ",".join(_without_range(index, part) for part in field.split(",")) for index, field in enumerate(rule.split())
    ]
    days = (_DAY, _WEEKDAY)
    if all(fields[index][0] not in "*?" for index in days) and any(_names_all(index, fields[index]) for index in days):
        fields[_DAY] = fields[_WEEKDAY] = "*"
    return " ".join(fields)


def _names_all(index: int, field: str) -> bool:
    """Whether a field names every value there is."""
    from croniter import croniter  # noqa: PLC0415 (the same)

    fields = ["*"] * _FIVE
    fields[index] = field
    return croniter.expand(" ".join(fields))[0][index] == ["*"]


def _without_range(index: int, part: str) -> str:
    found = _RANGE.fullmatch(part)
    if found is None:
        return part
    numbers, written = _NUMBERS.get(index, {}), [_plain(value) for value in found.groups()]
    first, last = (numbers.get(value, value) for value in written)
    return first if first == last and written != _WHOLE_WEEK else part


def _plain(value: str) -> str:
    """A number without leading zeros, or a name in small letters."""
    return str(int(value)) if value.isdecimal() else value.lower()


def _check_field(rule: str, index: int, field: str) -> None:
    from croniter import croniter  # noqa: PLC0415 (the same)

    fields = ["*"] * max(_FIVE, index + 1)
    fields[index] = field
    try:
        croniter.expand(" ".join(fields))
    except _MISTAKES as error:
        raise _no_field(rule, index) from error
    if _RANDOM.match(field):
        raise _no_field(rule, index)


def _no_field(rule: str, index: int) -> ScheduleError:
    name, wanted = _FIELDS[index]
    return ScheduleError(
        f"{rule!r} is not a cron rule: its {name} cannot be {rule.split()[index]!r}. Write {wanted}; "
        "* for every one, or a list (1,2), a range (1-5) or steps (*/2)."
    )


def check_every(seconds: float) -> None:
    """Checks an interval.

    Raises:
        ScheduleError: it is too short, or longer than anybody waits.
    """
    if not seconds >= SHORTEST:
        raise ScheduleError(f"Every {seconds:g} seconds is too often; the shortest interval is {SHORTEST:g} second.")
    if not seconds <= LONGEST:
        raise ScheduleError(f"Every {seconds:g} seconds is longer than any calendar.")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name, or of a rule: `TZ=EST5EDT,M3.2.0,M11.1.0`.

    Raises:
        ScheduleError: there is none; names the nearest one.
    """
    try:
        return posix_zone(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zones = {zone.casefold(): zone for zone in available_timezones()}
        exact = zones.get(name.casefold())
        advice = f"did you mean {exact!r}?" if exact else hint(name, zones.values(), what="")
        example = "write a name such as Europe/Berlin or Asia/Shanghai"
        raise ScheduleError(sentence(f"There is no time zone {name!r}", advice if "?" in advice else example)) from None
