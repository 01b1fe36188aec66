"""What a person or a plan writes for "when", as a checked trigger."""

from __future__ import annotations

from datetime import UTC, datetime

from croniter import CroniterError, croniter

from aura_core.errors import ScheduleError
from aura_core.scheduler.topics import check_pattern
from aura_core.scheduler.triggers import At, Cron, Every, OnEvent, Trigger, next_after
from aura_core.scheduler.zones import machine_timezone, moment_of, zone_of

SHORTEST = 1.0
"""Seconds between two runs of one job, at least."""
CRON_FIELDS = (5, 6)
_CRON_HELP = (
    "Write five fields: minute, hour, day of month, month, day of week, "
    'e.g. "0 8 * * *" for every day at 8 or "30 9 * * mon-fri" for 9:30 from Monday to Friday.'
)


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
        timezone: for `cron` and `at`; the machine's if left out.

    Raises:
        ScheduleError: none or several are given, or the one that is given can never happen.
    """
    given = [name for name, value in _named(cron, every, at, on_event) if value is not None]
    if len(given) != 1:
        found = f"{' and '.join(given)} are given" if given else "none is given"
        raise ScheduleError(f"A job needs exactly one of cron, every, at and on_event, but {found}.")
    zone = timezone or machine_timezone()
    if cron is not None:
        return _cron(cron, zone, now)
    if every is not None:
        return _every(every, now)
    if at is not None:
        return _at(at, zone, now)
    return OnEvent(check_pattern(on_event or ""))


def _named(*values: object) -> list[tuple[str, object]]:
    return list(zip(("cron", "every", "at", "on_event"), values, strict=True))


def _cron(rule: str, timezone: str, now: datetime) -> Cron:
    zone_of(timezone)
    fields = rule.split()
    if len(fields) not in CRON_FIELDS and not rule.startswith("@"):
        raise ScheduleError(f"{rule!r} is no cron rule: it has {len(fields)} fields. {_CRON_HELP}")
    try:
        croniter(rule, now.replace(tzinfo=None))
    except (CroniterError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise ScheduleError(f"{rule!r} is no cron rule: {_reason(error, rule)}. {_CRON_HELP}") from error
    trigger = Cron(" ".join(fields), timezone)
    if next_after(trigger, now) is None:
        raise ScheduleError(f"The cron rule {rule!r} is never met: no day is like that. {_CRON_HELP}")
    return trigger


def _reason(error: Exception, rule: str) -> str:
    return str(error).replace(f"[{rule}]", "it").rstrip(". ") or "it cannot be read"


def _every(seconds: float, now: datetime) -> Every:
    if not seconds >= SHORTEST:
        raise ScheduleError(f"Every {seconds:g} seconds is too often; the shortest interval is {SHORTEST:g} second.")
    trigger = Every(float(seconds), now.astimezone(UTC).replace(microsecond=0))
    try:
        found = next_after(trigger, now)
    except OverflowError:
        found = None
    if found is None:
        raise ScheduleError(f"Every {seconds:g} seconds is longer than any calendar.")
    return trigger


def _at(moment: datetime, timezone: str, now: datetime) -> At:
    zone = zone_of(timezone)
    aware = moment_of(moment, zone) if moment.tzinfo is None else moment
    if aware <= now:
        shown, present = (value.astimezone(zone).strftime("%Y-%m-%d %H:%M") for value in (aware, now))
        raise ScheduleError(f"{shown} has passed: it is {present} in {timezone} now. Give a time that is to come.")
    return At(aware.astimezone(zone))
