"""What a cron rule of six fields does, in words: some programs put the second first, here it stands last."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from aura_core.errors import ScheduleError
from aura_core.language.time_rules import check_cron
from aura_core.scheduler.triggers import Trigger
from aura_core.scheduler.zones import zone_of

_SIX, _MINUTE = 6, 60
_SHOWN = 3


def told_of_seconds(trigger: Trigger, now: datetime) -> str:
    """What a rule of six fields would do, and what to write if its first field was meant to be the second.

    Args:
        trigger: any trigger.
        now: the present moment.

    Returns:
        One or two sentences; empty for everything but a rule of six fields.
    """
    if trigger.kind != "cron" or len(trigger.rule.split()) != _SIX:
        return ""
    zone = zone_of(trigger.timezone)
    next_ones = [moment.astimezone(zone) for moment in islice(trigger.after(now), _SHOWN)]
    times = ", ".join(f"{moment:%Y-%m-%d %H:%M:%S}" for moment in next_ones)
    how_often = _how_often(trigger.rule)
    text = f"The sixth field of {trigger.rule!r} is the second: it is due {how_often}, next at {times}."
    return text + _quartz(trigger.rule)


def _how_often(rule: str) -> str:
    from croniter import croniter  # noqa: PLC0415 (few rules have six fields)

    seconds = croniter.expand(rule)[0][-1]
    if seconds == ["*"] or len(seconds) == _MINUTE:
        return "every second, 60 times, in each minute that the other fields name"
    return "once a minute" if len(seconds) == 1 else f"{len(seconds)} times a minute"


def _quartz(rule: str) -> str:
    """What to write if the second was meant to stand first, as in Quartz; empty if that is no rule."""
    five = " ".join(rule.split()[1:])
    try:
        check_cron(five)
    except ScheduleError:
        return ""
    return f" If its first field was meant to be the second, as some programs have it, write {five!r}."
