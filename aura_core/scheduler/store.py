"""JobStore: jobs and their firings in one SQLite file; each change is whole or not there, also after kill -9."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from aura_core.errors import ScheduleStoreError
from aura_core.ground.logger import get_logger
from aura_core.scheduler.database import BUSY, DAMAGE, identity, leave, open_database
from aura_core.scheduler.job import Firing, FiringEnd, Job
from aura_core.scheduler.rows import Unreadable, UnreadableRowError, firing_body, firing_of, job_body, job_of
from aura_core.scheduler.storable import storable_text

_JOBS = "SELECT rowid, unreadable, id, body, next_at, last_at, last_status, last_message FROM jobs ORDER BY id"
_FIRINGS = "SELECT rowid, unreadable, id, job, body FROM firings"
_UNREADABLE = """
SELECT 'job', id, id, unreadable FROM jobs WHERE unreadable != ''
UNION ALL SELECT 'firing', id, job, unreadable FROM firings WHERE unreadable != '' ORDER BY 1 DESC, 2
"""
_FORGET = """
DELETE FROM jobs WHERE next_at IS NULL AND coalesce(last_at, 0) < ?
AND CASE WHEN typeof(body) = 'text' AND json_valid(body) THEN json_extract(body, '$.trigger.kind') END = 'at'
AND NOT EXISTS (SELECT 1 FROM firings WHERE job = jobs.id AND ended_at IS NULL)
"""
_REPLACED = (
    "removed or replaced while Aura was running. What is there now counts: jobs and reminders that people added to the "
    "former one are gone, unless they are in this one, too; those of plans are there again."
)
_DAMAGED = "it is set aside, and a fresh one is begun, when `aura bot` or `aura chat` starts the next time"
_Read = TypeVar("_Read")
_log = get_logger(__name__)


class JobStore:
    """The file of jobs. Methods block for a disk's moment: call them in a thread; any thread may.

    Another program may add and remove jobs meanwhile; one alone may run them. Every method raises
    ScheduleStoreError when the file cannot be read or written (disk full, read-only, damaged). Lone surrogates are
    written out in what is kept; values that are no JSON are refused with a ScheduleError.

    A row that cannot be read is logged, marked in its table and left out; it stops no other one.

    Args:
        path: the file; it and its folder are made when they are first needed. One that takes its place while it is
            open is opened instead.
        alone: whether this program alone may run jobs from it; a damaged file is set aside by such a program only.
    """

    def __init__(self, path: Path, *, alone: bool = True) -> None:
        self.path = path
        self._alone = alone
        self._identity: tuple[int, int] | None = None
        self._opened = 0
        self._notices: list[str] = []
        self._said: set[Unreadable] = set()
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Opens the file, unless it is open; every other method does so too."""
        with self._open_file():
            pass

    def close(self) -> None:
        """Closes the file; whoever uses it again opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def take_notices(self) -> list[str]:
        """What the person should know of a file that was set aside or replaced; each is given once."""
        notices, self._notices = self._notices, []
        return notices

    def jobs(self) -> list[Job]:
        """All jobs that can be read, in order of their ids."""
        return self._read("jobs", _JOBS, job_of)

    def unreadable(self) -> list[Unreadable]:
        """Rows that cannot be read, jobs first."""
        self.jobs()
        self.unfinished()
        with self._open_file() as connection:
            return [Unreadable(*row) for row in connection.execute(_UNREADABLE).fetchall()]

    def add(self, job: Job) -> bool:
        """Adds a job; False if there is one of this id."""
        with self._transaction() as connection:
            row = (job.id, job_body(job), _seconds(job.next_at))
            return (
                connection.execute("INSERT OR IGNORE INTO jobs (id, body, next_at) VALUES (?, ?, ?)", row).rowcount == 1
            )

    def replace(self, job: Job) -> None:
        """Puts a job in the place of the one with its id; firings that have begun stay."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE jobs SET body = ?, next_at = ? WHERE id = ?", (job_body(job), _seconds(job.next_at), job.id)
            )

    def describe(self, job: Job) -> None:
        """Puts what is said of a job in the place of what was; its moments and firings stay."""
        with self._transaction() as connection:
            connection.execute("UPDATE jobs SET body = ? WHERE id = ?", (job_body(job), job.id))

    def remove(self, job: str) -> bool:
        """Removes a job with its firings; False if there is none."""
        with self._transaction() as connection:
            return connection.execute("DELETE FROM jobs WHERE id = ?", (job,)).rowcount == 1

    def postpone(self, job: str, next_at: datetime | None, *, was: datetime | None) -> None:
        """Says when a job is due next, without a firing.

        Args:
            job: its id.
            next_at: when it is due next.
            was: when it was due, as the caller knows it. If that is not so any more, its trigger was edited meanwhile,
                and the edit counts.
        """
        with self._transaction() as connection:
            _move(connection, job, next_at, was)

    def fire(self, firings: Sequence[Firing], next_at: datetime | None, *, was: datetime | None) -> list[Firing]:
        """Records firings of one job, before they run, and when it is due next.

        Args:
            firings: one at least.
            next_at: when the job is due next.
            was: when it was due; see `postpone`.

        Returns:
            Those that were not recorded before; none if the job has been removed meanwhile.
        """
        with self._transaction() as connection:
            new = [firing for firing in firings if _record(connection, firing)]
            _move(connection, firings[0].job, next_at, was)
            return new

    def ask(self, firing: Firing) -> bool:
        """Records a firing that no clock asked for; False if it was recorded before or the job is not there."""
        with self._transaction() as connection:
            return _record(connection, firing)

    def unfinished(self) -> list[Firing]:
        """Firings that were recorded and have not ended, the earliest first, if they can be read."""
        return self._read("firings", f"{_FIRINGS} WHERE ended_at IS NULL ORDER BY due, id", firing_of)

    def firing(self, name: str) -> Firing | None:
        """A firing by its id, ended or not; None if there is none that can be read."""
        return next(iter(self._read("firings", f"{_FIRINGS} WHERE id = ?", firing_of, name)), None)

    def recorded(self, firing: str) -> bool:
        """Whether there is a firing of this id, ended or not."""
        with self._open_file() as connection:
            return connection.execute("SELECT 1 FROM firings WHERE id = ?", (firing,)).fetchone() is not None

    def begin(self, firing: Firing) -> bool:
        """Says that a firing runs now; False if it is not recorded (any more)."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE jobs SET last_status = 'running', last_message = '' WHERE id = ? AND last_status != 'running'"
                " AND EXISTS (SELECT 1 FROM firings WHERE id = ?)",
                (firing.job, firing.id),
            )
            return connection.execute("SELECT 1 FROM firings WHERE id = ?", (firing.id,)).fetchone() is not None

    def finish(self, firing: Firing, end: FiringEnd, at: datetime) -> None:
        """Records how a firing ended; the first end counts."""
        with self._transaction() as connection:
            ended = connection.execute(
                "UPDATE firings SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (at.timestamp(), firing.id)
            ).rowcount
            if ended:
                connection.execute(
                    "UPDATE jobs SET last_status = ?, last_message = ? WHERE id = ?",
                    (end.status, storable_text(end.message), firing.job),
                )

    def prune(self, before: datetime) -> None:
        """Forgets what is older than a moment: firings that ended or are unreadable, jobs for one time that ran."""
        moment = before.timestamp()
        with self._transaction() as connection:
            connection.execute("DELETE FROM firings WHERE ended_at < ?", (moment,))
            connection.execute("DELETE FROM firings WHERE unreadable != '' AND due < ?", (moment,))
            connection.execute(_FORGET, (moment,))

    def version(self) -> tuple[int, int]:
        """How often the file was opened, and a number that changes when another program has changed it."""
        with self._open_file() as connection:
            return self._opened, connection.execute("PRAGMA data_version").fetchone()[0]

    def _read(self, table: str, query: str, read: Callable[[Any], _Read], *values: str) -> list[_Read]:
        """What the rows of a query are; those that cannot be read are set aside."""
        with self._open_file() as connection:
            rows = cast("list[tuple[Any, ...]]", connection.execute(query, values).fetchall())
        found: list[_Read] = []
        marks: list[tuple[str, int]] = []
        for row, mark, *columns in rows:
            reason = ""
            try:
                found.append(read(columns))
            except UnreadableRowError as error:
                reason = str(error) or "damaged"
                job = str(columns[0] if table == "jobs" else columns[1])
                self._say(Unreadable("job" if table == "jobs" else "firing", str(columns[0]), job, reason))
            if reason != mark:
                marks.append((reason, row))
        if marks:
            with self._transaction() as connection:
                connection.executemany(f"UPDATE {table} SET unreadable = ? WHERE rowid = ?", marks)  # noqa: S608 (ours)
        return found

    def _say(self, one: Unreadable) -> None:
        """Logs a row that cannot be read, once while the program runs."""
        if one not in self._said:
            self._said.add(one)
            _log.error("job_unreadable", file=str(self.path), row=one.id, job=one.job, reason=str(one))

    @contextmanager
    def _open_file(self) -> Generator[sqlite3.Connection]:
        with self._lock, self._errors():
            if self._connection is not None and identity(self.path) != self._identity:
                leave(self._connection)
                self._connection = None
                self._notice(f"The file of jobs {self.path} was {_REPLACED}")
            if self._connection is None:
                self._connection, notice = open_database(self.path, alone=self._alone)
                self._identity = identity(self.path)
                self._opened += 1
                self._notice(notice)
            yield self._connection

    def _notice(self, words: str) -> None:
        if words:
            self._notices.append(words)
            _log.error("jobs_file_changed", file=str(self.path), reason=words)

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._open_file() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back already
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            what = " ".join(str(error).split())
            raise ScheduleStoreError(
                f"The file of jobs {self.path} cannot be used: {what}; {_advice(error)}."
            ) from error


def _advice(error: sqlite3.Error | OSError) -> str:
    code = getattr(error, "sqlite_errorcode", 0)
    if code in DAMAGE:
        return _DAMAGED
    return "another program writes to it, try again in a moment" if code == BUSY else "make room or allow writing there"


def _record(connection: sqlite3.Connection, firing: Firing) -> bool:
    recorded = connection.execute(
        "INSERT OR IGNORE INTO firings (id, job, body, due) SELECT ?, id, ?, ? FROM jobs WHERE id = ?",
        (firing.id, firing_body(firing), firing.due.timestamp(), firing.job),
    ).rowcount
    if recorded:
        connection.execute(
            "UPDATE jobs SET last_at = ?, last_message = '',"
            " last_status = CASE WHEN last_status = 'running' THEN last_status ELSE ? END WHERE id = ?",
            (firing.due.timestamp(), "asked" if firing.reason == "asked" else "running", firing.job),
        )
    return recorded == 1


def _move(connection: sqlite3.Connection, job: str, next_at: datetime | None, was: datetime | None) -> None:
    old = _seconds(was)
    connection.execute(
        "UPDATE jobs SET next_at = ? WHERE id = ? AND (next_at IS ? OR abs(next_at - ?) < 0.001)",
        (_seconds(next_at), job, old, old),
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
