"""Replay keys: where a recorded task stands, as a key that is the same whenever the same work is done again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from aura_core.expressions.clock import current_clock, real_now
from aura_core.ground.journal import fingerprint, kept, revived
from aura_core.ground.observation import current_observer

if TYPE_CHECKING:
    from aura_core.ground.journal import Journal

ValueT = TypeVar("ValueT")
MOST_NOTED = 1000
"""The most entries that wait in memory for the next flush."""


class JournalBuffer:
    """A journal, and the entries that it need not have yet: nothing outside depends on them.

    Args:
        journal: keeps the entries.
        first: entries that the first flush records too, unless they are there already.

    Attributes:
        labels: what calls are named, by step.
    """

    def __init__(self, journal: Journal, first: Mapping[str, Any] | None = None) -> None:
        self.recall = journal.recall
        self.labels: dict[str, str] = {}
        self._journal = journal
        self._noted = {key: entry for key, entry in (first or {}).items() if journal.recall(key) is None}
        self._recording = asyncio.Lock()

    def note(self, key: str, entry: Any) -> None:
        """Keeps an entry in memory until the next flush; a kill before that loses it."""
        self._noted[key] = entry

    async def flush(self) -> None:
        """Records what was noted: before an effect, and before a person reads something that depends on it.

        What another branch is recording at this moment is recorded too once this returns.
        """
        async with self._recording:
            if self._noted:
                noted, self._noted = self._noted, {}
                await self._journal.record(noted)

    async def flush_if_full(self) -> None:
        """Keeps the memory bounded."""
        if len(self._noted) >= MOST_NOTED:
            await self.flush()


class Trail:
    """One line of steps that run one after the other: a task, a branch, a turn of a loop.

    Args:
        journal: of the run.
        path: where the line stands in the run; unique.
    """

    __slots__ = ("_counts", "journal", "path")

    def __init__(self, journal: JournalBuffer, path: str = "") -> None:
        self.journal = journal
        self.path = path
        self._counts: dict[str, int] = {}

    def key(self, label: str) -> str:
        """The key of what happens now: the label, and a count if it happened on this line before."""
        count = self._counts[label] = self._counts.get(label, 0) + 1
        return f"{self.path}{label}" if count == 1 else f"{self.path}{label}#{count}"

    def inside(self, label: str) -> Trail:
        """The line of steps inside what happens now."""
        return Trail(self.journal, f"{self.key(label)}>")

    def turn(self, item: Any) -> Trail:
        """The line of steps of one turn of a loop.

        It is named after the item, not its number: what was done for an item stays done for it, also when the list is
        another one after a crash.
        """
        return self.inside(fingerprint(item))


current_trail: ContextVar[Trail | None] = ContextVar("current_trail", default=None)
"""The line of steps that runs in this asynchronous context; None where nothing is recorded."""


def begin(journal: Journal | None, path: str, first: Mapping[str, Any] | None = None) -> None:
    """Begins the line of a whole task in this asynchronous context; with None, nothing is recorded in it.

    Args:
        journal: where it is recorded.
        path: what tells it from other tasks of the same journal; may be empty.
        first: entries that are recorded before anything else.
    """
    current_trail.set(None if journal is None else Trail(JournalBuffer(journal, first), path))
    current_clock.set(real_now if journal is None else recorded_now)
    current_observer.set(None if journal is None else recorded_look)


def here() -> Trail:
    """The line of steps that runs now; asked for only by an engine whose task is recorded."""
    trail = current_trail.get()
    if trail is None:
        raise LookupError("nothing is recorded here")
    return trail


async def along(trail: Trail | None, work: Awaitable[ValueT]) -> ValueT:
    """Awaits work whose steps belong to this line; with None, none of them is recorded."""
    token = current_trail.set(trail)
    try:
        return await work
    finally:
        current_trail.reset(token)


def recorded_now() -> datetime:
    """What expressions get from `now()`: the moment at which an earlier attempt asked, if it did."""
    trail = current_trail.get()
    if trail is None:
        return real_now()
    key = trail.key("now")
    entry: Mapping[str, Any] | None = trail.journal.recall(key)
    if entry is not None:
        return revived(entry["result"])
    moment = real_now()
    trail.journal.note(key, {"result": kept(moment)})
    return moment


def recorded_look(label: str, look: Callable[[], Any]) -> Any:
    """What expressions get of a world that changes: what an earlier attempt saw, if it looked.

    Args:
        label: what is looked at.
        look: gives a JSON value, or raises KeyError.

    Raises:
        KeyError: there is, or was, nothing to be seen.
    """
    trail = current_trail.get()
    if trail is None:
        return look()
    key = trail.key(label)
    entry: Mapping[str, Any] | None = trail.journal.recall(key)
    if entry is None:
        try:
            entry = {"result": kept(look())}
        except KeyError:
            entry = {}
        trail.journal.note(key, entry)
    if "result" not in entry:
        raise KeyError(label)
    return revived(entry["result"])
