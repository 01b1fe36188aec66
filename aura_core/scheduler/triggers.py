"""Triggers: what makes a job due; each gives the moments that come after a moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from aura_core.language.time_rules import walls_of
from aura_core.scheduler.zones import moment_of, zone_of


@dataclass(frozen=True, slots=True)
class Cron:
    """At the times of a cron rule, by the wall clock of a time zone.

    Each time of the rule counts once: one that is left out when clocks are put forward comes at the first moment
    after the gap, and one that comes twice when they are put back counts the first time only.

    Attributes:
        rule: five fields as in crontab, with seconds as an optional sixth.
        timezone: name of the zone, e.g. "Europe/Berlin".
    """

    rule: str
    timezone: str
    kind: Literal["cron"] = "cron"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments after `moment`, ascending, in UTC."""
        zone = zone_of(self.timezone)
        last = moment
        wall = moment.astimezone(zone).replace(tzinfo=None)
        walls = walls_of(self.rule, wall)
        while True:
            try:
                found = moment_of(next(walls), zone)
            except (ValueError, OverflowError):  # never again: croniter's own error is a ValueError, too
                return
            if found > last:
                yield found
                last = found

    def __str__(self) -> str:
        return f"cron {self.rule} ({self.timezone})"


@dataclass(frozen=True, slots=True)
class Every:
    """Again each time that a number of seconds has passed, by real time: clock changes do not matter.

    Attributes:
        seconds: the interval.
        anchor: a moment from which the others are whole intervals away, those before it, too: a clock that was ahead
            when it was set delays nothing.
    """

    seconds: float
    anchor: datetime
    kind: Literal["every"] = "every"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments after `moment`, ascending, in UTC."""
        step = timedelta(seconds=self.seconds)
        anchor = self.anchor.astimezone(UTC)
        number = (moment - anchor) // step + 1
        try:
            for turn in itertools.count(number):
                yield anchor + turn * step
        except OverflowError:
            return

    def __str__(self) -> str:
        return f"every {_spelled(self.seconds)}"


@dataclass(frozen=True, slots=True)
class At:
    """Once.

    Attributes:
        moment: when.
    """

    moment: datetime
    kind: Literal["at"] = "at"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Its moment, if that is after `moment`."""
        return iter([self.moment.astimezone(UTC)] if self.moment > moment else [])

    def __str__(self) -> str:
        return f"at {self.moment.isoformat(sep=' ', timespec='seconds')}"


@dataclass(frozen=True, slots=True)
class OnEvent:
    """Whenever something happens.

    Attributes:
        pattern: name of an event, see `aura_core.scheduler.topics`; `*` stands for anything.
    """

    pattern: str
    kind: Literal["on_event"] = "on_event"

    def after(self, moment: datetime) -> Iterator[datetime]:  # noqa: ARG002 (as the other triggers)
        """Nothing: no clock knows when."""
        return iter(())

    def __str__(self) -> str:
        return f"on {self.pattern}"


Trigger = Cron | Every | At | OnEvent


def next_after(trigger: Trigger, moment: datetime) -> datetime | None:
    """The first moment after `moment`; None if there is none."""
    return next(trigger.after(moment), None)


def _spelled(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:g}{unit}"
    return f"{seconds:g}s"
