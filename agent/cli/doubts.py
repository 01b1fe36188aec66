"""Doubts: what is allowed in plans and settings and probably not meant; `aura check` tells them beside the mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config import SETTINGS_FILE
from aura_core.errors import Problem
from aura_core.ground.suggestions import hint
from aura_core.language.unset import unset_variables
from aura_core.plugins.builtin import builtin_folder
from aura_core.scheduler.six_fields import told_of_seconds
from aura_core.scheduler.triggers import Cron
from aura_core.scheduler.zones import machine_timezone

if TYPE_CHECKING:
    from agent.config import AppConfig
    from aura_core.language.plan import PlanDefinition
    from aura_core.language.task import TaskDefinition

_SETS_VARIABLES = re.compile(r"\.variables\b")


def doubts(plans: Sequence[PlanDefinition], config: AppConfig) -> list[Problem]:
    """Everything that is allowed and probably not meant.

    Args:
        plans: all that can be used.
        config: settings; they name tasks and people.
    """
    tasks = [task for plan in plans for task in plan.tasks.values()]
    setters = [plan.name for plan in plans if _sets_variables(plan)]
    return [
        *unset_variables(tasks, setters),
        *_taken_commands(tasks),
        *_idle_globs(tasks, config),
        *_schedules(tasks, config),
    ]


def _sets_variables(plan: PlanDefinition) -> bool:
    """Whether a plan's Python gives variables values by itself."""
    return any(_SETS_VARIABLES.search(file.read_text("utf-8", "replace")) for file in plan.folder.rglob("*.py"))


def _at(task: TaskDefinition, *place: str, message: str, advice: str = "") -> Problem:
    line, column = task.source.position((*task.root, "meta", *place))
    return Problem(str(task.source.path), line, column, message, advice, task.ref)


def _is_built_in(task: TaskDefinition) -> bool:
    return task.source.path.is_relative_to(builtin_folder("plans"))


def _taken_commands(tasks: Iterable[TaskDefinition]) -> Iterator[Problem]:
    """Commands that another task has, or the chat itself; a plan that comes with Aura knows what it does."""
    from agent.channels.own_commands import BUILT_IN, OWN_COMMANDS, menu_name

    own = {name.removeprefix("/"): "the terminal's chat" for name in OWN_COMMANDS} | dict.fromkeys(BUILT_IN, "Telegram")
    first: dict[str, TaskDefinition] = {}
    for task in sorted(tasks, key=lambda task: task.ref):
        name = task.meta.command
        if name is None:
            continue
        if name in own and not _is_built_in(task):
            text = f"the command /{name} is the chat's own ({own[name]}): this task cannot be called by it there"
            yield _at(task, "command", message=text, advice="choose another name")
        elif (other := first.setdefault(menu_name(name) or name, task)) is not task:
            if _is_built_in(task):
                advice = f"that one is called as /{task.plan}_{name} now; choose another name"
                yield _at(other, "command", message=f"the command /{name} is that of {task.ref}, too", advice=advice)
                continue
            text, same = f"the command /{other.meta.command} is that of {other.ref}", other.meta.command == name
            advice = f"this one is called as /{task.plan}_{name}" if same else "in Telegram it is lost"
            yield _at(task, "command", message=text, advice=f"{advice}; choose another name")


def _idle_globs(tasks: Sequence[TaskDefinition], config: AppConfig) -> Iterator[Problem]:
    """Globs in profiles and of events that no task fits."""
    refs = [task.ref for task in tasks]
    file = next((path for path in (Path.cwd() / SETTINGS_FILE, config.home / SETTINGS_FILE) if path.is_file()), None)
    for profile in config.profiles.values():
        for key in ("allow", "deny"):
            for glob in getattr(profile, key):
                if not any(fnmatchcase(ref, glob) for ref in refs):
                    text = f"profiles.{profile.name}.{key}: no task fits {glob!r}"
                    yield Problem(str(file or "AURA_PROFILES"), 0, 0, text, hint(glob, _near(refs), what="there are"))
    for task in tasks:
        topic, _, about = (task.meta.on_event or "").partition(":")
        if about and topic.startswith("task.") and not any(fnmatchcase(ref, about) for ref in refs):
            advice = hint(about, _near(refs), what="there are")
            yield _at(task, "on_event", message=f"no task fits {about!r}", advice=advice)


def _near(refs: Iterable[str]) -> list[str]:
    """What a glob may have been meant to be: a task, or all of a plan."""
    return [*dict.fromkeys(f"{ref.partition('/')[0]}/*" for ref in refs), *refs]


def _schedules(tasks: Iterable[TaskDefinition], config: AppConfig) -> Iterator[Problem]:
    """Rules of six fields, and receivers that are nobody."""
    from agent.schedules.receivers import receivers

    now = datetime.now(UTC)
    for task in tasks:
        schedule = task.meta.schedule
        if schedule is None:
            continue
        if schedule.cron is not None:
            zone = schedule.timezone or config.profile("owner").timezone or machine_timezone()
            if told := told_of_seconds(Cron(schedule.cron, zone), now):
                yield _at(task, "schedule", "cron", message=told.rstrip("."))
        for problem in receivers(schedule.deliver, config).problems:
            yield _at(task, "schedule", "deliver", message=problem)
