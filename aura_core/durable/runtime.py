"""The running half of the local engine: starts functions, stops them, records how they ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aura_core.durable.live import Endings, Live
from aura_core.durable.store import UNFINISHED, Ending, Store
from aura_core.errors import AuraError, DurableError, HomeNotWritableError
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of, text_of
from aura_core.storage.json_values import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aura_core.durable.protocol import Ctx, TaskFunction, TaskRecord
    from aura_core.durable.store import Past

CLOSE_SECONDS = 10.0
"""For this long a function that ignores its cancellation may hold up `interrupt`."""


class Runtime:
    """Everything that runs in this process on one store.

    Args:
        store: the record.
        functions: registered functions by name.
        inside: makes what a task's function calls.

    Attributes:
        living: what runs now, by id.
        endings: who waits for tasks to end.
    """

    def __init__(
        self, store: Store, functions: dict[str, TaskFunction], inside: Callable[[Live, Runtime], Ctx]
    ) -> None:
        self.store = store
        self.functions = functions
        self._inside = inside
        self.living: dict[str, Live] = {}
        self.endings = Endings()
        self._closing = False
        self._log = get_logger("aura_core.durable")

    def check_function(self, task: str) -> None:
        """Refuses the name of a function that was not registered."""
        if task not in self.functions:
            raise DurableError(
                f"There is no durable task {task!r}; there are: {_names(self.functions)}. It was registered by another "
                f"version of Aura, or not at all."
            )

    def run(self, record: TaskRecord, past: Past | None = None) -> bool:
        """Runs a stored task unless it has ended or runs already; True if it begins now."""
        if record.id in self.living or record.status not in UNFINISHED or self._closing:
            return False
        live = Live(record, past)
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

    async def _work(self, live: Live) -> Ending:
        """The function, to its end."""
        try:
            value = await self.functions[live.record.task](self._inside(live, self), live.record.args)
            return Ending("done", encode(value, f"the result of task {live.id!r}"))
        except HomeNotWritableError as error:
            live.broken = error
            return Ending("failed", error=str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a task's function raises is how the task ended)
            self._log.info("durable task failed", task=live.id, exc_info=not isinstance(error, AuraError))
            return Ending("failed", error=_text(error))

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
        told_by_its_steps = live.record.parent is not None and ending.status == "done"
        record = await self.store.finish(live.id, ending, lasting=not told_by_its_steps)
        del self.living[live.id]
        self.endings.ended(record)

    def _leave(self, live: Live) -> None:
        if self.living.pop(live.id, None) is not None and live.broken is not None:
            self._log.warning("durable task interrupted", task=live.id, error=str(live.broken))
            self.endings.failed(live.id, live.broken)


def _cancel(lives: Iterable[Live]) -> None:
    """Cancels the work of each, once: a second time would break off what it does to clean up."""
    for live in lives:
        if live.work is not None and not live.stopping:
            live.work.cancel()
        live.stopping = True


async def _runners(lives: Iterable[Live]) -> None:
    runners = [live.runner for live in lives if live.runner is not None]
    if runners:
        await asyncio.wait(runners)


def _text(error: BaseException) -> str:
    return (text_of(error) or type(error).__name__) if isinstance(error, AuraError) else reason_of(error)


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
