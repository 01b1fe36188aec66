"""The files of a session, as a person is shown them."""

from __future__ import annotations

import os
from pathlib import Path

MOST_FILES = 500


def session_files(folder: Path) -> list[str]:
    """Files below a folder, as relative paths, sorted; hidden ones and those beyond the first 500 left out."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):  # passes over what a run deletes meanwhile
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(place, name) for name in names if not name.startswith("."))
        found += [path.relative_to(folder).as_posix() for path in paths if path.is_file()]
        if len(found) >= MOST_FILES:
            break
    return sorted(found[:MOST_FILES])
