"""The running half of the local engine: starts functions, stops them, records how they ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aura_core.durable.live import Endings, Live
from aura_core.durable.queues import Slot, WorkQueue
from aura_core.durable.store import UNFINISHED, Ending, NewTask, Store, TaskRow
from aura_core.errors import AuraError, DurableError, HomeNotWritableError
from aura_core.ground.logger import get_logger
from aura_core.storage.json_values import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aura_core.durable.protocol import Ctx, TaskFunction
    from aura_core.durable.store import Past

CLOSE_SECONDS = 10.0
"""So long may a function that ignores its cancellation hold up `interrupt`."""


class Runtime:
    """Everything that runs in this process on one store.

    Args:
        store: the record.
        functions: registered functions by name.
        queues: declared queues by name.
        inside: makes what a task's function calls.

    Attributes:
        living: what runs now, by id.
        endings: who waits for tasks to end.
    """

    def __init__(
        self,
        store: Store,
        functions: dict[str, TaskFunction],
        queues: dict[str, WorkQueue],
        inside: Callable[[Live, Runtime], Ctx],
    ) -> None:
        self.store = store
        self.functions = functions
        self.queues = queues
        self._inside = inside
        self.living: dict[str, Live] = {}
        self.endings = Endings()
        self._still: dict[str, set[asyncio.Future[None]]] = {}
        self._closing = False
        self._log = get_logger("aura_core.durable")

    def new_task(
        self,
        id_: str,
        task: str,
        args: str,
        *,
        parent: TaskRow | None = None,
        queue: str | None = None,
        resource: str | None = None,
        priority: int = 0,
        timeout: float | None = None,
    ) -> NewTask:
        """A task to be stored, checked.

        Raises:
            DurableError: unknown function or queue, a resource without a queue, a timeout that is not positive.
        """
        self.check_function(task)
        self.check_queue(id_, queue)
        if resource is not None and queue is None:
            raise DurableError(f"Task {id_!r} names the resource {resource!r} but no queue whose limit it is part of.")
        if timeout is not None and not timeout > 0:
            raise DurableError(f"The timeout of task {id_!r} must be more than 0 seconds, not {timeout!r}.")
        root = "" if parent is None else parent.root
        above = None if parent is None else parent.record.id
        return NewTask(id_, task, args, above, root, queue, resource, priority, timeout)

    def check_function(self, task: str) -> None:
        """Refuses the name of a function that was not registered."""
        if task not in self.functions:
            raise DurableError(
                f"There is no durable task {task!r}; there are: {_names(self.functions)}. It was registered by another "
                f"version of Aura, or not at all."
            )

    def check_queue(self, id_: str, queue: str | None) -> None:
        """Refuses a queue that was not declared."""
        if queue is not None and queue not in self.queues:
            raise DurableError(
                f"Task {id_!r} belongs to the queue {queue!r}, but there is only: {_names(self.queues)}. Declare it "
                f"before the launch."
            )

    def run(self, row: TaskRow, past: Past | None = None) -> bool:
        """Runs a stored task unless it has ended or runs already; True if it begins now."""
        record = row.record
        if record.id in self.living or record.status not in UNFINISHED or self._closing:
            return False
        queue = None if row.queue is None else self.queues[row.queue]
        live = Live(row, past, Slot(queue, row.resource, (-row.priority, row.seq)))
        self.living[record.id] = live
        self.endings.begun(record.id)
        live.work = asyncio.create_task(self._work(live), name=f"work of {record.id}")
        live.runner = asyncio.create_task(self._run(live, live.work), name=f"run of {record.id}")
        if record.parent in self.living:
            self.living[record.parent].has_children = True
        return True

    async def stop(self, ids: Sequence[str]) -> None:
        """Ends tasks that the store has marked as being cancelled; returns when their work has really ended."""
        lives = [self.living[id_] for id_ in ids if id_ in self.living]
        asleep = [id_ for id_ in ids if id_ not in self.living]
        for live in lives:
            live.cancelled = True
        _cancel(lives)
        for id_ in reversed(asleep):
            self.endings.ended(await self.store.finish(id_, Ending("cancelled")))
        await _runners(lives)

    async def interrupt(self) -> None:
        """Stops everything without ending it: it goes on after the next start."""
        self._closing = True
        lives = list(self.living.values())
        _cancel(lives)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await _runners(lives)
        except TimeoutError:
            self._log.error("durable tasks ignore their cancellation", tasks=sorted(self.living))
        self.endings.fail_all(DurableError("Aura was closed before this had ended; it goes on after the next start."))
        for root in tuple(self._still):
            self.look(root)

    async def still(self, root: str) -> None:
        """Waits until nothing of a root runs: all of it has ended, or waits for signals."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._still.setdefault(root, set()).add(future)
        try:
            self.look(root)
            await future
        finally:
            self._still[root].discard(future)
            if not self._still[root]:
                del self._still[root]

    def look(self, root: str) -> None:
        """Wakes those who wait for the root to be still, if it is."""
        waiting = self._still.get(root)
        if waiting and all(live.idle for live in self.living.values() if live.row.root == root):
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    async def _work(self, live: Live) -> Ending:
        """The function, in its slot and under its timeout."""
        record = live.row.record
        await live.slot.take()
        deadline = asyncio.timeout(live.row.timeout)
        try:
            async with deadline:
                live.deadline = deadline
                value = await self.functions[record.task](self._inside(live, self), record.args)
            if not deadline.expired():
                return Ending("done", encode(value, f"the result of task {live.id!r}"))
        except HomeNotWritableError as error:
            live.broken = error
            return Ending("failed", error=str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a task's function raises is how the task ended)
            if not deadline.expired():
                self._log.info("durable task failed", task=live.id, exc_info=not isinstance(error, AuraError))
                return Ending("failed", error=_text(error))
        return Ending("cancelled", error=f"The task took longer than its {live.row.timeout:g} seconds.")

    async def _run(self, live: Live, work: asyncio.Task[Ending]) -> None:
        """Owns the work of one task; never cancelled itself, so that every ending is recorded."""
        await asyncio.wait([work])
        try:
            ending = self._ending(live, work)
            if ending is not None:
                await self._record(live, ending)
        except AuraError as error:
            live.broken = error
        finally:
            self._leave(live)

    def _ending(self, live: Live, work: asyncio.Task[Ending]) -> Ending | None:
        """How the task ended; None if it was only interrupted, or the store failed under it."""
        if live.broken is not None and not live.cancelled:
            return None
        interrupted = self._closing and work.cancelling() > 0 and not live.cancelled
        if interrupted:
            return None
        if work.cancelled():
            return Ending("cancelled")
        return work.result()

    async def _record(self, live: Live, ending: Ending) -> None:
        if live.has_children:
            left = await self.store.request_cancel(live.id, inclusive=False)
            await self.stop(left)
        told_by_its_steps = live.row.record.parent is not None and ending.status == "done"
        record = await self.store.finish(live.id, ending, lasting=not told_by_its_steps)
        live.slot.give_back()
        del self.living[live.id]
        self.endings.ended(record)

    def _leave(self, live: Live) -> None:
        live.slot.give_back()
        if self.living.pop(live.id, None) is not None and live.broken is not None:
            self._log.warning("durable task interrupted", task=live.id, error=str(live.broken))
            self.endings.failed(live.id, live.broken)
        self.look(live.row.root)


def _cancel(lives: Iterable[Live]) -> None:
    """Cancels the work of each, once: a second time would break off what it does to clean up."""
    for live in lives:
        ending_already = live.stopping or live.timed_out
        live.stopping = True
        if live.work is not None and not ending_already:
            live.work.cancel()


async def _runners(lives: Iterable[Live]) -> None:
    runners = [live.runner for live in lives if live.runner is not None]
    if runners:
        await asyncio.wait(runners)


def _text(error: BaseException) -> str:
    return str(error) if isinstance(error, AuraError) else f"{type(error).__name__}: {error}".rstrip(": ")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
