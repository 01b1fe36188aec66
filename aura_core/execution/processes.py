"""Processes for heavy work: a call has one for itself; who gives a call up ends its process and no other."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

from aura_core.errors import WorkerDiedError
from aura_core.execution.calls import outcome
from aura_core.execution.closing import all_closed, close_beside
from aura_core.execution.worker import WorkerCall, leave_interrupts_to_parent, run_call
from aura_core.ground.logger import get_logger

END_SECONDS = 10.0
"""For a process that was killed to be gone: it has no say in it, but a busy machine takes its time."""

_log = get_logger(__name__)


class Processes:
    """So many processes at most, started when first needed; calls that find none free wait in their order.

    Each is an executor of its own: a process that dies, or is ended, takes no other call with it.

    Args:
        limit: how many at most.

    Attributes:
        workers: those that were started and not ended.
    """

    def __init__(self, limit: int) -> None:
        self._places = asyncio.Semaphore(limit)
        self._idle: list[Worker] = []
        self._ending: list[asyncio.Event] = []
        self.workers: set[Worker] = set()

    async def run(self, call: WorkerCall) -> bytes:
        """Runs a call in a free process; being cancelled ends the process.

        Raises:
            WorkerDiedError: the process died; the next call gets another one.
        """
        async with self._places:
            worker = self._take()
            try:
                return await worker.run(call)
            finally:
                self._put_back(worker)

    async def shutdown(self, grace: float) -> None:
        """Waits up to `grace` seconds for running calls, then ends the processes."""
        workers = list(self.workers)
        closed = [close_beside(worker.executor) for worker in workers]
        await all_closed(closed, grace)
        for worker in workers:
            worker.kill()
        await all_closed([*closed, *self._ending], max(grace, END_SECONDS))
        self.workers.clear()
        self._idle.clear()

    def _take(self) -> Worker:
        """The process that was used last, for it is the warmest; a new one if none is free."""
        while self._idle:
            worker = self._idle.pop()
            if worker.usable:
                return worker
            self._forget(worker)
        worker = Worker()
        self.workers.add(worker)
        return worker

    def _put_back(self, worker: Worker) -> None:
        if worker.usable:
            self._idle.append(worker)
        else:
            self._forget(worker)

    def _forget(self, worker: Worker) -> None:
        self.workers.discard(worker)
        worker.kill()
        self._ending = [closed for closed in self._ending if not closed.is_set()] + [close_beside(worker.executor)]


class Worker:
    """One process, and what it was given already.

    Attributes:
        executor: hands it its calls, one after the other.
    """

    def __init__(self) -> None:
        self._spawn = _RememberingContext()
        self._packages: set[str] = set()
        self._ended = False
        self.executor = ProcessPoolExecutor(1, mp_context=self._spawn, initializer=leave_interrupts_to_parent)

    @property
    def process(self) -> BaseProcess | None:
        """The process; None before the first call."""
        return next((process for process in self._spawn.made if process.pid is not None), None)

    @property
    def usable(self) -> bool:
        """Whether it can take a call."""
        return not self._ended and self.process is not None and not wait([self.process.sentinel], 0)

    def kill(self) -> None:
        """Ends the process at once."""
        self._ended = True
        if self.process is not None:
            self.process.kill()

    async def run(self, call: WorkerCall) -> bytes:
        """Runs a call; the plan's files are sent along if it does not have them."""
        has_files = call.package in self._packages
        data = await self._submit(replace(call, modules=None) if has_files else call)
        if data is None:  # it had them, but the plan was edited meanwhile and then came a call of the edited one
            data = await self._submit(call)
        self._packages.add(call.package)
        return data

    async def _submit(self, call: WorkerCall) -> Any:
        try:
            return await outcome(self.executor.submit(run_call, call))
        except BrokenProcessPool as error:
            _log.warning("worker_died", plan=call.plan, action=call.name)
            raise WorkerDiedError(
                f"The process in which action {call.name} ran has died (killed, or out of memory?); "
                "the next call gets a new one."
            ) from error
        except asyncio.CancelledError:
            self.kill()
            raise


class _RememberingContext(SpawnContext):
    """Starts fresh interpreters, never forks of a threaded process, and remembers them, to end them if need be."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[BaseProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # noqa: N802 (the name multiprocessing calls) # pyright: ignore[reportIncompatibleVariableOverride] (ours remembers)
        process = SpawnContext.Process(*args, **kwargs)
        self.made.append(process)
        return process
