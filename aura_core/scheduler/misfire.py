"""Misfire: which of the moments that have come a job runs for."""

from __future__ import annotations

from datetime import datetime, timedelta

from aura_core.scheduler.job import Missed
from aura_core.scheduler.triggers import Trigger

MOST = 100
"""The most missed moments that are made up for, the latest ones, where a job wants them all."""
FIRST_LOOK = timedelta(minutes=10)


def moments_to_run(
    trigger: Trigger, policy: Missed, first: datetime, now: datetime, grace: timedelta
) -> list[datetime]:
    """The moments of [first, now] for which a job runs, ascending.

    Args:
        trigger: when the job is due.
        policy: skip leaves out what is older than `grace`; once runs for the latest alone; all runs for each, but for
            the latest `MOST` at most.
        first: the earliest moment it has not run for.
        now: the present moment.
        grace: what is later than this was missed.
    """
    if policy == "all":
        return latest(trigger, first, now, MOST)
    moments = latest(trigger, first, now, 1)
    return moments if policy == "once" else [moment for moment in moments if now - moment <= grace]


def latest(trigger: Trigger, first: datetime, until: datetime, most: int) -> list[datetime]:
    """The latest moments of a trigger in [first, until], ascending; `first` counts as one in any case.

    A rule may be met each second and nobody have looked for a year: so it is searched from the end, in steps that
    double.
    """
    look = FIRST_LOOK
    while True:
        begin = max(first, until - look)
        found: list[datetime] = []
        for moment in trigger.after(begin):
            if moment > until:
                break
            found.append(moment)
        if begin == first:
            found.insert(0, first)
        if len(found) >= most or begin == first:
            return found[-most:]
        look *= 2
