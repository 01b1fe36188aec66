"""The one database file of a home: opening it, its tables, their migrations, and what happens when it is damaged."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aura_core.errors import DurableError
from aura_core.storage.atomic_file import set_aside
from aura_core.storage.sqlite_errors import examine, explain, is_busy, is_damage

FILE_NAME = "aura.db"
"""Its name in AURA_HOME."""
APPLICATION_ID = 0x41757261
"""`Aura` in ASCII: tells our files from other people's databases."""
VERSION = 3
"""Of the file as a whole: its tables come in parts that count their own migrations. 1 and 2 were state.db."""
PARTS = "CREATE TABLE parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"
BUSY_SECONDS = 10.0
"""For this long one program waits for another one's transaction."""
BUSY_PAUSE = 0.01
"""Seconds between two attempts where SQLite does not wait by itself."""
LOG_PAGES = 200
"""From this length on the write-ahead log is written over, which takes the disk a third less time than letting it grow.

SQLite's 1000 would be reached by few programs before they end.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The tables of one user of the file.

    Attributes:
        name: whose they are.
        migrations: SQL scripts, the first makes the tables; one is only ever added at the end.
    """

    name: str
    migrations: tuple[str, ...]


def open_database(path: Path, parts: Sequence[Part], *, alone: bool) -> tuple[sqlite3.Connection, str]:
    """Opens the file for reading and writing; makes it if it is not there.

    Args:
        path: the file.
        parts: whose tables it has.
        alone: no other program works on the file, so all of it is examined, and one that is damaged is set aside.

    Returns:
        The connection, and a notice for the person: empty, or what was set aside under which name.

    Raises:
        sqlite3.Error: it cannot be opened or written, or is damaged and somebody else's to set aside.
        DurableError: it is another program's database, or of a newer Aura.
    """
    try:
        return _open(path, parts, alone=alone), ""
    except sqlite3.DatabaseError as error:
        if not alone or not is_damage(error):
            raise
        aside = set_aside(path)
        notice = (
            f"The store {path} was damaged ({error}). It was set aside as {aside.name}; a fresh one was begun, "
            f"so what was kept there (runs, jobs, open questions) is not known any more."
        )
        return _open(path, parts, alone=alone), notice


def check_database(path: Path, parts: Sequence[Part]) -> None:
    """Reads the whole file, if it is there, and changes nothing.

    Raises:
        HomeNotWritableError: it cannot be opened.
        DurableError: it is damaged, another program's, or of a newer Aura.
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("PRAGMA query_only = ON")
            if _version(connection, path):
                _versions(connection, path, parts)
            examine(connection)
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _open(path: Path, parts: Sequence[Part], *, alone: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if not _current(connection, path, parts):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            _write_ahead(connection)
            _migrate(connection, path, parts)
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if alone:
            examine(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turns the write-ahead log on; SQLite does not wait by itself while another program does the same."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_PAUSE)
        else:
            return


def _current(connection: sqlite3.Connection, path: Path, parts: Sequence[Part]) -> bool:
    """Whether nothing is to be made; in one transaction, so that a file that is being made is not misread."""
    connection.execute("BEGIN")
    try:
        if not _version(connection, path):
            return False
        versions = _versions(connection, path, parts)
        return all(versions.get(part.name) == len(part.migrations) for part in parts)
    finally:
        connection.rollback()


def _migrate(connection: sqlite3.Connection, path: Path, parts: Sequence[Part]) -> None:
    """Brings all parts up to date in one transaction, whole or not at all; two programs may try at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _version(connection, path):
            connection.execute(PARTS)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        versions = _versions(connection, path, parts)
        for part in parts:
            for script in part.migrations[versions.get(part.name, 0) :]:
                for statement in statements(script):
                    connection.execute(statement)
            connection.execute("INSERT OR REPLACE INTO parts VALUES (?, ?)", (part.name, len(part.migrations)))
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.rollback()
        raise


def statements(script: str) -> list[str]:
    """The statements of a script: `executescript` would end the transaction around them."""
    found: list[str] = []
    text = ""
    for piece in script.split(";"):
        text += piece + ";"
        if sqlite3.complete_statement(text):
            if text.strip(" \n;"):
                found.append(text)
            text = ""
    return found


def _versions(connection: sqlite3.Connection, path: Path, parts: Sequence[Part]) -> dict[str, int]:
    versions: dict[str, int] = dict(connection.execute("SELECT name, version FROM parts").fetchall())
    for part in parts:
        if versions.get(part.name, 0) > len(part.migrations):
            raise _too_new(path, f"{part.name} {versions[part.name]}", f"{part.name} {len(part.migrations)}")
    return versions


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file; 0 for an empty one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if not is_ours(connection, path, APPLICATION_ID):
        return 0
    if version > VERSION:
        raise _too_new(path, str(version), str(VERSION))
    return version


def is_ours(connection: sqlite3.Connection, path: Path, application_id: int) -> bool:
    """Whether the file was begun by the program with this application id; False for an empty one.

    Raises:
        DurableError: it is another program's.
    """
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != application_id and (tables or owner):
        raise DurableError(f"{path} is a database of another program. Move it away, or choose another AURA_HOME.")
    return tables > 0


def _too_new(path: Path, found: str, known: str) -> DurableError:
    return DurableError(
        f"{path} was written by a newer Aura (store version {found}, this one knows {known}). "
        f"Update Aura, or choose another AURA_HOME."
    )
