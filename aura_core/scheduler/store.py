"""JobStore: jobs and their firings in one SQLite file; each change is whole or not there, also after kill -9."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import structlog
from pydantic import TypeAdapter, ValidationError

from aura_core.errors import ScheduleStoreError
from aura_core.scheduler.database import DAMAGE, open_database
from aura_core.scheduler.job import Firing, FiringEnd, Job, described

_JOBS = "SELECT id, body, next_at, last_at, last_status, last_message FROM jobs"
_FORGET = """
DELETE FROM jobs WHERE next_at IS NULL AND coalesce(last_at, 0) < ? AND json_extract(body, '$.trigger.kind') = 'at'
AND NOT EXISTS (SELECT 1 FROM firings WHERE job = jobs.id AND ended_at IS NULL)
"""
_JobRow = tuple[str, str, float | None, float | None, str, str]
_job = TypeAdapter(Job)
_firing = TypeAdapter(Firing)
_log = structlog.get_logger(__name__)


class JobStore:
    """The file of jobs. Methods block for a disk's moment: call them in a thread; any thread may.

    Another program may add and remove jobs meanwhile; one alone may run them. Every method raises
    ScheduleStoreError when the file cannot be read or written (disk full, read-only, damaged).

    Args:
        path: the file; it and its folder are made when they are first needed.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notices: list[str] = []
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
        """What the person should know of a damaged file that was set aside; each is given once."""
        notices, self._notices = self._notices, []
        return notices

    def jobs(self) -> list[Job]:
        """All jobs, in order of their ids. One that cannot be read is logged and left out."""
        with self._open_file() as connection:
            rows = cast("list[_JobRow]", connection.execute(f"{_JOBS} ORDER BY id").fetchall())
        return [job for job in map(_job_of, rows) if job is not None]

    def add(self, job: Job) -> bool:
        """Adds a job; False if there is one of this id."""
        with self._transaction() as connection:
            row = (job.id, _body(job), _seconds(job.next_at))
            return (
                connection.execute("INSERT OR IGNORE INTO jobs (id, body, next_at) VALUES (?, ?, ?)", row).rowcount == 1
            )

    def replace(self, job: Job) -> None:
        """Puts a job in the place of the one with its id; firings that have begun stay."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE jobs SET body = ?, next_at = ? WHERE id = ?", (_body(job), _seconds(job.next_at), job.id)
            )

    def describe(self, job: Job) -> None:
        """Puts what is said of a job in the place of what was; its moments and firings stay."""
        with self._transaction() as connection:
            connection.execute("UPDATE jobs SET body = ? WHERE id = ?", (_body(job), job.id))

    def remove(self, job: str) -> bool:
        """Removes a job with its firings; False if there is none."""
        with self._transaction() as connection:
            return connection.execute("DELETE FROM jobs WHERE id = ?", (job,)).rowcount == 1

    def postpone(self, job: str, next_at: datetime | None) -> None:
        """Says when a job is due next, without a firing."""
        with self._transaction() as connection:
            connection.execute("UPDATE jobs SET next_at = ? WHERE id = ?", (_seconds(next_at), job))

    def fire(self, firings: Sequence[Firing], next_at: datetime | None) -> list[Firing]:
        """Records firings of one job, before they run, and when it is due next.

        Returns:
            Those that were not recorded before; none if the job has been removed meanwhile.
        """
        with self._transaction() as connection:
            new = [firing for firing in firings if _record(connection, firing)]
            job = firings[0].job
            connection.execute("UPDATE jobs SET next_at = ? WHERE id = ?", (_seconds(next_at), job))
            return new

    def ask(self, firing: Firing) -> bool:
        """Records a firing that no clock asked for; False if it was recorded before or the job is not there."""
        with self._transaction() as connection:
            return _record(connection, firing)

    def unfinished(self) -> list[Firing]:
        """Firings that were recorded and have not ended, the earliest first."""
        query = "SELECT body FROM firings WHERE ended_at IS NULL ORDER BY due, id"
        with self._open_file() as connection:
            rows = cast("list[tuple[str]]", connection.execute(query).fetchall())
        return [_firing.validate_json(body) for (body,) in rows]

    def firing(self, name: str) -> Firing | None:
        """A firing by its id, ended or not."""
        with self._open_file() as connection:
            row = cast(
                "tuple[str] | None", connection.execute("SELECT body FROM firings WHERE id = ?", (name,)).fetchone()
            )
        return None if row is None else _firing.validate_json(row[0])

    def finish(self, firing: Firing, end: FiringEnd, at: datetime) -> None:
        """Records how a firing ended; the first end counts."""
        with self._transaction() as connection:
            ended = connection.execute(
                "UPDATE firings SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (at.timestamp(), firing.id)
            ).rowcount
            if ended:
                connection.execute(
                    "UPDATE jobs SET last_status = ?, last_message = ? WHERE id = ?",
                    (end.status, end.message, firing.job),
                )

    def prune(self, before: datetime) -> None:
        """Forgets firings that ended before a moment, and jobs that were to run once and did so before it."""
        moment = before.timestamp()
        with self._transaction() as connection:
            connection.execute("DELETE FROM firings WHERE ended_at < ?", (moment,))
            connection.execute(_FORGET, (moment,))

    def version(self) -> int:
        """A number that changes when another program has changed the file."""
        with self._open_file() as connection:
            return connection.execute("PRAGMA data_version").fetchone()[0]

    @contextmanager
    def _open_file(self) -> Generator[sqlite3.Connection]:
        with self._lock, self._errors():
            if self._connection is None:
                self._connection, notice = open_database(self.path)
                self._notices += [notice] if notice else []
            yield self._connection

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
            damaged = getattr(error, "sqlite_errorcode", None) in DAMAGE
            advice = "start Aura again: it is set aside then" if damaged else "make room or allow writing there"
            raise ScheduleStoreError(f"The file of jobs {self.path} cannot be used: {error}; {advice}.") from error


def _record(connection: sqlite3.Connection, firing: Firing) -> bool:
    recorded = connection.execute(
        "INSERT OR IGNORE INTO firings (id, job, body, due) SELECT ?, id, ?, ? FROM jobs WHERE id = ?",
        (firing.id, _firing.dump_json(firing).decode(), firing.due.timestamp(), firing.job),
    ).rowcount
    if recorded:
        connection.execute(
            "UPDATE jobs SET last_at = ?, last_status = 'running', last_message = '' WHERE id = ?",
            (firing.due.timestamp(), firing.job),
        )
    return recorded == 1


def _body(job: Job) -> str:
    """What was said of the job; what happens to it stands in columns of its own."""
    return _job.dump_json(described(job)).decode()


def _job_of(row: _JobRow) -> Job | None:
    name, body, next_at, last_at, status, message = row
    try:
        job = _job.validate_json(body)
    except ValidationError as error:
        _log.warning("job_unreadable", job=name, reason=str(error))
        return None
    return replace(job, next_at=_moment(next_at), last_at=_moment(last_at), last_status=status, last_message=message)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
