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
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from aura_core.errors import DurableError, HomeNotWritableError
from aura_core.ground.logger import get_logger
from aura_core.storage.atomic_file import not_writable
from aura_core.storage.losses import Losses
from aura_core.storage.schema import Part, open_database
from aura_core.storage.sqlite_errors import explain, is_busy
from aura_core.storage.takeover import TAKEOVER, OldFile, is_old, take_over

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aura_core.storage.home_lock import HomeLock

T = TypeVar("T")
BATCH = 256
"""The most operations that share one commit, so that no caller waits long for the work of others."""


@dataclass(slots=True)
class _Job(Generic[T]):
    operation: Callable[[sqlite3.Connection], T]
    lasting: bool
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None


class Database:
    """The database file of a home, with one connection on a thread of its own.

    Several programs may have the file open; each change is a transaction. It is opened by `open`, or by the first
    operation. What concerns the file as a whole is done only by a program that holds the lock of the home: one that
    finds the file damaged sets it aside; one that finds files of an older Aura takes the lock for as long as it takes
    them over.

    Args:
        path: the file; its folder is made if it is not there.
        parts: whose tables it has.
        lock: the home's; None if no other program can have the file.
        old_files: what an older Aura kept in the folder.
    """

    def __init__(
        self, path: Path, parts: Sequence[Part], *, lock: HomeLock | None = None, old_files: Sequence[OldFile] = ()
    ) -> None:
        self.path = path
        self._parts = (*parts, TAKEOVER)
        self._lock = lock
        self._old_files = old_files
        self._notices: list[str] = []
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._synchronous = "FULL"

    async def open(self) -> None:
        """Opens the file, if it is not open.

        Raises:
            HomeNotWritableError: it cannot be opened or written.
            HomeInUseError: there are files of an older Aura, and another program works on them.
            DurableError: it is damaged, another program's, or of a newer Aura.
        """
        await self.read(lambda _: None)

    async def close(self) -> None:
        """Does what was handed over before, closes the file and ends the thread; logs notices that nobody took."""
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        for notice in self.take_notices():
            get_logger(__name__).warning(notice)

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def take_notices(self) -> list[str]:
        """What the person should know of damaged files that were set aside; each is given once."""
        notices, self._notices = self._notices, []
        return notices

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
        if self._closed:
            raise DurableError(f"The store {self.path} is closed.")
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, args=(loop,), name="aura-store", daemon=True)
            self._thread.start()
        job = _Job(operation, lasting, loop.create_future())
        self._jobs.put(job)
        return await job.future

    async def read(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Runs one operation that changes nothing; see `run`."""
        return await self.run(operation, lasting=False)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while batch := self._next_batch():
                self._commit(batch)
                loop.call_soon_threadsafe(_deliver, batch)
        finally:
            if self._connection is not None:
                self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        """The connection, if what it writes to is still the file of this name; opens the file at the first time."""
        self._connection = self._connection or self._connect()
        if _identity(self.path) != self._file:
            raise HomeNotWritableError(
                f"The store {self.path} was removed or replaced while Aura has it open, so nothing can be kept. Put "
                f"the file back, or end Aura and start it again with what is there."
            )
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(self.path.parent, error) from error
        alone = self._lock is None or self._lock.held
        connection, notice = open_database(self.path, self._parts, alone=alone)
        self._notices += [notice] if notice else []
        self._lost(notice)
        try:
            if is_old(self.path.parent, self._old_files):
                with self._lock or contextlib.nullcontext():
                    notices = take_over(connection, self.path.parent, self._old_files)
                self._notices += notices
                for notice in notices:
                    self._lost(notice)
        except BaseException:
            connection.close()
            raise
        self._file = _identity(self.path)
        return connection

    def _lost(self, notice: str) -> None:
        if notice:
            Losses(self.path.parent).add(notice, self.path)

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

    def _commit(self, batch: Sequence[_Job[Any]]) -> None:
        """All in one transaction; if that fails, each in its own, so that one bad operation spoils no other.

        While another program writes, none can succeed, and to wait for each of them would take minutes.
        """
        try:
            connection = self._opened()
        except BaseException as error:  # noqa: BLE001 (handed to those who wait; a later operation tries again)
            self._fail(batch, error)
            return
        error = self._try(connection, batch)
        if error is None or len(batch) == 1 or is_busy(error):
            return
        for job in batch:
            job.error = None
            self._try(connection, [job])

    def _try(self, connection: sqlite3.Connection, batch: Sequence[_Job[Any]]) -> BaseException | None:
        """Does the operations in one transaction; gives the error if it fails, as those who wait have it, too."""
        try:
            self._set_synchronous(connection, "FULL" if any(job.lasting for job in batch) else "NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                job.result = job.operation(connection)
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 (handed to those who wait; the thread must go on)
            with contextlib.suppress(sqlite3.Error):  # after a disk error SQLite has rolled back by itself
                connection.rollback()
            self._fail(batch, error)
            return error
        return None

    def _fail(self, batch: Sequence[_Job[Any]], error: BaseException) -> None:
        explained = explain(error, self.path) if isinstance(error, sqlite3.Error | UnicodeEncodeError) else error
        for job in batch:
            job.error = explained

    def _set_synchronous(self, connection: sqlite3.Connection, wanted: str) -> None:
        if wanted != self._synchronous:
            connection.execute(f"PRAGMA synchronous={wanted}")
            self._synchronous = wanted


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is, whatever is in it; None if there is none. SQLite itself would go on with one that is gone."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _deliver(batch: Sequence[_Job[Any]]) -> None:
    for job in batch:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
