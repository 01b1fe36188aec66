"""Reminders: understood, added, listed, removed; kept as jobs of the person, so that they outlive restarts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from aura_core.api import (
    ActionError,
    Context,
    ScheduledJob,
    ScheduleService,
    action,
    local_now,
    on_local_clock,
    requires_services,
)

from ..times.calendar import Calendar
from .words import agrees, rule_of, said, when_of

REMIND = "reminders/remind"
LONGEST = 2000
_NUMBER = re.compile(r"(?:reminder |number |no\.? |#|№ ?|напоминание )*(\d{1,4})\.?")


@action("understand")
@requires_services(dates="dates")
def understand(
    text: str, config: Callable[..., Any], dates: Calendar, when: str = "", guess: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Reads when to remind, and of what.

    Args:
        text: what to be reminded of; may say when, too.
        config: the plan's settings.
        dates: the calendar.
        when: when, in words; empty if the text says it or nobody did.
        guess: what was understood before, if `when` is the answer to its problem.

    Returns:
        `{text, problem, options, cron, every, at}`; the problem is a question to the person, empty if all is
        clear; if it has options, it asks whether `cron`, `every` and `at` are what is meant, and the first one says so.
    """
    from ..times.reading import read, read_when

    text = " ".join(text.split())
    morning, now = _time(config("morning", "09:00")), local_now()
    wall = now.replace(tzinfo=None)
    if guess and agrees(when, guess["options"]):
        return {**guess, **_past(guess["at"], text, now, dates), "options": []}
    sentence = read(text, wall, morning, dates)
    said_when = read_when(when, wall, morning, dates) if when.strip() else sentence
    rest = sentence.rest if sentence.when is not None or not when.strip() else text
    found = said_when.when or (None if guess else said_when.guess)  # nobody is asked twice
    clear: dict[str, Any] = {
        "text": rest,
        "problem": "",
        "options": [],
        "cron": "",
        "every": 0.0,
        "at": "",
    }
    if found is None:
        return {**clear, "problem": said("unread" if when.strip() else "when", text, when=when.strip()[:80])}
    at = found.at
    if found.after is not None and found.after > 0:
        at = on_local_clock(now.astimezone(UTC) + timedelta(seconds=found.after))
    clear |= {"cron": found.cron, "every": found.every, "at": at.isoformat() if at else ""}
    clear |= _past(clear["at"], text, now, dates)
    if said_when.when is None and not clear["problem"]:
        meant = when_of(at, text, dates) if at else rule_of(found.rule, text)
        clear |= {"problem": said("right", text, when=meant), "options": [said("yes", text)]}
    return clear


def _past(at: str, text: str, now: datetime, dates: Calendar) -> dict[str, Any]:
    """The problem of a moment that has passed; nothing if it has not."""
    moment = datetime.fromisoformat(at) if at else None
    if moment is None or (moment > now if moment.tzinfo else moment > now.replace(tzinfo=None)):
        return {"problem": ""}
    return {"problem": said("past", text, when=when_of(moment, text, dates), now=f"{now:%H:%M}")}


def _time(setting: Any) -> time:
    """The setting `morning`; 20:00 without quotes is a number of minutes in YAML.

    Raises:
        ActionError: it is not a time of day.
    """
    text = f"{setting // 60:02d}:{setting % 60:02d}" if isinstance(setting, int) else str(setting).strip()
    if re.fullmatch(r"\d{1,2}:\d{2}", text) and int(text[:-3]) < 24 and int(text[-2:]) < 60:  # noqa: PLR2004 (a clock)
        return time(int(text[:-3]), int(text[-2:]))
    raise ActionError(
        f"The setting `morning` of the plan reminders is {setting!r}, which is not a time of day; write one such as "
        '"09:00", in quotes.'
    )


