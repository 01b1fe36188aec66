"""Whose clock is meant: that of a profile's people, or this machine's."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.contracts import Profile
from aura_core.language.time_rules import zone_of


def zone_name(profile: Profile) -> str:
    """The name of the time zone in which the people of a profile mean and see times."""
    from aura_core.scheduler.zones import machine_timezone  # noqa: PLC0415 (most commands ask for no zone)

    return profile.timezone or machine_timezone()


def on_clock_of(profile: Profile, moment: datetime) -> datetime:
    """A moment as the clock of a profile's people shows it.

    Args:
        profile: whose clock is meant.
        moment: aware.
    """
    return moment.astimezone(zone_of(profile.timezone) if profile.timezone else None)


def now_for(profile: Profile) -> datetime:
    """The present moment on the clock of a profile's people."""
    return on_clock_of(profile, datetime.now(UTC))
