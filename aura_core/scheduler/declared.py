"""Jobs that plans declare: `schedule` and `on_event` in the meta of their tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from aura_core.errors import CoreError, Problem
from aura_core.language.task import TaskDefinition
from aura_core.scheduler.job import Job
from aura_core.scheduler.when import trigger_of

ON_EVENT = "@event"
"""Behind the task's reference: the id of the job that an event starts."""


@dataclass(slots=True)
class Declared:
    """The jobs of plans.

    Attributes:
        jobs: those that can run.
        problems: what is wrong with the others, with its place.
        mistaken: ids of the others.
    """

    jobs: list[Job] = field(default_factory=list[Job])
    problems: list[Problem] = field(default_factory=list[Problem])
    mistaken: set[str] = field(default_factory=set[str])


def declared_jobs(tasks: Iterable[TaskDefinition], now: datetime, timezone: str = "") -> Declared:
    """The jobs that tasks declare.

    Args:
        tasks: all tasks.
        now: the present moment.
        timezone: of schedules that name none; empty takes the machine's.
    """
    declared = Declared()
    for task in tasks:
        for key in ("schedule", "on_event"):
            if getattr(task.meta, key) is None:
                continue
            try:
                declared.jobs.append(_job(task, key, now, timezone))
            except CoreError as error:
                line, column = task.source.position((*task.root, "meta", key))
                declared.mistaken.add(_id(task, key))
                declared.problems.append(Problem(str(task.source.path), line, column, str(error), task=task.ref))
    return declared


def _job(task: TaskDefinition, key: str, now: datetime, timezone: str) -> Job:
    meta, schedule = task.meta, task.meta.schedule
    title = meta.title or task.name
    if key == "on_event" or schedule is None:
        trigger = trigger_of(now=now, on_event=meta.on_event)
        return Job(_id(task, key), task.ref, trigger, title=title, priority=meta.priority, source="plan")
    task.validate_inputs(schedule.inputs)
    zone = schedule.timezone or timezone or None
    trigger = trigger_of(now=now, cron=schedule.cron, every=schedule.every, timezone=zone)
    return Job(
        _id(task, key),
        task.ref,
        trigger,
        inputs=schedule.inputs,
        title=title,
        missed=schedule.missed,
        priority=meta.priority,
        source="plan",
        deliver=tuple(schedule.deliver),
    )


def _id(task: TaskDefinition, key: str) -> str:
    return f"{task.ref}{ON_EVENT}" if key == "on_event" else task.ref
