"""What the engine remembers: tasks, their records and signals, each change one small operation of the writer."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from aura_core.durable.protocol import UNFINISHED, DurableStatus, Json, TaskRecord
from aura_core.storage.database import Database
from aura_core.storage.json_values import decode

FREED_PAGES = 500
"""The most pages that go back to the disk with every batch of deleted runs."""

Columns = tuple[str, str, str, DurableStatus, str | None, str | None, str, float, float]
COLUMNS = "id, task, args, status, parent, result, error, created_at, updated_at"
_OF_ONE = f"SELECT {COLUMNS} FROM tasks WHERE id = ?"  # noqa: S608 (a constant)
_OF_ROOT = f"SELECT {COLUMNS} FROM tasks WHERE root = ? AND status IN ('pending', 'waiting') ORDER BY seq"  # noqa: S608
_LISTED = (
    f"SELECT {COLUMNS} FROM tasks WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR parent = ?2) "  # noqa: S608
    "AND (?3 IS NULL OR instr(?3, ',' || status || ',')) ORDER BY seq DESC LIMIT ?4"
)
_TREE = """
WITH RECURSIVE tree (id) AS (
  SELECT id FROM tasks WHERE id = ?1 AND ?2 OR parent = ?1 AND NOT ?2
  UNION ALL SELECT tasks.id FROM tasks JOIN tree ON tasks.parent = tree.id
)
SELECT id FROM tasks WHERE id IN (SELECT id FROM tree) AND status IN ('pending', 'waiting') ORDER BY seq
"""


@dataclass(slots=True)
class Past:
    """What a task did before: records as (kind, key) -> JSON text, signals and journal entries as key -> JSON text."""

    records: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    signals: dict[str, str] = field(default_factory=dict[str, str])
    entries: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task's own code ended; `result` is JSON text when done."""

    status: DurableStatus
    result: str | None = None
    error: str = ""


class Store:
    """What one engine remembers. Every method is one transaction and returns after its commit.

    A commit waits for the disk only where something outside relies on it: the start and the end of a root, the result
    of a step, journal entries, a signal, a cancellation, a failure. That a child began and was done, and what a task
    chose, follows again from those after a power cut, which loses the last changes only, never one before a kept one.

    Implements `aura_core.durable.protocol.Records`, also beside a program whose engine runs.

    Every method raises HomeNotWritableError (disk full, read-only) and DurableError (damaged, closed).

    Args:
        database: with the part `DURABLE`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def end_cancelled(self) -> None:
        """What was being cancelled when the last program died counts as cancelled."""
        await self._database.run(_end_cancelled)

    async def insert(self, id_: str, task: str, args: str, parent: str | None = None) -> tuple[TaskRecord, bool] | None:
        """Adds a task, or returns the one that has the id; None if its parent has ended or is being cancelled.

        Args:
            id_: unique.
            task: name of its function.
            args: JSON text.
            parent: who starts it; None for a root.

        Returns:
            The task, and whether it is new.
        """
        operation = partial(_insert, id_=id_, task=task, args=args, parent=parent)
        return await self._database.run(operation, lasting=parent is None)

    async def record(self, task: str, key: str, kind: str, value: str) -> None:
        """Adds a record of a step or a choice."""
        operation = partial(_record, task=task, key=key, kind=kind, value=value)
        await self._database.run(operation, lasting=kind == "step")

    async def note(self, task: str, entries: Sequence[tuple[str, str]]) -> None:
        """Adds entries (key, JSON text) to a task's journal, all or none; one that is there is replaced."""
        await self._database.run(partial(_note, task=task, entries=entries))

    async def wait(self, task: str, key: str) -> str | None:
        """Marks the task as waiting for a signal, or returns the signal's JSON text if it is there already."""
        return await self._database.run(partial(_wait, task=task, key=key), lasting=False)

    async def signal(self, task: str, key: str, value: str) -> bool:
        """Adds a signal if the task is unfinished and has none of that key; True if it was added."""
        return await self._database.run(partial(_signal, task=task, key=key, value=value))

    async def finish(self, task: str, ending: Ending, *, lasting: bool = True) -> TaskRecord:
        """Records how a task ended; a cancellation that was asked for before wins."""
        return await self._database.run(partial(_finish, task=task, ending=ending), lasting=lasting)

    async def request_cancel(self, task: str, *, inclusive: bool) -> Sequence[str]:
        """Marks the task (if `inclusive`) and all below as being cancelled; ids of the unfinished ones."""
        return await self._database.run(partial(_request_cancel, task=task, inclusive=inclusive))

    async def load(self, root: str) -> Sequence[tuple[TaskRecord, Past]]:
        """The unfinished tasks of a root with their past, in order of starting."""
        return await self._database.read(partial(_load, root=root))

    async def ended(self, tasks: Sequence[str]) -> dict[str, bool]:
        """Whether each of the tasks has ended; unknown ones are missing."""
        return await self._database.read(partial(_ended, tasks=tasks))

    async def get(self, id: str) -> TaskRecord | None:  # noqa: A002 (the protocol's word)
        """See `Records.get`."""
        return await self._database.read(partial(_select, task=id))

    async def list(
        self,
        *,
        task: str | None = None,
        statuses: Sequence[DurableStatus] | None = None,
        parent: str | None = None,
        limit: int | None = 100,
    ) -> Sequence[TaskRecord]:
        """See `Records.list`."""
        query = partial(_select_records, task=task, statuses=statuses, parent=parent, limit=limit)
        return await self._database.read(query)

    async def steps(self, id: str) -> dict[str, Json]:  # noqa: A002 (the protocol's word)
        """See `Records.steps`."""
        return await self._database.read(partial(_select_steps, task=id))

    async def signals(self, id: str) -> dict[str, Json]:  # noqa: A002 (the protocol's word)
        """See `Records.signals`."""
        return await self._database.read(partial(_select_signals, task=id))

    async def prune(self, before: float, limit: int) -> int:
        """Deletes roots that ended before a moment (seconds since the epoch): at most `limit`, oldest first."""
        return await self._database.run(partial(_prune, before=before, limit=limit))


