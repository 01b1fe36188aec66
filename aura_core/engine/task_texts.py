"""Task texts: a task that goes on after a restart has the text with which it began, whatever its files say by then.

The text lies in the journal of the step, so it is forgotten with the step; a file is there once for each version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aura_core.errors import DefinitionError, NotFoundError, Problem
from aura_core.language.loader import read_task
from aura_core.language.source import Source

if TYPE_CHECKING:
    from aura_core.ground.journal import Journal
    from aura_core.language.task import TaskDefinition


def texts_of(ref: str, tasks: Iterable[TaskDefinition], scope: str = "") -> dict[str, Any]:
    """The journal entries that keep the text of a task and of those that it may lead to.

    Args:
        ref: full reference of the task.
        tasks: it and the others.
        scope: tells the task from others of the same journal; may be empty.
    """
    places: dict[str, Any] = {}
    texts: dict[str, Any] = {}
    for task in tasks:
        mark = _mark(task.source)
        places[task.ref] = [str(task.source.path), mark, list(task.root)]
        texts[_text_key(mark)] = task.source.text
    return {_places_key(ref, scope): places, **texts}


def edited_tasks(ref: str, journal: Journal, scope: str, find: Callable[[str], TaskDefinition]) -> list[TaskDefinition]:
    """The tasks of a run that has begun whose text is another one by now, or that are gone, as they were.

    Args:
        ref: full reference of the task.
        journal: of the run.
        scope: tells the task from others of the same journal; may be empty.
        find: full reference -> the task as it is now.

    Raises:
        DefinitionError: this version of Aura cannot read the recorded text.
    """
    places: dict[str, tuple[str, str, list[str | int]]] = journal.recall(_places_key(ref, scope)) or {}
    found: list[TaskDefinition] = []
    problems: list[Problem] = []
    for name, (path, mark, root) in places.items():
        if _is_as_recorded(name, mark, root, find):
            continue
        source = Source(Path(path), journal.recall(_text_key(mark)))
        task, mistakes = read_task(name, tuple(root), source, source.load())
        problems += mistakes
        if task is not None:
            found.append(task)
    if problems:
        raise DefinitionError(problems)
    return found


def _is_as_recorded(ref: str, mark: str, root: list[str | int], find: Callable[[str], TaskDefinition]) -> bool:
    try:
        task = find(ref)
    except NotFoundError:
        return False
    return _mark(task.source) == mark and list(task.root) == root


def _mark(source: Source) -> str:
    return blake2b(source.text.encode(), digest_size=16).hexdigest()


def _places_key(ref: str, scope: str) -> str:
    return f"{scope}texts of {ref}"


def _text_key(mark: str) -> str:
    return f"text {mark}"
