"""Files of a plan that hold named entries (states.yaml, interrupts.yaml): each entry is checked on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, cast, overload

from pydantic import BaseModel, TypeAdapter, ValidationError

from aura_core.errors import DefinitionError, Problem
from aura_core.ground.suggestions import hint
from aura_core.language.problems import Finder
from aura_core.language.pruning import salvage
from aura_core.language.source import Source
from aura_core.language.steps import Place

EntryT = TypeVar("EntryT", bound=BaseModel)


def read_side_file(path: Path, keys: tuple[str, ...] = ()) -> tuple[Source | None, dict[Any, Any], list[Problem]]:
    """Reads a file that is a mapping; an empty one is an empty mapping.

    Args:
        path: the file.
        keys: the keys it may have; empty: any.

    Returns:
        Its source, None if there is no such file or it cannot be read; its value; and what is wrong.
    """
    if not path.is_file():
        return None, {}, []
    try:
        source = Source.read(path)
        raw = source.load()
    except DefinitionError as error:
        return None, {}, error.problems
    if raw is None:
        return source, {}, []
    if not isinstance(raw, dict):
        wanted = f"begin with `{keys[0]}:`" if keys else "write `name: {…}` lines"
        return None, {}, [source.problem_at(1, 1, f"{path.name} is a mapping", wanted)]
    value = cast("dict[Any, Any]", raw)
    finder = Finder(source, value)
    unknown = [key for key in value if keys and key not in keys]
    problems = [
        finder.at((key,), f"unknown key {key!r}", hint(str(key), keys, what="known keys"), key=True) for key in unknown
    ]
    return source, value, problems


@overload
def entries_of(
    model: type[EntryT], source: Source, raw: dict[Any, Any], root: Place, *, key: Any
) -> tuple[dict[str, EntryT], list[Problem]]: ...
@overload
def entries_of(
    model: type[EntryT], source: Source, raw: dict[Any, Any], root: Place
) -> tuple[dict[int, EntryT], list[Problem]]: ...
def entries_of(
    model: type[EntryT], source: Source, raw: dict[Any, Any], root: Place, *, key: Any = None
) -> tuple[dict[Any, EntryT], list[Problem]]:
    """The good entries of one part of a file, and all problems of the others.

    Args:
        model: what an entry should be.
        source: the file.
        raw: its value.
        root: where the part stands; empty: the whole file.
        key: type of an entry's name; left out, the part is a list, and entries are found by their position.
    """
    part: Any = raw
    for name in root:
        part = part.get(name)
    if part is None:
        return {}, []
    finder = Finder(source, raw)
    if not isinstance(part, list if key is None else dict):
        what = "a list (`- item`) is wanted" if key is None else "a mapping (`key: value`) is wanted"
        return {}, [finder.at(root, what)]
    items = list(enumerate(cast("list[Any]", part)) if key is None else cast("dict[Any, Any]", part).items())
    entries: dict[Any, EntryT] = {}
    problems: list[Problem] = []
    for name, value in items:
        problems += _wrong_name(name, key, finder, root)
        entry, mistakes = salvage(model, value, Finder(source, raw, (*root, name)))
        problems += mistakes
        if entry is not None and not mistakes:
            entries[name if key is None else str(name)] = entry
    return entries, problems


def _wrong_name(name: Any, key: Any, finder: Finder, root: Place) -> list[Problem]:
    if key is None:
        return []
    try:
        TypeAdapter(key).validate_python(name)
    except ValidationError as error:
        words = error.errors(include_url=False)[0]["msg"]
        return [finder.at((*root, str(name)), words, key=True)]
    return []
