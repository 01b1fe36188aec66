"""A task while this process runs it: what it did before, what it waits for, whether it must stop."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aura_core.durable.store import Past
from aura_core.errors import DurableError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from aura_core.durable.protocol import TaskRecord
    from aura_core.errors import AuraError


class Live:
    """One running task.

    Attributes:
        record: what the store knew of it when it began.
        past: its records and signals, those of this life included.
        resumed: it was begun in an earlier life.
        work: the asyncio task of its function.
        runner: the asyncio task that owns `work` and records how it ended.
        stopping: it is being cancelled or interrupted; durable calls end at once.
        cancelled: somebody asked for its end, so it will not go on later.
        broken: the store failed under it, so how it ends must not be recorded.
        has_children: it started tasks, which must not outlive it.
    """

    def __init__(self, record: TaskRecord, past: Past | None) -> None:
        self.record = record
        self.resumed = past is not None
        self.past = Past() if past is None else past
        self.work: asyncio.Task[object] | None = None
        self.runner: asyncio.Task[None] | None = None
        self.stopping = False
        self.cancelled = False
        self.broken: AuraError | None = None
        self.has_children = False
        self._used: set[tuple[str, str]] = set()
        self._call: str | None = None
        self._signals: dict[str, asyncio.Future[str]] = {}

    @property
    def id(self) -> str:
        """The durable task's id."""
        return self.record.id

    @property
    def ended(self) -> bool:
        """True once its function has returned or raised."""
        return self.work is None or self.work.done()

    @contextmanager
    def calling(self, kind: str, key: str, *, again: bool = False) -> Generator[str]:
        """One durable call, from its beginning to its end; after a failure its key may be used again.

        Args:
            kind: the method, e.g. "step".
            key: its key.
            again: the same key may come more than once.

        Yields:
            The call and its task in words, for messages.

        Raises:
            DurableError: another one is in flight, the key was used before, or the task has ended.
            asyncio.CancelledError: the task must stop.
        """
        words = f"{kind} {key!r} of task {self.id!r}"
        self._refuse(words)
        if not again and (kind, key) in self._used:
            raise DurableError(
                f"The call {words} uses a key that an earlier one had. Keys are unique within a task: put what makes "
                f"the calls different into the key, e.g. a number."
            )
        self._call = words
        try:
            yield words
            self._used.add((kind, key))
        finally:
            self._call = None

    def _refuse(self, words: str) -> None:
        if self.stopping:
            raise asyncio.CancelledError
        if self.ended:
            raise DurableError(f"The call {words} came after the task had ended; await every durable call.")
        if self._call is not None:
            raise DurableError(
                f"The call {words} began while {self._call} was in flight. A task makes one durable call at a time, "
                f"or a replay could mix up their results; use start() for work side by side."
            )

    def break_off(self, error: AuraError) -> None:
        """The store failed under it: its work ends, and goes on when the task is resumed."""
        self.broken = error
        if self.work is not None and not self.stopping:
            self.work.cancel()

    def deliver(self, key: str, value: str) -> None:
        """Takes a signal's JSON text in and wakes who waits for it."""
        self.past.signals.setdefault(key, value)
        future = self._signals.get(key)
        if future is not None and not future.done():
            future.set_result(value)

    def expect(self, key: str) -> asyncio.Future[str]:
        """A future of the signal `key`."""
        return self._signals.setdefault(key, asyncio.get_running_loop().create_future())

    def forget(self, key: str) -> None:
        """The wait for the signal is over."""
        self._signals.pop(key, None)


class Endings:
    """Who waits for tasks to end, inside this process."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[str]]] = {}
        self._failed: dict[str, AuraError] = {}

    def watch(self, ids: Sequence[str]) -> asyncio.Future[str]:
        """A future of the id that ends first; give it back with `unwatch`.

        It holds the error at once if one of them was interrupted and nobody has resumed it.
        """
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        error = next((self._failed[id_] for id_ in ids if id_ in self._failed), None)
        if error is not None:
            future.set_exception(error)
        for id_ in ids:
            self._waiting.setdefault(id_, set()).add(future)
        return future

    def unwatch(self, ids: Sequence[str], future: asyncio.Future[str]) -> None:
        """Ends a watch."""
        if future.done() and not future.cancelled():
            future.exception()
        for id_ in ids:
            futures = self._waiting.get(id_, set())
            futures.discard(future)
            if not futures:
                self._waiting.pop(id_, None)

    def begun(self, id_: str) -> None:
        """The task runs (again)."""
        self._failed.pop(id_, None)

    def ended(self, record: TaskRecord) -> None:
        """Wakes those who wait for this task."""
        self._failed.pop(record.id, None)
        for future in self._waiting.pop(record.id, ()):
            if not future.done():
                future.set_result(record.id)

    def failed(self, id_: str, error: AuraError) -> None:
        """Tells those who wait, now or later, that the task was interrupted."""
        self._failed[id_] = error
        for future in self._waiting.pop(id_, ()):
            if not future.done():
                future.set_exception(error)

    def is_interrupted(self, id_: str) -> bool:
        """Whether the task was interrupted and nobody has resumed it."""
        return id_ in self._failed

    def fail_all(self, error: AuraError) -> None:
        """Tells all who wait."""
        for id_ in tuple(self._waiting):
            self.failed(id_, error)
