"""The channel's own memory: one small SQLite file, so that a restart repeats and forgets nothing.

The record of runs and answers is the app's; here is only what Telegram needs: which update was handled, which message
shows what. Neither a kill nor a power cut loses any of it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aura_core.ground.logger import get_logger
from aura_core.storage.sqlite_errors import explain, is_damage

SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (update_id INTEGER PRIMARY KEY, body TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS messages (
    chat_id INTEGER, message_id INTEGER, at REAL NOT NULL, PRIMARY KEY (chat_id, message_id));
CREATE TABLE IF NOT EXISTS sendings (
    key TEXT PRIMARY KEY, chat_id INTEGER NOT NULL, after INTEGER NOT NULL, message_id INTEGER, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS questions (
    token TEXT PRIMARY KEY, chat_id INTEGER NOT NULL, message_id INTEGER, body TEXT NOT NULL,
    choice TEXT, awaited_from TEXT, closed INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS cards (
    run_id TEXT PRIMARY KEY, dest TEXT NOT NULL, folded INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS guests (user_id INTEGER PRIMARY KEY, told_at REAL NOT NULL);
"""
KEPT_SECONDS = 90 * 86_400
KEPT_UPDATES = 10_000


class Store:
    """Opens the file and runs statements; every statement is committed when it returns.

    Args:
        folder: where the file is; made if it is missing.

    A damaged file is set aside under a new name; one that is locked, full or read-only is an error and stays.

    Raises:
        HomeNotWritableError: it cannot be opened for writing.
        DurableError: another program holds it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "channel.db"
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise explain(error, self._path) from error
            aside = self._path.with_name(f"channel.damaged-{int(time.time())}.db")
            for ending in ("", "-wal", "-shm"):
                part = self._path.with_name(self._path.name + ending)
                if part.exists():
                    part.rename(aside.with_name(aside.name + ending))
            get_logger(__name__).warning("damaged file set aside", path=str(aside), error=str(error))
            self._db = self._open()

    def run(self, statement: str, *values: Any) -> int:
        """Runs a statement; returns how many rows it changed."""
        return self._db.execute(statement, values).rowcount

    def rows(self, statement: str, *values: Any) -> Sequence[sqlite3.Row]:
        """All rows of a query."""
        return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query."""
        return self._db.execute(statement, values).fetchone()

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(SCHEMA)
            self._prune(db)
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    @staticmethod
    def _prune(db: sqlite3.Connection) -> None:
        """Forgets what no restart can need any more."""
        before = time.time() - KEPT_SECONDS
        for table in ("messages", "sendings"):
            db.execute(f"DELETE FROM {table} WHERE at < ?", (before,))  # noqa: S608 (two fixed names)
        db.execute("DELETE FROM questions WHERE closed AND at < ?", (before,))
        db.execute("DELETE FROM cards WHERE folded AND at < ?", (before,))
        db.execute(
            "DELETE FROM inbox WHERE done AND update_id <= (SELECT MAX(update_id) FROM inbox) - ?", (KEPT_UPDATES,)
        )
