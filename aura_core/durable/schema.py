"""The SQLite file: its tables, its version, and what happens when it is damaged, foreign or too new."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from aura_core.errors import DurableError
from aura_core.storage.atomic_file import damaged_name
from aura_core.storage.database import is_damage

if TYPE_CHECKING:
    from pathlib import Path

STATE_FILE = "state.db"
"""Its name in AURA_HOME."""
APPLICATION_ID = 0x41757261
"""`Aura` in ASCII: tells our files from other people's databases."""
VERSION = 2

ENTRIES = """
CREATE TABLE IF NOT EXISTS entries (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (task_id, key)
) WITHOUT ROWID;
"""
"""What the actions of an unfinished task have done; new in version 2."""

SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE tasks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  root TEXT NOT NULL,
  parent TEXT REFERENCES tasks (id) ON DELETE CASCADE,
  task TEXT NOT NULL,
  args TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'waiting', 'done', 'failed', 'cancelled')),
  cancelling INTEGER NOT NULL DEFAULT 0,
  waiting_for TEXT,
  queue TEXT,
  resource TEXT,
  priority INTEGER NOT NULL,
  timeout REAL,
  result TEXT,
  error TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL
);
CREATE INDEX tasks_by_parent ON tasks (parent);
CREATE INDEX tasks_by_root ON tasks (root);
CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('step', 'choice')),
  value TEXT NOT NULL,
  at REAL NOT NULL,
  UNIQUE (task_id, kind, key)
);
CREATE TABLE signals (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (task_id, key)
) WITHOUT ROWID;
{ENTRIES}
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""

UPGRADES = {1: ENTRIES}
"""What a file of that version lacks that the next one has."""


def open_database(path: Path) -> tuple[sqlite3.Connection, str]:
    """Opens the store for reading and writing, makes it if it is not there, sets it aside if it is damaged.

    Returns:
        The connection, and a notice for the person: empty, or what was set aside under which name.

    Raises:
        sqlite3.Error: it cannot be opened or written.
        DurableError: it is another program's database, or of a newer Aura.
    """
    notice = ""
    try:
        connection = _open(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        aside = _set_aside(path)
        notice = (
            f"The store of runs {path} was damaged ({error}). It was set aside as {aside.name}; a fresh one was begun, "
            f"so runs of before cannot go on."
        )
        connection = _open(path)
    return connection, notice


def open_for_reading(path: Path) -> sqlite3.Connection | None:
    """A connection that cannot write, beside a program that does; None if that program has only just begun the file.

    Raises:
        sqlite3.Error: it is not there or cannot be read.
        DurableError: it is another program's database, or of a newer Aura.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None)
    try:
        begun = _check(connection, path) > 0
    except BaseException:
        connection.close()
        raise
    if not begun:
        connection.close()
        return None
    return connection


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        version = _check(connection, path)
        begun = version > 0
        if not begun:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        if not begun:
            connection.executescript(SCHEMA)
        elif version < VERSION:
            _upgrade(connection, version)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _examine(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Brings a file of an older Aura up to date, whole or not at all."""
    changes = "".join(UPGRADES[number] for number in range(version, VERSION))
    connection.executescript(f"BEGIN IMMEDIATE; {changes} PRAGMA user_version = {VERSION}; COMMIT;")


def _examine(connection: sqlite3.Connection) -> None:
    verdict: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version; 0 for an empty file. One transaction, so that a file that is being made is not misread."""
    connection.execute("BEGIN")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if owner != APPLICATION_ID and (tables or version or owner):
        raise DurableError(f"{path} is a database of another program. Move it away, or choose another AURA_HOME.")
    if version > VERSION:
        raise DurableError(
            f"{path} was written by a newer Aura (store version {version}, this one knows {VERSION}). "
            f"Update Aura, or choose another AURA_HOME."
        )
    return version


def _set_aside(path: Path) -> Path:
    """Renames the file and what SQLite keeps beside it."""
    aside = damaged_name(path)
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    return aside
