"""What an error of SQLite means: the file is damaged, it cannot be written, or an operation broke a rule."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from aura_core.errors import AuraError, DurableError, HomeNotWritableError

if TYPE_CHECKING:
    from pathlib import Path

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNUSABLE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it may only be read",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "this user may not open it",
    sqlite3.SQLITE_AUTH: "this user may not open it",
}


def is_damage(error: sqlite3.Error) -> bool:
    """True if SQLite says that the file itself is broken, or is not a database."""
    return _primary_code(error) in _DAMAGED


def is_busy(error: BaseException) -> bool:
    """True if another program has been writing for too long."""
    return isinstance(error, sqlite3.Error) and _primary_code(error) in _BUSY


def may_pass(error: sqlite3.Error) -> bool:
    """True if nothing is wrong with what the file holds: no room, no right to write, another program's turn."""
    return _primary_code(error) in _UNUSABLE or is_busy(error)


def explain(error: sqlite3.Error | UnicodeEncodeError, path: Path) -> AuraError:
    """The error for one of SQLite's, or for text that it cannot keep: what happened, where, what to do."""
    if isinstance(error, UnicodeEncodeError):
        return DurableError(f"The store {path} cannot keep the text {error.object!r}: a part of it is not Unicode.")
    if is_busy(error):
        return HomeNotWritableError(
            f"The store {path} cannot be used: another program is writing to it and does not stop ({error}). End that "
            f"program, or close the file there. Nothing that was recorded is lost."
        )
    reason = _UNUSABLE.get(_primary_code(error))
    if reason is not None:
        return HomeNotWritableError(
            f"The store {path} cannot be used: {reason} ({error}). Make room or give this user the right to write "
            f"there, or choose another folder with AURA_HOME. Nothing that was recorded is lost."
        )
    if is_damage(error):
        return DurableError(
            f"The store {path} is damaged ({error}). Stop Aura and start `aura bot` or `aura chat` again: the file is "
            f"then set aside under a new name and a fresh one begun."
        )
    return DurableError(f"The store {path} refused an operation: {error}.")


def examine(connection: sqlite3.Connection) -> None:
    """Reads the whole file once.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    verdict: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without the extended part; 0 if the error has none."""
    code: int = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF
