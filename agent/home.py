"""AURA_HOME/aura.db: whose tables it has, and which files an older Aura kept in their place."""

from __future__ import annotations

from pathlib import Path

from agent.old_channel import CHANNEL_FILE
from aura_core.durable.schema import DURABLE, STATE_FILE
from aura_core.scheduler.old_file import JOBS_DB
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS
from aura_core.storage.home_lock import HomeLock
from aura_core.storage.schema import FILE_NAME
from aura_core.storage.takeover import OldFile

PARTS = (DURABLE, DOCUMENTS)
OLD_FILES: tuple[OldFile, ...] = (STATE_FILE, JOBS_DB, CHANNEL_FILE)
RUNS_KEPT_SECONDS = 90 * 24 * 3600.0
"""Finished runs older than this are forgotten; what was said stays in SESSION.json."""


def home_database(home: Path, lock: HomeLock) -> Database:
    """The database of an AURA_HOME, not opened yet.

    Args:
        home: AURA_HOME.
        lock: its lock; held by a program that runs things, else free.
    """
    return Database(home / FILE_NAME, PARTS, lock=lock, old_files=OLD_FILES)
