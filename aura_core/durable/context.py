"""The inside of a task of the local engine: what its function calls, and what its actions have done."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from aura_core.errors import AuraError, DurableError, TaskCancelledError, TaskFailedError
from aura_core.storage.json_values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence

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
        """How many entries it holds; those whose key begins with `~` count not."""
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

    async def start(
        self,
        key: str,
        task: str,
        args: Json,
        *,
        queue: str | None = None,
        resource: str | None = None,
        priority: int = 0,
        timeout: float | None = None,
    ) -> str:
        """Starts a child task side by side and returns its id."""
        with self._live.calling("start", key) as words:
            new = self._runtime.new_task(
                f"{self.id}/{key}",
                task,
                encode(args, f"the arguments of {words}"),
                parent=self._live.row,
                queue=queue,
                resource=resource,
                priority=priority,
                timeout=timeout,
            )
            self._live.has_children = True
            found = await self._stored(self._runtime.store.insert(new))
            if found is None:
                raise asyncio.CancelledError
            row = found[0]
            if row.record.parent != self.id:
                raise DurableError(f"The call {words} would start a task {new.id!r}, but another one has that id.")
            if not self._runtime.endings.is_interrupted(new.id):  # only a resume knows what that has done so far
                self._runtime.run(row)
        return new.id

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
            row = await self._stored(self._runtime.store.row(id))
        if row is None:
            raise DurableError(f"There is no task {id!r} to take the result of.")
        record = row.record
        if record.status == "failed":
            raise TaskFailedError(record.error)
        if record.status == "cancelled":
            raise TaskCancelledError(record.error or f"The task {id!r} was cancelled.")
        return record.result

    async def wait_signal(self, key: str) -> Json:
        """Waits for `Engine.signal(id, key, value)`, without holding a slot."""
        with self._live.calling("wait_signal", key):
            text = self._live.past.signals.get(key)
            if text is None:
                future = self._live.expect(key)
                try:
                    text = await self._stored(self._runtime.store.wait(self.id, key))
                    if text is None:
                        with self._clock_stopped():
                            text = await self._away(future)
                finally:
                    self._live.forget(key)
                self._live.past.signals[key] = text
        return decode(text)

    async def _first_ended(self, ids: Sequence[str]) -> str:
        """The first of the tasks that has ended; without a slot while none has."""
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
            return await self._stored(self._away(future))
        finally:
            endings.unwatch(ids, future)

    async def _away(self, future: asyncio.Future[str]) -> str:
        """Waits for the future while others use the slot; the slot is back when this returns."""
        live = self._live
        live.waits = future
        live.slot.give_back()
        self._runtime.look(live.row.root)
        try:
            text = await future
        finally:
            live.waits = None
        with self._clock_stopped():
            await live.slot.take()
        return text

    @contextmanager
    def _clock_stopped(self) -> Generator[None]:
        """The timeout does not count this time."""
        deadline = self._live.deadline
        when = None if deadline is None else deadline.when()
        if deadline is None or when is None:
            yield
            return
        loop = asyncio.get_running_loop()
        left = when - loop.time()
        deadline.reschedule(None)
        try:
            yield
        finally:
            deadline.reschedule(loop.time() + left)

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
