"""The one database file of a home: opening it, its tables, their migrations, and what happens when it is damaged."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aura_core.errors import DurableError
from aura_core.storage.atomic_file import damaged_name

FILE_NAME = "aura.db"
"""Its name in AURA_HOME."""
APPLICATION_ID = 0x41757261
"""`Aura` in ASCII: tells our files from other people's databases."""
VERSION = 3
"""Of the file as a whole: its tables come in parts that count their own migrations. 1 and 2 were state.db."""
PARTS = "CREATE TABLE parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"
BUSY_SECONDS = 10.0
"""So long one program waits for another one's transaction."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, slots=True)
class Part:
    """The tables of one user of the file.

    Attributes:
        name: whose they are.
        migrations: SQL scripts, the first makes the tables; one is only ever added at the end.
    """

    name: str
    migrations: tuple[str, ...]


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, without the extended part; 0 if the error has none."""
    code: int = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """True if SQLite says that the file itself is broken, or is no database."""
    return primary_code(error) in _DAMAGED


def open_database(path: Path, parts: Sequence[Part]) -> tuple[sqlite3.Connection, str]:
    """Opens the file for reading and writing, makes it if it is not there, sets it aside if it is damaged.

    Returns:
        The connection, and a notice for the person: empty, or what was set aside under which name.

    Raises:
        sqlite3.Error: it cannot be opened or written.
        DurableError: it is another program's database, or of a newer Aura.
    """
    try:
        return _open(path, parts), ""
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        aside = _set_aside(path)
        notice = (
            f"The store {path} was damaged ({error}). It was set aside as {aside.name}; a fresh one was begun, "
            f"so what was kept there (runs, jobs, open questions) is not known any more."
        )
        return _open(path, parts), notice


def open_for_reading(path: Path, parts: Sequence[Part]) -> sqlite3.Connection | None:
    """A connection that cannot write, beside a program that does; None if that program has only just begun the file.

    Raises:
        sqlite3.Error: it is not there or cannot be read.
        DurableError: it is another program's database, or of a newer Aura.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        if _check(connection, path) and _versions(connection, path, parts).keys() >= {part.name for part in parts}:
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _open(path: Path, parts: Sequence[Part]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if not _check(connection, path):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path, parts)
        _examine(connection)
    except BaseException:
        connection.close()
        raise
    return connection


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


def _too_new(path: Path, found: str, known: str) -> DurableError:
    return DurableError(
        f"{path} was written by a newer Aura (store version {found}, this one knows {known}). "
        f"Update Aura, or choose another AURA_HOME."
    )


def _examine(connection: sqlite3.Connection) -> None:
    verdict: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _check(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is ours and begun; in one transaction, so that a file that is being made is not misread."""
    connection.execute("BEGIN")
    try:
        return _version(connection, path) > 0
    finally:
        connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file; 0 for an empty one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (tables or version or owner):
        raise DurableError(f"{path} is a database of another program. Move it away, or choose another AURA_HOME.")
    if version > VERSION:
        raise _too_new(path, str(version), str(VERSION))
    return version


def _set_aside(path: Path) -> Path:
    """Renames the file and what SQLite keeps beside it."""
    aside = damaged_name(path)
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    return aside
