"""Files of an older Aura: what they hold goes into the one database, whole or not at all, and they are kept.

All of them are copied in one transaction, in which is also written what each is to be called from then on. So whatever
kills the program leaves the old files as they were, or the new one whole; the next start does what is left to be done.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aura_core.errors import DurableError
from aura_core.ground.logger import get_logger
from aura_core.storage.atomic_file import damaged_name, free_name, move
from aura_core.storage.schema import Part, is_ours
from aura_core.storage.sqlite_errors import examine, may_pass

TAKEOVER = Part("takeover", ("CREATE TABLE taken_over (name TEXT PRIMARY KEY, kept_as TEXT NOT NULL) WITHOUT ROWID",))
"""Files whose content is here and that have not got their new name yet."""
KEPT = "before-aura-db"
"""A part of the names under which old files are kept: `state.db` becomes `state.before-aura-db.db`."""


@dataclass(frozen=True, slots=True)
class OldFile:
    """A database file that an older Aura kept in a home.

    Attributes:
        name: its path in the home, e.g. "telegram/channel.db".
        copy: gets a connection to the old file, which cannot write, and the new one, inside its transaction, which it
            must not end. Rows that are in the new file already stay. Whatever it raises means that the old file is
            damaged, unless a disk or another program is in the way: it is set aside, with a notice, and nothing of it
            is in the new one.
        application_id: the one of its databases.
    """

    name: str
    copy: Callable[[sqlite3.Connection, sqlite3.Connection], None]
    application_id: int = 0


def take_over(connection: sqlite3.Connection, home: Path, old_files: Sequence[OldFile]) -> list[str]:
    """Takes over what is there of older files; the caller holds the lock of the home.

    Args:
        connection: the new database, with the part `TAKEOVER`, outside of a transaction.
        home: where the old files are.
        old_files: in the order in which they are copied.

    Returns:
        Notices for the person: which files were damaged, and under which names they are kept.

    Raises:
        sqlite3.Error: the new file cannot be written; the old ones are as they were.
        DurableError: a file is another program's.
        HomeNotWritableError: a file cannot be renamed.
    """
    notices: list[str] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name, kept_as in connection.execute("SELECT name, kept_as FROM taken_over").fetchall():
            if (home / name).with_name(kept_as).exists():  # it has got its new name, and another one may be there
                connection.execute("DELETE FROM taken_over WHERE name = ?", (name,))
        done = {name for (name,) in connection.execute("SELECT name FROM taken_over")}
        for old in old_files:
            if old.name not in done and (home / old.name).is_file():
                notices += _take(connection, home / old.name, old)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
            connection.rollback()
        raise
    for name, kept_as in connection.execute("SELECT name, kept_as FROM taken_over").fetchall():
        move(home / name, (home / name).with_name(kept_as))
        for ending in (".lock", ".lock.holder"):
            (home / f"{name}{ending}").unlink(missing_ok=True)
        connection.execute("DELETE FROM taken_over WHERE name = ?", (name,))
    return notices


def is_old(home: Path, old_files: Sequence[OldFile]) -> bool:
    """Whether the home has a file that is to be taken over, or renamed."""
    return any((home / old.name).is_file() for old in old_files)


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Whether an old file has a table: a kill may have left it with some of them."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    return found is not None


def _take(connection: sqlite3.Connection, path: Path, old: OldFile) -> list[str]:
    """Copies one file and writes down under which name it is kept; gives a notice if it is damaged."""
    connection.execute("SAVEPOINT one_file")
    notices: list[str] = []
    try:
        _copy(connection, path, old)
        kept = free_name(path, KEPT)
    except DurableError:
        raise
    except Exception as error:
        if isinstance(error, sqlite3.Error) and may_pass(error):
            raise
        connection.execute("ROLLBACK TO one_file")
        kept = damaged_name(path)
        notices.append(
            f"The file {path} of an older Aura was damaged ({error}). It was set aside as {kept.name}; what was kept "
            f"there is not known any more."
        )
    connection.execute("RELEASE one_file")
    connection.execute("INSERT INTO taken_over VALUES (?, ?)", (old.name, kept.name))
    get_logger(__name__).info("old_file_taken_over", file=str(path), kept_as=kept.name)
    return notices


def _copy(connection: sqlite3.Connection, path: Path, old: OldFile) -> None:
    address = f"{path.absolute().as_uri()}?mode=rw"  # a program that was killed may have left work for SQLite to undo
    with contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
        source.execute("PRAGMA query_only = ON")
        if is_ours(source, path, old.application_id):
            examine(source)
            try:
                old.copy(source, connection)
            except DurableError as error:  # a value that no document can hold
                raise ValueError(str(error)) from error
