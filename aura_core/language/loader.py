"""TaskLoader: finds and loads the task files of one plan; every problem of a file is found at once (seed 000)."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any, cast

from aura_core.errors import DefinitionError, Problem
from aura_core.language.checks import check_task
from aura_core.language.meta import TaskFile
from aura_core.language.problems import MOST_PROBLEMS, Finder
from aura_core.language.pruning import salvage
from aura_core.language.source import Source
from aura_core.language.steps import Place
from aura_core.language.task import TaskDefinition

SUFFIXES = frozenset({".yaml", ".yml"})
_NAME = re.compile(r"[^\W_][\w.-]*")
ROOT_KEYS = frozenset({"meta", "steps", "returns", "outputs", "on_failure"})
"""A file with one of these keys is one task; any other holds several, by name."""


class TaskLoader:
    """Loads the tasks of one plan.

    Args:
        plan: the plan's name.
        folder: the plan's folder; its tasks are in `tasks/`.
    """

    def __init__(self, plan: str, folder: Path) -> None:
        self._plan = plan
        self._folder = folder / "tasks"
        self.tasks: dict[str, TaskDefinition] = {}
        self.problems: list[Problem] = []
        self.incomplete = False

    def load(self) -> None:
        """Fills `tasks`, by name inside the plan, and `problems`; `incomplete` says that tasks could not be read."""
        for path in sorted(self._folder.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and not path.name.startswith("."):
                try:
                    self._load_file(path)
                except DefinitionError as error:
                    self.incomplete = True
                    self.problems.extend(error.problems)

    def _load_file(self, path: Path) -> None:
        source = Source.read(path)
        raw = source.load()
        relative = path.relative_to(self._folder).with_suffix("")
        for name, root in self._entries(source, raw, relative):
            self._add(name, root, source, raw)

    def _entries(self, source: Source, raw: Any, relative: Path) -> list[tuple[str, Place]]:
        """The tasks of a file, as (name, path inside the file)."""
        if not isinstance(raw, dict) or not raw:
            what = "the file is empty" if raw in (None, {}) else "a task file is a mapping"
            self.problems.append(source.problem_at(1, 1, what, "begin with `meta:` and `steps:`"))
            return []
        entries = cast("dict[Any, Any]", raw)
        if ROOT_KEYS & entries.keys():
            return [(relative.as_posix(), ())]
        finder = Finder(source, raw)
        found: list[tuple[str, Place]] = []
        for key, value in entries.items():
            if not isinstance(key, str | int) or isinstance(key, bool) or not key:
                message = f"{key!r} cannot be the name of a task"
                self.problems.append(finder.at((key,), message, "a name is text: put it in quotes", key=True))
            elif isinstance(value, dict):
                found.append(((relative.parent / str(key)).as_posix(), (key,)))
            else:
                message = f"{key!r} is neither a part of a task nor a task of its own"
                self.problems.append(finder.at((key,), message, "a task has `meta:` and `steps:`", key=True))
        return found

    def _add(self, name: str, root: Place, source: Source, raw: Any) -> None:
        ref = f"{self._plan}/{name}"
        finder = Finder(source, raw, root, ref)
        if not all(_NAME.fullmatch(part) for part in name.split("/")):
            message = f"{name!r} cannot be the name of a task: use letters, digits, _, - and ."
            self.problems.append(finder.at((), message, key=True))
            return
        if name in self.tasks:
            message = f"the task {name!r} is there twice, also in {self.tasks[name].source.path}"
            self.problems.append(finder.at((), message, "give one of them another name", key=True))
            return
        task, problems = read_task(ref, root, source, raw)
        if task is None:
            self.incomplete = True
        else:
            self.tasks[name] = task
        self.problems.extend(problems)


def read_task(ref: str, root: Place, source: Source, raw: Any) -> tuple[TaskDefinition | None, list[Problem]]:
    """One task of a file.

    Args:
        ref: full reference, `plan/name`.
        root: path of the task inside the file.
        source: the file.
        raw: its value.

    Returns:
        The task, None if nothing of it can be read, and every problem that shows without looking at other tasks.
    """
    value = raw
    for key in root:
        value = value[key]
    finder = Finder(source, raw, root, ref)
    file, problems = salvage(TaskFile, value, finder)
    task = None
    if file is not None:
        plan, _, name = ref.partition("/")
        task = TaskDefinition(plan, name, file, source, root)
        _settle(file)
        problems.extend(islice(check_task(task, value, finder), MOST_PROBLEMS))
    if len(problems) >= MOST_PROBLEMS:
        problems[MOST_PROBLEMS:] = [finder.at((), "there are more mistakes in this task", "mend the others first")]
    return task, problems


def _settle(file: TaskFile) -> None:
    for index, step in enumerate(file.steps):
        step.settle(("steps", index))
    for index, step in enumerate(file.on_failure.steps if file.on_failure else []):
        step.settle(("on_failure", "steps", index))
