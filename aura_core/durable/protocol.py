"""Engine and Ctx: what the run loop needs of a durable engine, whichever store is behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from aura_core.ground.journal import Journal
from aura_core.storage.json_values import Json

DurableStatus = Literal["pending", "waiting", "done", "failed", "cancelled"]
UNFINISHED: tuple[DurableStatus, ...] = ("pending", "waiting")


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One durable task as the store knows it.

    Attributes:
        id: unique; chosen by whoever started it.
        task: name of the registered function.
        args: its JSON arguments.
        status: pending (it runs, or goes on after a resume), waiting (for a signal), done, failed or cancelled.
        parent: id of the task that started it; None for a root.
        result: JSON result when done.
        error: text when failed.
        created_at: seconds since the epoch.
        updated_at: seconds since the epoch.
    """

    id: str
    task: str
    args: Json
    status: DurableStatus
    parent: str | None
    result: Json
    error: str
    created_at: float
    updated_at: float


class StepJournal(Journal, Protocol):
    """A journal that knows how much was recorded in it; entries with a key that begins with `~` do not count."""

    @property
    def resumed(self) -> bool:
        """Whether the work goes on with what an earlier life of the engine began."""
        ...

    @property
    def length(self) -> int:
        """How many entries it holds."""
        ...


class Ctx(Protocol):
    """The inside of one durable task.

    Strictly one durable call at a time, a second one is a DurableError; side by side only through `start`. Keys are
    explicit and unique within the task for each kind of call. Code between the calls runs again on replay, so clock,
    random and models belong inside steps. Values are JSON; anything else is a DurableError that names the key.
    """

    id: str

    @property
    def journal(self) -> StepJournal:
        """What the work inside the task's step has done so far, for the case that it is broken off and done again.

        Unlike durable calls, its calls may come side by side. Its entries live as long as the task is unfinished.
        """
        ...

    async def step(self, key: str, fn: Callable[..., Awaitable[Json]], *args: Any) -> Json:
        """Runs `fn(*args)` once and records its result under (id, key); a replay returns the record.

        A step that was in flight and not recorded when the process died runs again: give outside actions
        `<id>/<key>` as idempotency key. An exception is not recorded: it ends the task unless the caller handles it,
        and then the same key may be tried again.
        """
        ...

    async def start(self, key: str, task: str, args: Json) -> str:
        """Starts a child task side by side and returns its id, `<id>/<key>`; a replay starts nothing twice.

        Args:
            key: unique within the task.
            task: name of a registered function.
            args: JSON arguments.
        """
        ...

    async def wait_any(self, key: str, ids: Sequence[str]) -> str:
        """Waits until one of the tasks has ended and returns its id; the choice is recorded."""
        ...

    async def result(self, id: str) -> Json:  # noqa: A002 (the protocol's word)
        """The result of a task that ended; waits for one that has not.

        Raises:
            TaskFailedError: its function raised.
            TaskCancelledError: it was cancelled.
        """
        ...

    async def wait_signal(self, key: str) -> Json:
        """Waits, for days if need be, for `Engine.signal(id, key, value)`."""
        ...


TaskFunction = Callable[[Ctx, Json], Awaitable[Json]]


class Records(Protocol):
    """Looking at what a store holds, without changing it: engines can, and programs beside a running one."""

    async def get(self, id: str) -> TaskRecord | None:  # noqa: A002 (the protocol's word)
        """The task's record as it stands, without waiting."""
        ...

    async def list(
        self,
        *,
        task: str | None = None,
        statuses: Sequence[DurableStatus] | None = None,
        parent: str | None = None,
        limit: int | None = 100,
    ) -> Sequence[TaskRecord]:
        """Records, newest first; `parent=None` does not filter, and `limit=None` gives all."""
        ...

    async def steps(self, id: str) -> dict[str, Json]:  # noqa: A002 (the protocol's word)
        """The values of the recorded steps of a task by key, in order of recording, for `aura runs show`."""
        ...

    async def signals(self, id: str) -> dict[str, Json]:  # noqa: A002 (the protocol's word)
        """The signals that a task was given, by key, whether it has waited for them yet or not."""
        ...


class Engine(Records, Protocol):
    """A durable engine: starts tasks, remembers what they did, goes on after a kill.

    A task that ends cancels the tasks it started and left unfinished.
    """

    def task(self, name: str, fn: TaskFunction) -> None:
        """Registers `fn` under a name; before `launch`."""
        ...

    async def launch(self) -> None:
        """Makes the engine ready. Nothing unfinished goes on before `resume`."""
        ...

    async def close(self) -> None:
        """Stops running work without ending it: it is still there after the next `launch`."""
        ...

    async def start(self, task: str, args: Json, *, id: str) -> str:  # noqa: A002 (the protocol's word)
        """Starts a root task; a second start with the same id changes nothing."""
        ...

    async def resume(self, id: str) -> bool:  # noqa: A002 (the protocol's word)
        """Goes on with an unfinished root task and its children; False if it is finished or already running."""
        ...

    async def signal(self, id: str, key: str, value: Json) -> bool:  # noqa: A002 (the protocol's word)
        """Answers a `wait_signal`, also before the task waits. The first value counts.

        Returns:
            True if this value is the one that counts; False if there was one before, or the task has ended or does
            not exist.
        """
        ...

    async def cancel(self, id: str) -> bool:  # noqa: A002 (the protocol's word)
        """Cancels a task and its children; returns when their work has really ended. False if it had ended."""
        ...

    async def outcome(self, id: str) -> TaskRecord:  # noqa: A002 (the protocol's word)
        """Waits until the task has ended and returns its record.

        Raises:
            RunNotFoundError: no such task.
        """
        ...

    async def prune(self, older_than: float) -> int:
        """Deletes finished root tasks, with all below them, that ended more than `older_than` seconds ago.

        Returns:
            How many roots were deleted.
        """
        ...
