"""The files of a session, as a person is shown them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MOST_FILES = 500


def session_files(folder: Path) -> list[str]:
    """Files below a folder, as relative paths, sorted; hidden ones and those beyond the first 500 left out."""
    found: list[str] = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            found.append(relative.as_posix())
            if len(found) >= MOST_FILES:
                break
    return sorted(found)
