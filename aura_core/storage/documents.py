"""Documents: small JSON values that must last, under a namespace and a key, changed by compare-and-set."""

from __future__ import annotations

import asyncio
import copy
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from aura_core.errors import DurableError
from aura_core.storage.database import Database
from aura_core.storage.json_values import Json, decode, encode, same
from aura_core.storage.schema import Part

ATTEMPTS = 100
"""How often `change` tries; each failure means that somebody else's change went through."""

DOCUMENTS = Part(
    "documents",
    (
        """
        CREATE TABLE documents (
          namespace TEXT NOT NULL,
          key TEXT NOT NULL,
          value TEXT NOT NULL,
          revision INTEGER NOT NULL,
          updated_at REAL NOT NULL,
          PRIMARY KEY (namespace, key)
        ) WITHOUT ROWID;
        CREATE INDEX documents_by_time ON documents (namespace, updated_at);
        CREATE TABLE namespaces (
          namespace TEXT PRIMARY KEY,
          revision INTEGER NOT NULL
        ) WITHOUT ROWID;
        """,
    ),
)
"""The tables behind `SqliteDocuments`."""


@dataclass(frozen=True, slots=True)
class Document:
    """One value as it stands.

    Attributes:
        namespace: whose it is, e.g. "jobs".
        key: its name there.
        value: a JSON value, a copy for the caller.
        revision: grows with every change in the namespace; never used twice there.
        updated_at: seconds since the epoch.
        damage: why what is stored cannot be read; the value is None then, and the document can be put anew or deleted.
    """

    namespace: str
    key: str
    value: Json
    revision: int
    updated_at: float
    damage: str = ""