def _select(connection: sqlite3.Connection, task: str) -> TaskRecord | None:
    found = cast("Columns | None", connection.execute(_OF_ONE, (task,)).fetchone())
    return None if found is None else _record_of(found)


def _select_records(
    connection: sqlite3.Connection,
    task: str | None,
    statuses: Sequence[DurableStatus] | None,
    parent: str | None,
    limit: int | None,
) -> Sequence[TaskRecord]:
    wanted = None if statuses is None else f",{','.join(statuses)},"
    found = cast(
        "Sequence[Columns]",
        connection.execute(_LISTED, (task, parent, wanted, -1 if limit is None else limit)).fetchall(),
    )
    return [_record_of(columns) for columns in found]


def _select_steps(connection: sqlite3.Connection, task: str) -> dict[str, Json]:
    query = "SELECT key, value FROM records WHERE task_id = ? AND kind = 'step' ORDER BY seq"
    found = cast("Sequence[tuple[str, str]]", connection.execute(query, (task,)).fetchall())
    return {key: decode(value) for key, value in found}


def _select_signals(connection: sqlite3.Connection, task: str) -> dict[str, Json]:
    query = "SELECT key, value FROM signals WHERE task_id = ?"
    found = cast("Sequence[tuple[str, str]]", connection.execute(query, (task,)).fetchall())
    return {key: decode(value) for key, value in found}


def _record_of(columns: Columns) -> TaskRecord:
    id_, task, args, status, parent, result, error, created, updated = columns
    value = None if result is None else decode(result)
    return TaskRecord(id_, task, decode(args), status, parent, value, error, created, updated)


def _end_cancelled(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE tasks SET status = 'cancelled', waiting_for = NULL, updated_at = ? "
        "WHERE cancelling AND status IN ('pending', 'waiting')",
        (time.time(),),
    )


def _insert(
    connection: sqlite3.Connection, id_: str, task: str, args: str, parent: str | None
) -> tuple[TaskRecord, bool] | None:
    there = _select(connection, id_)
    if there is not None:
        return there, False
    root = (id_,)
    if parent is not None:
        query = "SELECT root FROM tasks WHERE id = ? AND NOT cancelling AND status IN ('pending', 'waiting')"
        root = cast("tuple[str] | None", connection.execute(query, (parent,)).fetchone())
        if root is None:
            return None
    now = time.time()
    connection.execute(
        "INSERT INTO tasks (id, root, parent, task, args, status, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, 'pending', ?, ?)",
        (id_, *root, parent, task, args, now, now),
    )
    return TaskRecord(id_, task, decode(args), "pending", parent, None, "", now, now), True


