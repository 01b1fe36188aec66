"""Topics: the names that events have for `on_event`, and what a job learns of them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from aura_core.data.plan_state import StateSetAside
from aura_core.errors import ScheduleError
from aura_core.execution.task_events import TaskChanged
from aura_core.generations.events import PlansReloaded
from aura_core.ground.suggestions import hint, sentence
from aura_core.interrupts.events import InterruptFired

_TASK_TOPICS = {
    "running": "task.started",
    "success": "task.succeeded",
    "stopped": "task.stopped",
    "error": "task.failed",
    "timeout": "task.failed",
    "cancelled": "task.cancelled",
}
TOPICS = (*dict.fromkeys(_TASK_TOPICS.values()), "interrupt.fired", "data.set_aside", "plans.reloaded")
"""Every name; behind a colon stands what it is about, e.g. `task.failed:notes/add`."""
_PATTERN = re.compile(r"[\w.*?-]+(:\S+)?")


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as a job sees it.

    Attributes:
        topic: its name.
        about: the task, interrupt or plan that it is about.
        corr_id: the run behind it; may be empty.
        facts: what the job gets to know, JSON.
    """

    topic: str
    about: str
    corr_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def happening_of(event: object) -> Happening | None:
    """What an event of the bus is for jobs; None if no job can wait for it."""
    match event:
        case TaskChanged(phase=phase) if phase in _TASK_TOPICS:
            return _task(event)
        case InterruptFired(phase="began"):
            about = event.interrupt
            return Happening(
                "interrupt.fired",
                about,
                event.corr_id,
                {"topic": "interrupt.fired", "interrupt": about, "at": event.at},
            )
        case PlansReloaded():
            names = [*event.plans, *event.added, *event.removed]
            facts = {"topic": "plans.reloaded", "plans": names}
            return Happening("plans.reloaded", " ".join(names), "", facts)
        case StateSetAside():
            facts = {"topic": "data.set_aside", "plan": event.plan, "reason": event.reason}
            return Happening("data.set_aside", event.plan, "", facts)
        case _:
            return None


def _task(event: TaskChanged) -> Happening:
    topic = _TASK_TOPICS[event.phase]
    facts: dict[str, Any] = {
        "topic": topic,
        "task": event.task,
        "status": event.phase,
        "run": event.corr_id,
        "error": asdict(event.error) if event.error else None,
        "at": event.at,
    }
    return Happening(topic, event.task, event.corr_id, facts)


def matches(pattern: str, happening: Happening) -> bool:
    """Whether an event is one that the pattern means."""
    topic, _, about = pattern.partition(":")
    return fnmatchcase(happening.topic, topic) and (not about or fnmatchcase(happening.about, about))


def check_pattern(pattern: str) -> str:
    """The pattern, if any event could ever match it.

    Raises:
        ScheduleError: none could; names the nearest event.
    """
    topic = pattern.partition(":")[0]
    if not _PATTERN.fullmatch(pattern) or not any(fnmatchcase(name, topic) for name in TOPICS):
        advice = hint(topic, TOPICS, what="the events are")
        statement = sentence(f"There is no event {pattern!r}", advice)
        raise ScheduleError(f"{statement} `task.failed:notes/*` means one plan's tasks.")
    return pattern