class Documents(Protocol):
    """Small JSON values that last, for bookkeeping that several programs may change.

    Every change is whole, and on the disk when its call returns. Other programs see it from then on. What is not JSON
    is a DurableError. A store that cannot be written is a HomeNotWritableError, and nothing has changed.
    """

    async def get(self, namespace: str, key: str) -> Document | None:
        """The document of a key; None if there is none."""
        ...

    async def put(self, namespace: str, key: str, value: Json, *, expected: int | None = None) -> Document | None:
        """Puts a value in the place of what is there.

        Args:
            namespace: whose it is.
            key: its name.
            value: the new value.
            expected: the revision that must be there, 0 for none at all; None puts it whatever is there.

        Returns:
            The document; None if something else than expected is there, and then nothing has changed.
        """
        ...

    async def delete(self, namespace: str, key: str, *, expected: int | None = None) -> bool:
        """Deletes a document; False if there is none, or another revision than expected."""
        ...

    async def list(
        self,
        namespace: str,
        *,
        prefix: str = "",
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> Sequence[Document]:
        """Documents in the order of their keys.

        Args:
            namespace: whose.
            prefix: what their keys begin with.
            since: only those changed then or later, in seconds since the epoch.
            until: only those changed before.
            limit: at most so many, the first ones.
        """
        ...

    async def revision(self, namespace: str) -> int:
        """Another number after every change in the namespace, by whatever program; 0 before the first."""
        ...

    async def forget(self, namespace: str, before: float, *, prefix: str = "") -> int:
        """Deletes what was last changed before a moment (seconds since the epoch); how many it was."""
        ...


async def change(documents: Documents, namespace: str, key: str, changed: Callable[[Json], Json]) -> tuple[Json, Json]:
    """Changes a value by a function of what is there, over and over until nobody came in between.

    Args:
        documents: the store.
        namespace: whose it is.
        key: its name.
        changed: takes the value that is there, None if there is none, and gives the new one; None deletes it. It may
            be called several times, so it must do nothing else.

    Returns:
        The value before, and the one after; equal if nothing had to be written.

    Raises:
        DurableError: the new value is not JSON, or others changed it all the time.
        HomeNotWritableError: the store cannot be written.
    """
    for _ in range(ATTEMPTS):
        found = await documents.get(namespace, key)
        before = None if found is None else found.value
        after = changed(copy.deepcopy(before))
        if same(after, before):
            return before, before
        expected = 0 if found is None else found.revision
        if after is None:
            if await documents.delete(namespace, key, expected=expected):
                return before, None
        elif await documents.put(namespace, key, after, expected=expected) is not None:
            return before, after
        await asyncio.sleep(0)
    raise DurableError(f"The document {key!r} of {namespace!r} was changed by others {ATTEMPTS} times in a row.")


class SqliteDocuments:
    """Implements `Documents` on a database file.

    Args:
        database: open, with the part `DOCUMENTS`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, namespace: str, key: str) -> Document | None:
        """See `Documents.get`."""
        return await self._database.read(partial(_get, namespace=namespace, key=key))

    async def put(self, namespace: str, key: str, value: Json, *, expected: int | None = None) -> Document | None:
        """See `Documents.put`."""
        text = encode(value, f"document {key!r} of {namespace!r}")
        return await self._database.run(partial(_put, namespace=namespace, key=key, text=text, expected=expected))

    async def delete(self, namespace: str, key: str, *, expected: int | None = None) -> bool:
        """See `Documents.delete`."""
        return await self._database.run(partial(_delete, namespace=namespace, key=key, expected=expected))

    async def list(
        self,
        namespace: str,
        *,
        prefix: str = "",
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> Sequence[Document]:
        """See `Documents.list`."""
        query = partial(_list, namespace=namespace, prefix=prefix, since=since, until=until, limit=limit)
        return await self._database.read(query)

    async def revision(self, namespace: str) -> int:
        """See `Documents.revision`."""
        return await self._database.read(partial(_revision, namespace=namespace))

    async def forget(self, namespace: str, before: float, *, prefix: str = "") -> int:
        """See `Documents.forget`."""
        return await self._database.run(partial(_forget, namespace=namespace, before=before, prefix=prefix))


_COLUMNS = "namespace, key, value, revision, updated_at"
_READ = _COLUMNS.replace("value", "CAST(value AS BLOB)")
"""As bytes: SQLite would refuse all rows of a query for one that is not UTF-8."""
_BEGINS = "namespace = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3)"
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000


def insert_document(connection: sqlite3.Connection, namespace: str, key: str, value: Json, updated_at: float) -> None:
    """Puts a document into a database inside a transaction, unless there is one; for what is taken over.

    Raises:
        DurableError: the value is not JSON.
    """
    if _is_there(connection, namespace, key, 0):
        text = encode(value, f"document {key!r} of {namespace!r}")
        _write(connection, (namespace, key, text, _next_revision(connection, namespace), updated_at))


def _write(connection: sqlite3.Connection, row: tuple[str, str, str, int, float]) -> Document:
    connection.execute(f"INSERT OR REPLACE INTO documents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", row)  # noqa: S608 (a constant)
    return _document(row)


def _document(row: tuple[str, str, str | bytes, int, float]) -> Document:
    namespace, key, stored, revision, updated_at = row
    try:
        text = stored.decode() if isinstance(stored, bytes) else stored
        return Document(namespace, key, decode(text), revision, updated_at)
    except (ValueError, RecursionError) as error:
        return Document(namespace, key, None, revision, updated_at, damage=str(error))


def _get(connection: sqlite3.Connection, namespace: str, key: str) -> Document | None:
    query = f"SELECT {_READ} FROM documents WHERE namespace = ? AND key = ?"  # noqa: S608 (a constant)
    row = connection.execute(query, (namespace, key)).fetchone()
    return None if row is None else _document(row)


def _is_there(connection: sqlite3.Connection, namespace: str, key: str, expected: int | None) -> bool:
    if expected is None:
        return True
    query = "SELECT revision FROM documents WHERE namespace = ? AND key = ?"
    row = connection.execute(query, (namespace, key)).fetchone()
    return (0 if row is None else row[0]) == expected


def _next_revision(connection: sqlite3.Connection, namespace: str) -> int:
    query = (
        "INSERT INTO namespaces VALUES (?, 1) ON CONFLICT (namespace) DO UPDATE SET revision = revision + 1 "
        "RETURNING revision"
    )
    return cast("int", connection.execute(query, (namespace,)).fetchone()[0])


def _put(connection: sqlite3.Connection, namespace: str, key: str, text: str, expected: int | None) -> Document | None:
    if not _is_there(connection, namespace, key, expected):
        return None
    return _write(connection, (namespace, key, text, _next_revision(connection, namespace), time.time()))


def _delete(connection: sqlite3.Connection, namespace: str, key: str, expected: int | None) -> bool:
    if not _is_there(connection, namespace, key, expected):
        return False
    query = "DELETE FROM documents WHERE namespace = ? AND key = ?"
    deleted = connection.execute(query, (namespace, key)).rowcount > 0
    if deleted:
        _next_revision(connection, namespace)
    return deleted


def _list(  # noqa: PLR0917 (the filters of `list`, handed on)
    connection: sqlite3.Connection,
    namespace: str,
    prefix: str,
    since: float | None,
    until: float | None,
    limit: int | None,
) -> Sequence[Document]:
    query = (
        f"SELECT {_READ} FROM documents WHERE {_BEGINS} "  # noqa: S608 (constants)
        "AND (?4 IS NULL OR updated_at >= ?4) AND (?5 IS NULL OR updated_at < ?5) ORDER BY key LIMIT ?6"
    )
    most = -1 if limit is None else limit
    rows = connection.execute(query, (namespace, prefix, _end_of(prefix), since, until, most)).fetchall()
    return [_document(row) for row in rows]


def _end_of(prefix: str) -> str | None:
    """The first text behind all that begin with the prefix, in the order of code points; None if there is none."""
    for place in reversed(range(len(prefix))):
        following = ord(prefix[place]) + 1
        if following <= sys.maxunicode:
            return prefix[:place] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)
    return None


def _revision(connection: sqlite3.Connection, namespace: str) -> int:
    row = connection.execute("SELECT revision FROM namespaces WHERE namespace = ?", (namespace,)).fetchone()
    return 0 if row is None else row[0]


def _forget(connection: sqlite3.Connection, namespace: str, before: float, prefix: str) -> int:
    query = f"DELETE FROM documents WHERE {_BEGINS} AND updated_at < ?4"  # noqa: S608 (a constant)
    deleted = connection.execute(query, (namespace, prefix, _end_of(prefix), before)).rowcount
    if deleted:
        _next_revision(connection, namespace)
    return deleted
