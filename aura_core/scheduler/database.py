"""The SQLite file of jobs: its tables, and what happens when it is damaged, replaced, foreign or too new."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from aura_core.errors import ScheduleStoreError

APPLICATION_ID = 0x4175724A
"""`AurJ` in ASCII: tells files of jobs from other databases."""
VERSION = 1
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
BUSY = sqlite3.SQLITE_BUSY
WAIT_SECONDS = 10.0
"""How long one change waits for another program's."""

SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  next_at REAL,
  last_at REAL,
  last_status TEXT NOT NULL DEFAULT '',
  last_message TEXT NOT NULL DEFAULT '',
  unreadable TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS firings (
  id TEXT PRIMARY KEY,
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  body TEXT NOT NULL,
  due REAL NOT NULL,
  ended_at REAL,
  unreadable TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS firings_by_job ON firings (job);
CREATE INDEX IF NOT EXISTS firings_unfinished ON firings (due) WHERE ended_at IS NULL;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""


def open_database(path: Path, *, alone: bool) -> tuple[sqlite3.Connection, str]:
    """Opens the file, makes it if it is not there, sets it aside if it is damaged.

    Args:
        path: the file.
        alone: whether no other program runs jobs from it. Else a damaged one stays where it is: the other would go on
            writing into what was set aside.

    Returns:
        The connection, and a notice for the person: empty, or what was set aside under which name.

    Raises:
        sqlite3.Error: it cannot be opened or written, or is damaged and not set aside.
        OSError: its folder cannot be made, or a damaged file not be renamed.
        ScheduleStoreError: it is another program's database, or of a newer Aura.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path), ""
    except sqlite3.DatabaseError as error:
        if not alone or getattr(error, "sqlite_errorcode", None) not in DAMAGE:
            raise
        aside = _set_aside(path)
        notice = (
            f"The file of jobs {path} was damaged ({error}). It was set aside as {aside.name} and a fresh one was "
            f"begun: jobs and reminders that people added before are gone; those of plans are there again."
        )
        return _open(path), notice


def identity(path: Path) -> tuple[int, int] | None:
    """Tells a file from another one that takes its place; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def leave(connection: sqlite3.Connection) -> None:
    """Closes a file that was moved or removed: all that was written goes into it, nothing stays in the log beside it.

    SQLite itself leaves the log of a file that was moved as it is, and would take it for that of the next one.
    """
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.text_factory = _text
    try:
        _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(SCHEMA)
        _add_marks(connection)
        _examine(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _text(data: bytes) -> str:
    """Text of the file; bytes that are none become signs that can be shown, and no JSON."""
    return data.decode("utf-8", "backslashreplace")


def _add_marks(connection: sqlite3.Connection) -> None:
    """Adds the column that marks unreadable rows to a file that was made before there were marks."""
    connection.execute("BEGIN IMMEDIATE")
    for table in ("jobs", "firings"):
        if "unreadable" not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN unreadable TEXT NOT NULL DEFAULT ''")
    connection.execute("COMMIT")


def _examine(connection: sqlite3.Connection) -> None:
    verdict: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _check(connection: sqlite3.Connection, path: Path) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (tables or version or owner):
        raise ScheduleStoreError(f"{path} is a database of another program. Move it away.")
    if version > VERSION:
        raise ScheduleStoreError(
            f"{path} was written by a newer Aura (version {version}, this one knows {VERSION}). Update Aura."
        )


def _set_aside(path: Path) -> Path:
    """Renames the file and what SQLite keeps beside it."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.stem}.damaged-{moment}{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    return aside