@action("add", effects="write")
@requires_services(schedule="schedule", dates="dates")
async def add(found: dict[str, Any], schedule: ScheduleService, dates: Calendar, context: Context) -> dict[str, Any]:
    """Adds a reminder for whoever asks.

    Args:
        found: what `understand` gave.
        schedule: keeps jobs.
        dates: the calendar.
        context: the running task's.

    Returns:
        `{id, text, when, next, message}`.

    Raises:
        ActionError: it is still unclear when, or there is nothing to be reminded of.
    """
    text = str(found["text"]).strip()
    if found["problem"]:
        raise ActionError(str(found["problem"]))
    if not text or len(text) > LONGEST:
        raise ActionError(said("what" if not text else "long", text))
    job = await schedule.add(
        context.run,
        REMIND,
        {"text": text},
        cron=found["cron"] or None,
        every=found["every"] or None,
        at=datetime.fromisoformat(found["at"]) if found["at"] else None,
        title=text,
    )
    shown = _shown(job, dates)
    when = shown["next"]
    if not when and found["at"]:  # a repeated step: added before, and due since
        when = when_of(datetime.fromisoformat(found["at"]), text, dates)
    return {**shown, "message": said("again" if job.repeats else "added", text, when=when, rule=shown["when"])}


@action("list")
@requires_services(schedule="schedule", dates="dates")
async def list_reminders(schedule: ScheduleService, dates: Calendar, context: Context) -> dict[str, Any]:
    """The reminders of whoever asks, the next one first.

    Args:
        schedule: keeps jobs.
        dates: the calendar.
        context: the running task's.

    Returns:
        `{count, reminders: [{id, text, when, next}], text}`.
    """
    jobs = await schedule.list(context.run, REMIND)
    _mark(jobs, context)
    shown = [_shown(job, dates) for job in jobs]
    lines = [
        f"{number}. {one['next']}: {one['text']}" + (f" ({one['when']})" if one["repeats"] else "")
        for number, one in enumerate(shown, 1)
    ]
    return {"count": len(shown), "reminders": shown, "text": "\n".join(lines) or "There are no reminders."}


@action("remove", effects="write")
@requires_services(schedule="schedule")
async def remove(reminder: str, schedule: ScheduleService, context: Context) -> dict[str, Any]:
    """Removes one reminder.

    Args:
        reminder: its number in the list, its id, or words that stand in it alone.
        schedule: keeps jobs.
        context: the running task's.

    Returns:
        `{id, text, message}`.

    Raises:
        ActionError: none, or more than one, is meant.
    """
    jobs = await schedule.list(context.run, REMIND)
    meant = _meant(jobs, reminder)
    if not meant:
        raise ActionError(f"There is no reminder “{reminder.strip()[:80]}”; /reminders shows all of them.")
    if len(meant) > 1:
        listed = "; ".join(f"{jobs.index(job) + 1}: {_text_of(job)[:40]}" for job in meant[:5])
        raise ActionError(f"“{reminder.strip()[:80]}” fits {len(meant)} reminders; say the number. {listed}")
    _mark(meant, context)
    gone = await schedule.remove(context.run, meant[0].id)
    text = _text_of(gone)
    return {"id": gone.id, "text": text, "message": said("removed", text)}


def _mark(shown: Sequence[ScheduledJob], context: Context) -> None:
    """Says so if a reminder that is shown was made of words from outside."""
    if any(job.from_outside for job in shown):
        context.mark_from_outside()


def _meant(jobs: Sequence[ScheduledJob], words: str) -> list[ScheduledJob]:
    number = _NUMBER.fullmatch(words.strip().casefold())
    if number is not None:
        return list(jobs[int(number[1]) - 1 : int(number[1])]) if int(number[1]) else []
    wanted = words.casefold().split()
    return [job for job in jobs if job.id == words.strip() or all(word in _text_of(job).casefold() for word in wanted)]


def _text_of(job: ScheduledJob) -> str:
    """What a reminder says; one that was added as a job may have another title."""
    return str(job.inputs.get("text") or job.title)


def _shown(job: ScheduledJob, dates: Calendar) -> dict[str, Any]:
    """A reminder, its moment on the person's clock."""
    text, moment = _text_of(job), None if job.next_at is None else on_local_clock(job.next_at)
    return {
        "id": job.id,
        "text": text,
        "when": rule_of(job.when, text),
        "next": when_of(moment, text, dates) if moment else "",
        "repeats": job.repeats,
    }
