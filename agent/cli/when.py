"""What the options of `aura schedule add` say about when: a duration, a time, a receiver."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from pydantic_core import PydanticCustomError

from agent.addresses import TERMINAL, TERMINAL_SESSION, address_of
from agent.channels.terminal.person import terminal_person
from agent.errors import AgentError
from agent.schedules.owner import JobOwner
from aura_core.language.fields import seconds_of
from aura_core.scheduler.zones import zone_of

_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")


def seconds_from(text: str) -> float:
    """A duration such as 15m, in seconds.

    Raises:
        AgentError: it is something else; shows examples.
    """
    try:
        return float(seconds_of(text))
    except PydanticCustomError as error:
        raise AgentError(f"--every: {error.message()}.") from error


def moment_from(text: str, timezone: str, now: datetime) -> datetime:
    """A date and time, or a time of day: the next one.

    Args:
        text: e.g. "2026-12-24 18:00", "18:00".
        timezone: whose wall clock is meant, unless the text says so itself.
        now: the present moment.

    Raises:
        AgentError: it is something else; shows examples.
    """
    zone = zone_of(timezone)
    local = now.astimezone(zone)
    try:
        if _CLOCK.fullmatch(text):
            wall = datetime.combine(local.date(), time.fromisoformat(text.zfill(len(text) + (text[1] == ":"))))
            last = wall.replace(tzinfo=zone, fold=1)  # the second one, where the clock shows it twice
            return wall if last.timestamp() > now.timestamp() else wall + timedelta(days=1)
        return datetime.fromisoformat(text)
    except ValueError:
        example = f"{local + timedelta(days=1):%Y-%m-%d} 18:00"
        raise AgentError(
            f"--at {text!r} is not a time; write {example!r}, or 18:00 for the next time it is 18:00."
        ) from None


def receiver(to: str | None) -> JobOwner:
    """Whose job it is and where its results go.

    Args:
        to: `telegram:ID` of a person; None is whoever sits at this terminal.

    Raises:
        AgentError: it is something else.
    """
    if to is None:
        return JobOwner(person=terminal_person(), session_id=TERMINAL_SESSION, dest={"channel": TERMINAL})
    address = address_of(to)
    if address is None or address.person != to or not to.partition(":")[2].isdecimal():
        raise AgentError(f"--to {to!r} is not a person; write telegram:ID with the number that /id tells in the chat.")
    return JobOwner(person=address.person, session_id=address.session_id, dest=address.dest)
