"""Time zones: this machine's, and which moment a wall clock means when it is put forward or back."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aura_core.errors import ScheduleError
from aura_core.language.posix_zone import PREFIX, rule_in
from aura_core.language.time_rules import zone_of

__all__ = ["check_moment", "machine_timezone", "moment_of", "zone_of"]
SECOND = timedelta(seconds=1)
FIRST_YEAR, LAST_YEAR = 1970, 8999
LOCALTIME = Path("/etc/localtime")


def machine_timezone() -> str:
    """This machine's time zone: its name, or its rule if it has none; UTC where nothing says it.

    It is the zone in which the C library, and so every program here, shows times: what TZ says goes first.
    """
    wanted = os.environ.get("TZ")
    if wanted is not None:
        return _first([*_of_variable(wanted.removeprefix(":"))])
    import tzlocal  # noqa: PLC0415 (most commands ask for no zone)

    try:
        named = tzlocal.get_localzone_name() or ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        named = ""
    return _first([named, _of_file(LOCALTIME)])


def _of_variable(value: str) -> list[str]:
    if value.startswith("/"):
        return [value.rpartition("/zoneinfo/")[2], _of_file(Path(value))]
    return [value, PREFIX + value]


def _of_file(path: Path) -> str:
    try:
        rule = rule_in(path.read_bytes())
    except OSError:
        return ""
    return "UTC" if rule == "UTC0" else PREFIX + rule


def _first(names: list[str]) -> str:
    """The first of several names that is one; UTC, as the C library has it, if none is."""
    for name in names:
        try:
            zone_of(name)
        except ScheduleError:
            continue
        return name
    return "UTC"


def check_moment(moment: datetime) -> None:
    """Checks that a moment can be shown and compared in every time zone.

    Args:
        moment: with or without a zone.

    Raises:
        ScheduleError: it is before 1970 or beyond the year 8999.
    """
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ScheduleError(
            f"The year {moment.year} is out of reach: a job can be due from {FIRST_YEAR} to {LAST_YEAR}."
        )


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
