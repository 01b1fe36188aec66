"""What a person or a plan writes for "when", as a checked trigger."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aura_core.errors import ScheduleError
from aura_core.language.time_rules import check_cron, check_every
from aura_core.scheduler.topics import check_pattern
from aura_core.scheduler.triggers import At, Cron, Every, OnEvent, Trigger
from aura_core.scheduler.zones import check_moment, machine_timezone, moment_of, zone_of


def trigger_of(
    *,
    now: datetime,
    cron: str | None = None,
    every: float | None = None,
    at: datetime | None = None,
    on_event: str | None = None,
    timezone: str | None = None,
) -> Trigger:
    """Makes the trigger of exactly one of `cron`, `every`, `at` and `on_event`.

    Args:
        now: the present moment, aware.
        cron: a cron rule.
        every: seconds.
        at: one moment; without a zone of its own it is meant in `timezone`.
        on_event: name of an event.
        timezone: for `cron` and `at`; the machine's if left out. One that is given must exist in any case.

    Raises:
        ScheduleError: none or several are given, or the one that is given can never happen.
    """
    given = [name for name, value in _named(cron, every, at, on_event) if value is not None]
    if len(given) != 1:
        found = f"{' and '.join(given)} are given" if given else "none is given"
        raise ScheduleError(f"A job needs exactly one of cron, every, at and on_event, but {found}.")
    zone = timezone or machine_timezone()
    if timezone:
        zone_of(timezone)
    if cron is not None:
        return _cron(cron, zone)
    if every is not None:
        return _every(every, now)
    if at is not None:
        return _at(at, zone, now)
    return OnEvent(check_pattern(on_event or ""))


def _named(*values: object) -> list[tuple[str, object]]:
    return list(zip(("cron", "every", "at", "on_event"), values, strict=True))


def _cron(rule: str, timezone: str) -> Cron:
    zone_of(timezone)
    check_cron(rule)
    return Cron(" ".join(rule.split()), timezone)


def _every(seconds: float, now: datetime) -> Every:
    check_every(seconds)
    return Every(float(seconds), now.astimezone(UTC).replace(microsecond=0))


def _next_of(wall: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment of a wall clock's time; of one that comes twice the second, if the first has passed."""
    first, second = moment_of(wall, zone), wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return second if first <= now < second else first


def _at(moment: datetime, timezone: str, now: datetime) -> At:
    zone = zone_of(timezone)
    check_moment(moment)
    aware = moment if moment.tzinfo else _next_of(moment, zone, now)
    if aware <= now:
        shown, present = (value.astimezone(zone).strftime("%Y-%m-%d %H:%M") for value in (aware, now))
        raise ScheduleError(f"{shown} has passed: it is {present} in {timezone} now. Give a time that is to come.")
    return At(aware.astimezone(zone))
