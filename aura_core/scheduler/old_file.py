"""The jobs.db of Aura before aura.db: its jobs become documents, with what was due and had not ended in a queue."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from aura_core.errors import ScheduleError
from aura_core.scheduler.job import Firing
from aura_core.scheduler.job_documents import NAMESPACE, check_aware
from aura_core.storage.documents import Json, insert_document
from aura_core.storage.takeover import OldFile


def copy_jobs(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copies all jobs; one that cannot be read is copied as the text that it is, and said to be unreadable as before.

    Args:
        old: jobs.db, of which only is read.
        new: aura.db, in a transaction.

    Raises:
        sqlite3.Error: the old file cannot be read, or the new one not be written.
    """
    queues = _queues(old)
    columns = "CAST(id AS TEXT), CAST(body AS BLOB), next_at, last_at, last_status, last_message"
    for name, body, next_at, last_at, status, message in old.execute(f"SELECT {columns} FROM jobs"):  # noqa: S608 (a constant)
        try:
            value: Json = {
                **json.loads(body, parse_constant=_refuse),
                "next_at": _moment(next_at),
                "last_at": _moment(last_at),
                "last_status": status,
                "last_message": message,
                "queue": queues[name],
            }
        except (ValueError, TypeError, RecursionError):
            value = body.decode("utf-8", "backslashreplace")
        insert_document(new, NAMESPACE, name, value, time.time())


def _queues(old: sqlite3.Connection) -> dict[str, list[Json]]:
    """What had not ended, by job, the earliest first; a firing that cannot be read stays in the old file alone."""
    queues: dict[str, list[Json]] = defaultdict(list)
    query = "SELECT job, CAST(body AS BLOB) FROM firings WHERE ended_at IS NULL ORDER BY due, id"
    for job, body in old.execute(query):
        with suppress(ValueError, TypeError, RecursionError, ScheduleError):
            firing = _firing().validate_python(json.loads(body, parse_constant=_refuse))
            check_aware(firing.due)
            if firing.job == job:
                queues[job].append(_firing().dump_python(firing, mode="json"))
    return queues


@cache
def _firing() -> TypeAdapter[Firing]:
    return TypeAdapter(Firing)


def _moment(seconds: Any) -> Json:
    """A moment as it is written now; something else is kept as its text, which is unreadable then as well."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return str(seconds) if seconds is not None else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


JOBS_DB = OldFile("jobs.db", copy_jobs, application_id=0x4175724A)
"""`AurJ` in ASCII."""
