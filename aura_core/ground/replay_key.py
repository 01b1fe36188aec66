"""Replay keys: where a recorded task stands, as a key that is the same whenever the same work is done again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aura_core.ground.journal import fingerprint, kept, revived

if TYPE_CHECKING:
    from aura_core.ground.journal import Journal

MOST_NOTED = 1000
"""The most entries that wait in memory for the next flush."""


def real_now() -> datetime:
    """This moment, to the second, in the machine's time zone."""
    return datetime.now(UTC).astimezone().replace(microsecond=0)


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

    def now(self) -> datetime:
        """The moment at which an earlier attempt asked here, if it did; else this one."""
        key = self.key("now")
        entry: Mapping[str, Any] | None = self.journal.recall(key)
        if entry is not None:
            return revived(entry["result"])
        moment = real_now()
        self.journal.note(key, {"result": kept(moment)})
        return moment

    def observe(self, label: str, look: Callable[[], Any]) -> Any:
        """What an earlier attempt saw here of a world that changes, if it looked; else what there is to be seen now.

        Args:
            label: what is looked at.
            look: gives a JSON value, or raises KeyError.

        Raises:
            KeyError: there is, or was, nothing to be seen.
        """
        key = self.key(label)
        entry: Mapping[str, Any] | None = self.journal.recall(key)
        if entry is None:
            try:
                entry = {"result": kept(look())}
            except KeyError:
                entry = {}
            self.journal.note(key, entry)
        if "result" not in entry:
            raise KeyError(label)
        return revived(entry["result"])


class Turns(Trail):
    """The line of steps of a loop's turns that run one after the other.

    A turn is named after its item, not its number: what was done for an item stays done for it, also when the list is
    another one after a crash.

    Args:
        loop: the line of the whole loop.
    """

    __slots__ = ("_loop",)

    def __init__(self, loop: Trail) -> None:
        super().__init__(loop.journal)
        self._loop = loop

    def begin(self, item: Any) -> None:
        """Begins the turn of an item."""
        self.path = f"{self._loop.key(fingerprint(item))}>"
        self._counts = {}
