"""Losses: what was damaged in a home and set aside, told by whatever is opened there until a person has seen it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from aura_core.errors import HomeNotWritableError
from aura_core.ground.logger import get_logger
from aura_core.storage.atomic_file import write_atomically

FILE_NAME = "losses.json"
LOCK_SECONDS = 5.0
MOST_KEPT = 100
_log = get_logger(__name__)


class Losses:
    """What a person has yet to see, in one small file beside the stores that it speaks of.

    Args:
        home: AURA_HOME.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / FILE_NAME

    def add(self, text: str, lost: Path) -> None:
        """Keeps that something was lost. If even that cannot be written, it is logged.

        Args:
            text: what happened, where the damaged file is now, what to do; fit for a person.
            lost: the file of which it speaks, under the name that it had.
        """
        entry = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "path": str(lost.absolute()), "text": text}
        self._change(lambda kept: kept if any(one["text"] == text for one in kept) else [*kept, entry])

    def unseen(self) -> list[str]:
        """What nobody has seen yet, oldest first."""
        return [str(entry["text"]) for entry in self._read()]

    def about(self, path: Path) -> str:
        """What nobody has seen yet of one file; empty if there is nothing."""
        wanted = str(path.absolute())
        return next((str(entry["text"]) for entry in reversed(self._read()) if entry["path"] == wanted), "")

    def seen(self, texts: Collection[str]) -> None:
        """A person has seen these; they are not told again."""
        if texts and self._path.exists():
            self._change(lambda kept: [entry for entry in kept if entry["text"] not in texts])

    def _change(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=LOCK_SECONDS):
                text = json.dumps(change(self._read())[-MOST_KEPT:], ensure_ascii=False, indent=1)
                write_atomically(self._path, text + "\n")
        except (OSError, Timeout, HomeNotWritableError) as error:
            _log.warning("a loss could not be written down", file=str(self._path), error=str(error))

    def _read(self) -> list[dict[str, Any]]:
        if not os.path.exists(self._path):  # noqa: PTH110 (asked before every task; half the time of Path.exists)
            return []
        try:
            found: object = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            text = (
                f"{self._path}, where losses are kept until you have seen them, cannot be read; look for *.damaged-*."
            )
            return [{"path": str(self._path), "text": text}]
        entries = cast("list[object]", found) if isinstance(found, list) else []
        return [entry for entry in entries if isinstance(entry, dict) and {"path", "text"} <= entry.keys()]
