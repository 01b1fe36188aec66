"""LocalEngine: durable tasks on asyncio and the database file of the home; the default, with nothing to install."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aura_core.durable.context import LocalCtx
from aura_core.durable.runtime import Runtime
from aura_core.durable.store import UNFINISHED, Store
from aura_core.errors import DurableError, RunNotFoundError
from aura_core.storage.json_values import encode

if TYPE_CHECKING:
    from aura_core.durable.protocol import DurableStatus, Json, TaskFunction, TaskRecord
    from aura_core.storage.database import Database

PRUNE_BATCH = 50
"""How many roots are deleted in one transaction: few, so that running work hardly waits for it."""


class LocalEngine:
    """Implements `aura_core.durable.protocol.Engine` for one process.

    Beyond the protocol's words: a task whose records cannot be written stays unfinished.

    Args:
        database: with the part `DURABLE`; no other program may run an engine on it.
    """

    def __init__(self, database: Database) -> None:
        self._store = Store(database)
        self._functions: dict[str, TaskFunction] = {}
        self._runtime: Runtime | None = None

    def task(self, name: str, fn: TaskFunction) -> None:
        """Registers `fn` under a name; before `launch`.

        Raises:
            DurableError: the name is taken, or the engine runs already.
        """
        if self._runtime is not None:
            raise DurableError(f"The task {name!r} must be declared before the engine is launched.")
        if name in self._functions:
            raise DurableError(f"The task {name!r} was declared twice.")
        self._functions[name] = fn

    async def launch(self) -> None:
        """Makes the engine ready.

        Raises:
            HomeNotWritableError: the store cannot be written.
            DurableError: the store cannot be used, or the engine runs already.
        """
        if self._runtime is not None:
            raise DurableError("The engine was launched twice.")
        await self._store.end_cancelled()
        self._runtime = Runtime(self._store, self._functions, LocalCtx)

    async def close(self) -> None:
        """Stops running work without ending it; harmless if nothing was launched. The database stays open."""
        if self._runtime is None:
            return
        try:
            await self._runtime.interrupt()
        finally:
            self._runtime = None

    async def start(self, task: str, args: Json, *, id: str) -> str:  # noqa: A002 (the protocol's word)
        """Starts a root task; a second start with the same id changes nothing."""
        if not id:
            raise DurableError("A durable task needs an id.")
        runtime = self._running()
        runtime.check_function(task)
        found = await self._store.insert(id, task, encode(args, f"the arguments of task {id!r}"))
        if found is not None and found[1]:
            runtime.run(found[0])
        return id

    async def resume(self, id: str) -> bool:  # noqa: A002 (the protocol's word)
        """Goes on with an unfinished root task and its children; False if it is finished or already running.

        Raises:
            RunNotFoundError: no such task.
            DurableError: it is the child of another one, or one of its functions is not registered any more.
        """
        runtime = self._running()
        loaded = await self._store.load(id)
        if not loaded:
            record = await self._known(id)
            if record.parent is not None:
                raise DurableError(f"The task {id!r} is a part of {record.parent!r}; resume that.")
            return False
        for record, _ in loaded:
            runtime.check_function(record.task)
        begun = [runtime.run(record, past) for record, past in loaded]
        return begun[0]

    async def signal(self, id: str, key: str, value: Json) -> bool:  # noqa: A002 (the protocol's word)
        """Answers a `wait_signal`, also before the task waits. The first value counts."""
        runtime = self._running()
        text = encode(value, f"the signal {key!r} to task {id!r}")
        counts = await self._store.signal(id, key, text)
        live = runtime.living.get(id)
        if counts and live is not None:
            live.deliver(key, text)
        return counts

    async def cancel(self, id: str) -> bool:  # noqa: A002 (the protocol's word)
        """Cancels a task and its children; returns when their work has really ended. False if it had ended."""
        runtime = self._running()
        ids = await self._store.request_cancel(id, inclusive=True)
        await runtime.stop(ids)
        return bool(ids)

    async def outcome(self, id: str) -> TaskRecord:  # noqa: A002 (the protocol's word)
        """Waits until the task has ended and returns its record.

        Raises:
            RunNotFoundError: no such task.
            HomeNotWritableError: its end cannot be recorded; it can be resumed when there is room.
            DurableError: the engine was closed before.
        """
        endings = self._running().endings
        future = endings.watch([id])
        try:
            record = await self._known(id)
            if record.status in UNFINISHED:
                await future
                record = await self._known(id)
            return record
        finally:
            endings.unwatch([id], future)

    async def get(self, id: str) -> TaskRecord | None:  # noqa: A002 (the protocol's word)
        """The task's record as it stands, without waiting."""
        return await self._store.get(id)

    async def list(
        self,
        *,
        task: str | None = None,
        statuses: Sequence[DurableStatus] | None = None,
        parent: str | None = None,
        limit: int | None = 100,
    ) -> Sequence[TaskRecord]:
        """Records, newest first; `parent=None` does not filter."""
        return await self._store.list(task=task, statuses=statuses, parent=parent, limit=limit)

    async def steps(self, id: str) -> dict[str, Json]:  # noqa: A002 (the protocol's word)
        """Values of the recorded steps of a task by key, in order of recording."""
        return await self._store.steps(id)

    async def signals(self, id: str) -> dict[str, Json]:  # noqa: A002 (the protocol's word)
        """The signals that a task was given, by key."""
        return await self._store.signals(id)

    async def prune(self, older_than: float) -> int:
        """Deletes finished root tasks, with all below them, that ended long ago.

        Args:
            older_than: seconds since they ended.

        Returns:
            How many roots were deleted.
        """
        before = time.time() - older_than
        deleted = 0
        while batch := await self._store.prune(before, PRUNE_BATCH):
            deleted += batch
        return deleted

    def _running(self) -> Runtime:
        if self._runtime is None:
            raise DurableError("The engine is not launched, or was closed.")
        return self._runtime

    async def _known(self, id_: str) -> TaskRecord:
        record = await self._store.get(id_)
        if record is None:
            raise RunNotFoundError(f"There is no run {id_!r}; `aura runs` lists those that exist.")
        return record
