"""Time zones by name, and which moment a wall clock means when it is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal

from aura_core.schedule_rules import zone_of

__all__ = ["machine_timezone", "moment_of", "zone_of"]
SECOND = timedelta(seconds=1)


def machine_timezone() -> str:
    """The name of this machine's time zone; UTC where the machine does not say."""
    try:
        return tzlocal.get_localzone_name() or "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def moment_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which a wall clock in `zone` shows `wall` for the first time.

    A time that is left out when clocks are put forward becomes the first moment after the gap; of one that comes
    twice when they are put back, the first counts.

    Args:
        wall: date and time without a zone.
        zone: where the clock hangs.

    Returns:
        An aware moment in UTC.
    """
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    return _end_of_gap(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), moment, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment of the change between two moments, to the second."""
    old = before.astimezone(zone).utcoffset()
    low, high = before.replace(microsecond=0), after.replace(microsecond=0)
    while high - low > SECOND:
        middle = low + (high - low) // (2 * SECOND) * SECOND
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == old else (low, middle)
    return high
