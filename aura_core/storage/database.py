"""One SQLite connection on one thread: the event loop hands over small operations, all that wait share one commit.

Operations run strictly in the order they were handed over and their results arrive in that order, so what one
caller did first is also heard first: the engine relies on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aura_core.errors import AuraError, DurableError, HomeNotWritableError
from aura_core.storage.atomic_file import not_writable
from aura_core.storage.schema import Part, is_damage, open_database, primary_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")
BATCH = 256
"""At most so many operations share one commit, so that no caller waits long for others' work."""

_UNWRITABLE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it may only be read",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "this user may not open it",
    sqlite3.SQLITE_AUTH: "this user may not open it",
}


def explain(error: sqlite3.Error, path: Path) -> AuraError:
    """The error for one of SQLite's: what happened, where, what to do."""
    reason = _UNWRITABLE.get(primary_code(error))
    if reason is not None:
        return HomeNotWritableError(
            f"The store {path} cannot be used: {reason} ({error}). Make room or give this user the right to "
            f"write there, or choose another folder with AURA_HOME. Nothing that was recorded is lost."
        )
    if is_damage(error):
        return DurableError(
            f"The store {path} is damaged ({error}). Stop Aura and start it again: the file is then set aside "
            f"under a new name and a fresh one begun."
        )
    return DurableError(f"The store {path} refused an operation: {error}.")


@dataclass(slots=True)
class _Job(Generic[T]):
    operation: Callable[[sqlite3.Connection], T]
    lasting: bool
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None


class Database:
    """The database file of a home, with one connection on a thread of its own.

    Several programs may have the file open; each change is a transaction.

    Args:
        path: the file; its folder is made if it is not there.
        parts: whose tables it has.

    Attributes:
        notice: after `open`, what the person should know of a damaged file; empty otherwise.
    """

    def __init__(self, path: Path, parts: Sequence[Part]) -> None:
        self.path = path
        self.notice = ""
        self._parts = parts
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._synchronous = "FULL"

    def _connect(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(self.path.parent, error) from error
        connection, self.notice = open_database(self.path, self._parts)
        return connection

    async def open(self) -> None:
        """Starts the thread and opens the connection.

        Raises:
            HomeNotWritableError: the file cannot be opened or written.
            DurableError: the file is damaged.
        """
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._serve, args=(loop, opened), name="aura-store", daemon=True)
        self._thread.start()
        try:
            await asyncio.shield(opened)
        except AuraError:
            self._thread.join()
            self._thread = None
            raise

    async def close(self) -> None:
        """Does what was handed over before, closes the connection and ends the thread."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def run(self, operation: Callable[[sqlite3.Connection], T], *, lasting: bool = True) -> T:
        """Runs one operation inside a transaction; returns after its commit.

        An operation may run twice (when another one of its batch fails), so it must touch nothing but the database.
        Cancelling the caller does not undo it.

        Args:
            operation: gets the connection.
            lasting: the commit reaches the disk before this returns. False only loses to a power cut, never to a
                kill, and everything lasting that comes later brings it along.

        Raises:
            HomeNotWritableError: disk full, read-only, unreadable.
            DurableError: the file is damaged, or the operation broke a rule of the store.
        """
        if self._thread is None:
            raise DurableError(f"The store {self.path} is closed; open it first.")
        job = _Job(operation, lasting, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        return await job.future

    def _serve(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None]) -> None:
        try:
            connection = self._connect()
        except sqlite3.Error as error:
            loop.call_soon_threadsafe(opened.set_exception, explain(error, self.path))
            return
        except BaseException as error:  # noqa: BLE001 (handed to the caller, who waits for it)
            loop.call_soon_threadsafe(opened.set_exception, error)
            return
        loop.call_soon_threadsafe(opened.set_result, None)
        try:
            while batch := self._next_batch():
                self._commit(connection, batch)
                loop.call_soon_threadsafe(_deliver, batch)
        finally:
            connection.close()

    def _next_batch(self) -> list[_Job[Any]]:
        """Everything that waits, at most BATCH; empty when the writer closes."""
        job = self._jobs.get()
        batch: list[_Job[Any]] = []
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH:
                break
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
        if job is None and batch:
            self._jobs.put(None)
        return batch

    def _commit(self, connection: sqlite3.Connection, batch: Sequence[_Job[Any]]) -> None:
        """All in one transaction; if that fails, each in its own, so that one bad operation spoils no other."""
        if self._try(connection, batch) or len(batch) == 1:
            return
        for job in batch:
            job.error = None
            self._try(connection, [job])

    def _try(self, connection: sqlite3.Connection, batch: Sequence[_Job[Any]]) -> bool:
        try:
            self._set_synchronous(connection, "FULL" if any(job.lasting for job in batch) else "NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                job.result = job.operation(connection)
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 (every job of the batch gets it; the thread must go on)
            with contextlib.suppress(sqlite3.Error):  # after a disk error SQLite has rolled back by itself
                connection.rollback()
            for job in batch:
                job.error = explain(error, self.path) if isinstance(error, sqlite3.Error) else error
            return False
        return True

    def _set_synchronous(self, connection: sqlite3.Connection, wanted: str) -> None:
        if wanted != self._synchronous:
            connection.execute(f"PRAGMA synchronous={wanted}")
            self._synchronous = wanted


def _deliver(batch: Sequence[_Job[Any]]) -> None:
    for job in batch:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
