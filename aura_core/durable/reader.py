"""A look into the store while another program works on it: takes no lock, changes nothing; for `aura runs`."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from aura_core.durable.schema import open_for_reading
from aura_core.durable.store import select_records, select_row, select_steps
from aura_core.storage.database import explain

if TYPE_CHECKING:
    from pathlib import Path

    from aura_core.durable.protocol import DurableStatus, Json, TaskRecord

T = TypeVar("T")


class StoreReader:
    """Implements `aura_core.durable.protocol.Records` on the file of a LocalEngine, launched or not.

    Every call sees what is recorded at that moment; a store that does not exist yet is an empty one.
    Every method raises HomeNotWritableError (it cannot be opened) and DurableError (damaged, foreign, too new).

    Args:
        path: the SQLite file, e.g. AURA_HOME/state.db.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def get(self, id: str) -> TaskRecord | None:  # noqa: A002 (the protocol's word)
        """The task's record as it stands."""
        row = await asyncio.to_thread(self._read, partial(select_row, task=id), None)
        return None if row is None else row.record

    async def list(
        self,
        *,
        task: str | None = None,
        statuses: Sequence[DurableStatus] | None = None,
        parent: str | None = None,
        limit: int = 100,
    ) -> Sequence[TaskRecord]:
        """Records, newest first; `parent=None` does not filter."""
        query = partial(select_records, task=task, statuses=statuses, parent=parent, limit=limit)
        nothing: Sequence[TaskRecord] = ()
        return await asyncio.to_thread(self._read, query, nothing)

    async def steps(self, id: str) -> dict[str, Json]:  # noqa: A002 (the protocol's word)
        """Values of the recorded steps of a task by key, in order of recording."""
        return await asyncio.to_thread(self._read, partial(select_steps, task=id), dict[str, "Json"]())

    def _read(self, query: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        if not self._path.is_file():
            return nothing
        try:
            connection = open_for_reading(self._path)
            if connection is None:
                return nothing
            with contextlib.closing(connection):
                return query(connection)
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