def _record(connection: sqlite3.Connection, task: str, key: str, kind: str, value: str) -> None:
    connection.execute(
        "INSERT INTO records (task_id, key, kind, value, at) VALUES (?, ?, ?, ?, ?)",
        (task, key, kind, value, time.time()),
    )


def _note(connection: sqlite3.Connection, task: str, entries: Sequence[tuple[str, str]]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO entries (task_id, key, value) VALUES (?, ?, ?)",
        [(task, key, value) for key, value in entries],
    )


def _wait(connection: sqlite3.Connection, task: str, key: str) -> str | None:
    query = "SELECT value FROM signals WHERE task_id = ? AND key = ?"
    found = cast("tuple[str] | None", connection.execute(query, (task, key)).fetchone())
    if found is not None:
        return found[0]
    connection.execute(
        "UPDATE tasks SET status = 'waiting', waiting_for = ?, updated_at = ? "
        "WHERE id = ? AND status IN ('pending', 'waiting')",
        (key, time.time(), task),
    )
    return None


def _signal(connection: sqlite3.Connection, task: str, key: str, value: str) -> bool:
    now = time.time()
    added = connection.execute(
        "INSERT OR IGNORE INTO signals (task_id, key, value, at) "
        "SELECT id, ?, ?, ? FROM tasks WHERE id = ? AND NOT cancelling AND status IN ('pending', 'waiting')",
        (key, value, now, task),
    ).rowcount
    connection.execute(
        "UPDATE tasks SET status = 'pending', waiting_for = NULL, updated_at = ? WHERE id = ? AND waiting_for = ?",
        (now, task, key),
    )
    return added == 1


def _finish(connection: sqlite3.Connection, task: str, ending: Ending) -> TaskRecord:
    connection.execute(
        "UPDATE tasks SET status = iif(cancelling, 'cancelled', ?1), result = iif(cancelling, NULL, ?2), "
        "error = iif(cancelling, '', ?3), waiting_for = NULL, updated_at = ?4 "
        "WHERE id = ?5 AND status IN ('pending', 'waiting')",
        (ending.status, ending.result, ending.error, time.time(), task),
    )
    connection.execute("DELETE FROM entries WHERE task_id = ?", (task,))
    return cast("TaskRecord", _select(connection, task))


def _request_cancel(connection: sqlite3.Connection, task: str, *, inclusive: bool) -> Sequence[str]:
    found = cast("Sequence[tuple[str]]", connection.execute(_TREE, (task, inclusive)).fetchall())
    ids = [row[0] for row in found]
    if inclusive and task not in ids:
        return []
    connection.executemany("UPDATE tasks SET cancelling = 1 WHERE id = ?", [(one,) for one in ids])
    return ids


def _ended(connection: sqlite3.Connection, tasks: Sequence[str]) -> dict[str, bool]:
    records = {task: _select(connection, task) for task in tasks}
    return {task: record.status not in UNFINISHED for task, record in records.items() if record is not None}


def _load(connection: sqlite3.Connection, root: str) -> Sequence[tuple[TaskRecord, Past]]:
    loaded: list[tuple[TaskRecord, Past]] = []
    for record in map(_record_of, cast("Sequence[Columns]", connection.execute(_OF_ROOT, (root,)).fetchall())):
        past = Past()
        query = "SELECT key, kind, value FROM records WHERE task_id = ?"
        for key, kind, value in cast("Sequence[tuple[str, str, str]]", connection.execute(query, (record.id,))):
            past.records[kind, key] = value
        query = "SELECT key, value FROM signals WHERE task_id = ?"
        past.signals.update(cast("Sequence[tuple[str, str]]", connection.execute(query, (record.id,))))
        query = "SELECT key, value FROM entries WHERE task_id = ?"
        past.entries.update(cast("Sequence[tuple[str, str]]", connection.execute(query, (record.id,))))
        loaded.append((record, past))
    return loaded


def _prune(connection: sqlite3.Connection, before: float, limit: int) -> int:
    deleted = connection.execute(
        "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE parent IS NULL AND updated_at < ? "
        "AND status NOT IN ('pending', 'waiting') ORDER BY seq LIMIT ?)",
        (before, limit),
    ).rowcount
    free: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(min(free, FREED_PAGES)):  # Python steps such a statement once, and a step frees one page
        connection.execute("PRAGMA incremental_vacuum(1)")
    return deleted
