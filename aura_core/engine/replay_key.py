"""Trail: where a recorded task stands, as a key that is the same whenever the same work is done again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from aura_core.engine.shape import Shape, shape_of
from aura_core.expressions.clock import current_clock, real_now
from aura_core.ground.journal import fingerprint, kept, revived
from aura_core.ground.observation import current_observer

if TYPE_CHECKING:
    from aura_core.engine.same_steps import State
    from aura_core.ground.journal import Journal
    from aura_core.language.task import TaskDefinition

ValueT = TypeVar("ValueT")
MOST_NOTED = 1000
"""So many entries at most wait in memory for the next flush."""


class JournalBuffer:
    """A journal, and the entries that it need not have yet: nothing outside depends on them.

    Args:
        journal: keeps the entries.
        path: tells the task from others of the same journal; may be empty.
    """

    def __init__(self, journal: Journal, path: str = "") -> None:
        self.recall = journal.recall
        self._journal = journal
        self._path = path
        self._noted: dict[str, Any] = {}
        self._shapes: dict[str, Shape] = {}
        self._new_shapes: dict[str, Any] = {}
        self._states: dict[str, State] = {}
        self._new_states: dict[str, State] = {}
        self._recording = asyncio.Lock()

    def shape(self, task: TaskDefinition) -> Shape:
        """What records call the steps of a task; it is recorded before the first effect and the first question."""
        shape = self._shapes.get(task.ref)
        if shape is None:
            key = f"{self._path}shape of {task.ref}"
            entry: Mapping[str, Any] = self.recall(key) or {"rows": []}
            shape = self._shapes[task.ref] = shape_of(
                task, entry["rows"], lambda name: self.recall(self._state_key(task, name)) or ""
            )
            rows = [list(row) for row in shape.rows]
            if rows != entry["rows"]:
                self._new_shapes[key] = {"rows": rows}
        return shape

    def mark(self, task: TaskDefinition, name: str, state: State) -> None:
        """Says how far a step of a task is, which tells it from others that do the same once the task is edited.

        Args:
            task: the task.
            name: what records call the step.
            state: how far it is; it is recorded together with what is noted next, a question that waits at the next
                flush.
        """
        key = self._state_key(task, name)
        if (self._states.get(key) or self.recall(key)) != state:
            pending = self._noted if state == "open" else self._new_states
            pending[key] = state
        self._states[key] = state

    def _state_key(self, task: TaskDefinition, name: str) -> str:
        return f"{self._path}state of {task.ref}:{name}"

    def note(self, key: str, entry: Any) -> None:
        """Keeps an entry in memory until the next flush; a kill before that loses it."""
        self._noted[key] = entry

    async def flush(self, *, shapes: bool = False) -> None:
        """Records what was noted: before an effect, and before a person reads something that depends on it.

        Also what another branch is recording at this moment is recorded once this returns.

        Args:
            shapes: also if nothing was noted but what steps are called.
        """
        async with self._recording:
            if self._noted or (shapes and self._new_shapes):
                noted = {**self._new_shapes, **self._noted, **self._new_states}
                self._noted, self._new_shapes, self._new_states = {}, {}, {}
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
        """The key of what happens now: the label, and the how-manieth time it happens on this line."""
        count = self._counts[label] = self._counts.get(label, 0) + 1
        return f"{self.path}{label}" if count == 1 else f"{self.path}{label}#{count}"

    def inside(self, label: str) -> Trail:
        """The line of steps inside what happens now."""
        return Trail(self.journal, f"{self.key(label)}>")

    def branches(self, label: str, names: Sequence[str]) -> Sequence[Trail]:
        """A line of steps for each branch of what happens now."""
        whole = self.inside(label)
        return [whole.inside(name) for name in names]

    def turns(self, items: Sequence[Any]) -> Turns:
        """The items of a loop, each with a line of its own."""
        return Turns(self, items)


class Turns(Sequence[Any]):
    """The items of a loop that takes its turns one after the other; taking an item begins its line of steps.

    An item's line is named after the item, not its number: what was done for an item stays done for it, also when
    the list is another one after a crash.
    """

    def __init__(self, trail: Trail, items: Sequence[Any]) -> None:
        self._trail = trail
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            current_trail.set(self._trail.inside(fingerprint(item)))
            yield item


current_trail: ContextVar[Trail | None] = ContextVar("current_trail", default=None)
"""The line of steps that runs in this asynchronous context; None where nothing is recorded."""


def begin(journal: Journal | None, path: str) -> None:
    """Begins the line of a whole task in this asynchronous context; with None, nothing is recorded in it.

    Args:
        journal: where it is recorded.
        path: what tells it from other tasks of the same journal; may be empty.
    """
    current_trail.set(None if journal is None else Trail(JournalBuffer(journal, path), path))
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
