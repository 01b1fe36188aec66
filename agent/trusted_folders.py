"""Folders whose aura.yaml counts: a file that came with somebody else's folder brings neither plans nor an endpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from aura_core.storage.atomic_file import write_atomically

FILE_NAME = "trusted_folders.json"
VARIABLE = "AURA_TRUSTED_FOLDERS"
"""Further folders, separated like those of PATH."""


def is_trusted(folder: Path, home: Path, environment: Mapping[str, str]) -> bool:
    """Whether the owner trusted a folder.

    Args:
        folder: the folder.
        home: AURA_HOME, which keeps the list.
        environment: may name more.
    """
    named = [part for part in environment.get(VARIABLE, "").split(os.pathsep) if part]
    return str(folder.resolve()) in {*_read(home), *(str(Path(part).expanduser().resolve()) for part in named)}


def trust(folder: Path, home: Path) -> None:
    """Trusts a folder from now on.

    Raises:
        HomeNotWritableError: the list cannot be written.
    """
    known = {*_read(home), str(folder.resolve())}
    write_atomically(home / FILE_NAME, json.dumps(sorted(known), ensure_ascii=False, indent=1) + "\n")


def _read(home: Path) -> list[str]:
    """The folders that were trusted; none if the list cannot be read."""
    try:
        found: object = json.loads((home / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(folder) for folder in cast("list[object]", found)] if isinstance(found, list) else []
