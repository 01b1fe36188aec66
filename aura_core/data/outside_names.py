"""Which files of a folder bear a name from outside: kept beside the folder, for a name is read like any other text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from filelock import FileLock

from aura_core.storage.atomic_file import write_atomically

LOCK_SECONDS = 10.0
ENDING = ".outside.json"
"""Behind the folder's name: the file that keeps them."""


def names_from_outside(folder: Path) -> frozenset[str]:
    """Names of files, relative to the folder, that somebody else than the person chose.

    If what was kept cannot be read, every file counts as such.
    """
    try:
        return frozenset(_read(folder))
    except (OSError, ValueError):
        found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return frozenset(found)


def keep_name(folder: Path, name: str, *, from_outside: bool) -> None:
    """Keeps whether a file's name came from outside.

    Args:
        folder: the folder of the files; it is there.
        name: relative to it.
        from_outside: who chose it.

    Raises:
        HomeNotWritableError: it cannot be written down.
    """
    path = _path(folder)
    if not from_outside and not path.exists():
        return
    with FileLock(f"{path}.lock", timeout=LOCK_SECONDS):
        known = names_from_outside(folder)
        wanted = known | {name} if from_outside else known - {name}
        if wanted != known or not path.exists():
            there = [one for one in sorted(wanted) if one == name or (folder / one).exists()]
            write_atomically(path, json.dumps(there, ensure_ascii=False) + "\n")


def _path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{ENDING}")


def _read(folder: Path) -> list[str]:
    try:
        found: object = json.loads(_path(folder).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    if not isinstance(found, list):
        raise ValueError("no list of names")  # noqa: TRY004 (one handler for every damage)
    return [str(name) for name in cast("list[object]", found)]
