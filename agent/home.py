"""AURA_HOME/aura.db: whose tables it has, and which files an older Aura kept in their place."""

from __future__ import annotations

from pathlib import Path

from agent.old_channel import CHANNEL_FILE
from aura_core.durable.schema import DURABLE, STATE_FILE
from aura_core.scheduler.old_file import JOBS_DB
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS
from aura_core.storage.home_lock import HomeLock
from aura_core.storage.losses import Losses
from aura_core.storage.schema import FILE_NAME
from aura_core.storage.takeover import OldFile

PARTS = (DURABLE, DOCUMENTS)
SESSION_FILE = "SESSION.json"
OLD_FILES: tuple[OldFile, ...] = (STATE_FILE, JOBS_DB, CHANNEL_FILE)
RUNS_KEPT_SECONDS = 90 * 24 * 3600.0
"""Finished runs older than this are forgotten; what was said stays in SESSION.json."""


def home_database(home: Path, lock: HomeLock) -> Database:
    """The database of an AURA_HOME, not opened yet.

    Args:
        home: AURA_HOME.
        lock: its lock; held by a program that runs things, else free.
    """
    path = home / FILE_NAME
    if _is_emptied(path):
        text = f"The store {path} was empty, so what was kept there (runs, jobs, open questions) is not known any more."
        Losses(home).add(f"{text} If you have a copy, stop Aura and put it back.", path)
    return Database(path, PARTS, lock=lock, old_files=OLD_FILES)


def _is_emptied(path: Path) -> bool:
    """Whether the store is an empty file, in a home in which something was said; a home begins with an empty one."""
    try:
        return path.stat().st_size == 0 and any(path.parent.glob(f"*/{SESSION_FILE}"))
    except OSError:
        return False
