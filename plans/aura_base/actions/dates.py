"""Today, and counting in days: `now`, `date.add`, `date.diff`."""

from __future__ import annotations

from datetime import date
from typing import Any

from aura_core.api import action, requires_services

from ..days.words import long_date, weekday
from ..services.dates import Dates, shift

DAYS_IN_WEEK = 7


@action("now")
@requires_services(dates="dates")
def now(dates: Dates, zone: str = "") -> dict[str, Any]:
    """The date and the time of day.

    Args:
        dates: the plan's service.
        zone: a time zone or a large city; empty is the person's own.

    Returns:
        `{iso, date, time, weekday, week, zone, text}`, with `week` the ISO week number.
    """
    moment = dates.now(zone)
    name = str(getattr(moment.tzinfo, "key", None) or moment.tzname() or "UTC")
    return {
        "iso": moment.isoformat(timespec="seconds"),
        "date": moment.date().isoformat(),
        "time": f"{moment:%H:%M}",
        "weekday": weekday(moment),
        "week": moment.isocalendar().week,
        "zone": name,
        "text": f"{long_date(moment.date())}, {moment:%H:%M} ({name})",
    }


def _described(day: date) -> dict[str, Any]:
    return {"date": day.isoformat(), "weekday": weekday(day), "text": long_date(day)}


@action("date.add")
@requires_services(dates="dates")
def date_add(
    dates: Dates, start: str = "today", *, days: int = 0, weeks: int = 0, months: int = 0, years: int = 0
) -> dict[str, Any]:
    """The day that lies so far after `start`, or before it with negative amounts.

    Args:
        dates: the plan's service.
        start: a day, as in `Dates.parse`.
        days: days to add, after months and years.
        weeks: weeks to add.
        months: months to add; the 31st becomes the last day of a shorter month.
        years: years to add.

    Returns:
        `{date, weekday, text}`.
    """
    first = dates.parse(start, dates.now().date())
    return _described(shift(first, days=days + DAYS_IN_WEEK * weeks, months=months + 12 * years))


@action("date.diff")
@requires_services(dates="dates")
def date_diff(date: str, dates: Dates, start: str = "today") -> dict[str, Any]:
    """Counts the days from `start` to `date`; negative if it is over.

    Args:
        date: a day, as in `Dates.parse`; without a year its next occurrence after `start`.
        dates: the plan's service.
        start: the day from which is counted.

    Returns:
        `{days, date, weekday, text}`.
    """
    today = dates.now().date()
    first = dates.parse(start, today)
    last = dates.parse(date, first)
    days = (last - first).days
    since = "" if first == today else f" from {long_date(first)}"
    amount = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    if days < 0:
        text = f"{long_date(last)} was {amount} {'ago' if not since else 'before ' + long_date(first)}."
    elif days == 0:
        text = f"{long_date(last)} is {'today' if not since else 'that very day'}."
    else:
        text = f"{amount}{since} until {long_date(last)}."
    return {"days": days, **_described(last), "text": text}
