"""The inside of a task of the local engine: what its function calls, and what its actions have done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from aura_core.errors import AuraError, DurableError, TaskCancelledError, TaskFailedError
from aura_core.storage.json_values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aura_core.durable.live import Live
    from aura_core.durable.protocol import Json
    from aura_core.durable.runtime import Runtime
    from aura_core.durable.store import Store

T = TypeVar("T")


class TaskJournal:
    """Implements `aura_core.durable.protocol.StepJournal` for one task.

    Args:
        live: the task.
        store: where it is remembered.
    """

    def __init__(self, live: Live, store: Store) -> None:
        self._live = live
        self._store = store

    @property
    def resumed(self) -> bool:
        """Whether an earlier life of the engine began the task."""
        return self._live.resumed

    @property
    def length(self) -> int:
        """How many entries it holds; those whose key begins with `~` do not count."""
        return sum(not key.startswith("~") for key in self._live.past.entries)

    def recall(self, key: str) -> Any:
        """The entry under the key, a new copy every time; None if there is none."""
        text = self._live.past.entries.get(key)
        return None if text is None else decode(text)

    async def record(self, entries: Mapping[str, Any]) -> None:
        """Keeps entries in one transaction.

        A store that cannot write breaks the task off: it goes on after a resume, from what was recorded before.
        """
        texts = [(key, encode(entry, f"journal entry {key!r}")) for key, entry in entries.items()]
        self._live.past.entries.update(texts)
        try:
            await self._store.note(self._live.id, texts)
        except AuraError as error:
            self._live.break_off(error)
            await asyncio.get_running_loop().create_future()  # the cancellation ends this wait


class LocalCtx:
    """Implements `aura_core.durable.protocol.Ctx` for one task."""

    def __init__(self, live: Live, runtime: Runtime) -> None:
        self.id = live.id
        self.journal = TaskJournal(live, runtime.store)
        self._live = live
        self._runtime = runtime

    async def step(self, key: str, fn: Callable[..., Awaitable[Json]], *args: Any) -> Json:
        """Runs `fn(*args)` once and records its result; a replay returns the record."""
        with self._live.calling("step", key) as words:
            text = self._live.past.records.get(("step", key))
            if text is None:
                text = encode(await fn(*args), words)
                if self._live.broken is not None:
                    raise self._live.broken
                await self._record("step", key, text)
        return decode(text)

    async def start(self, key: str, task: str, args: Json) -> str:
        """Starts a child task side by side and returns its id."""
        with self._live.calling("start", key) as words:
            self._runtime.check_function(task)
            text = encode(args, f"the arguments of {words}")
            child = f"{self.id}/{key}"
            self._live.has_children = True
            found = await self._stored(self._runtime.store.insert(child, task, text, self.id))
            if found is None:
                raise asyncio.CancelledError
            record = found[0]
            if record.parent != self.id:
                raise DurableError(f"The call {words} would start a task {child!r}, but another one has that id.")
            if not self._runtime.endings.is_interrupted(child):  # only a resume knows what that has done so far
                self._runtime.run(record)
        return child

    async def wait_any(self, key: str, ids: Sequence[str]) -> str:
        """Waits until one of the tasks has ended and returns its id; the choice is recorded."""
        with self._live.calling("wait_any", key) as words:
            text = self._live.past.records.get(("choice", key))
            if text is None:
                if not ids:
                    raise DurableError(f"The call {words} names no task to wait for.")
                text = encode(await self._first_ended(ids), words)
                await self._record("choice", key, text)
        return decode(text)

    async def result(self, id: str) -> Json:  # noqa: A002 (the protocol's word)
        """The result of a task; waits if it has not ended."""
        with self._live.calling("result", id, again=True):
            await self._first_ended([id])
            record = await self._stored(self._runtime.store.get(id))
        if record is None:
            raise DurableError(f"There is no task {id!r} to take the result of.")
        if record.status == "failed":
            raise TaskFailedError(record.error)
        if record.status == "cancelled":
            raise TaskCancelledError(f"The task {id!r} was cancelled.")
        return record.result

    async def wait_signal(self, key: str) -> Json:
        """Waits for `Engine.signal(id, key, value)`."""
        with self._live.calling("wait_signal", key):
            text = self._live.past.signals.get(key)
            if text is None:
                future = self._live.expect(key)
                try:
                    text = await self._stored(self._runtime.store.wait(self.id, key))
                    if text is None:
                        text = await future
                finally:
                    self._live.forget(key)
                self._live.past.signals[key] = text
        return decode(text)

    async def _first_ended(self, ids: Sequence[str]) -> str:
        """The first of the tasks that has ended."""
        endings = self._runtime.endings
        future = endings.watch(ids)
        try:
            elsewhere = [id_ for id_ in ids if id_ not in self._runtime.living]
            known = await self._stored(self._runtime.store.ended(elsewhere)) if elsewhere else {}
            unknown = next((id_ for id_ in elsewhere if id_ not in known), None)
            if unknown is not None:
                raise DurableError(f"Task {self.id!r} waits for {unknown!r}, but there is no such task.")
            done = next((id_ for id_ in elsewhere if known[id_]), None)
            if done is not None:
                return done
            return await self._stored(future)
        finally:
            endings.unwatch(ids, future)

    async def _record(self, kind: str, key: str, text: str) -> None:
        self._live.past.records[kind, key] = text
        await self._stored(self._runtime.store.record(self.id, key, kind, text))

    async def _stored(self, work: Awaitable[T]) -> T:
        """Awaits something of the store; if that fails, how this task ends must not be recorded."""
        try:
            return await work
        except AuraError as error:
            self._live.broken = error
            raise
