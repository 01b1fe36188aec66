"""The thread pool and the process pool in which actions run (seed 001)."""

from __future__ import annotations

import asyncio
import contextvars
import pickle
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TYPE_CHECKING, Any

import structlog

from aura_core.errors import ActionError, ShutDownError, WorkerDiedError
from aura_core.execution.worker import WorkerCall, run_call

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_log = structlog.get_logger(__name__)

Work = Future[Any]
unfinished_work: ContextVar[set[Work] | None] = ContextVar("unfinished_work", default=None)
"""Calls of the running task that nobody waits for any more but that still run in a pool; its slots wait for them."""


@contextmanager
def given_up_calls(into: set[Work]) -> Generator[None]:
    """For the block, calls that are given up are remembered in `into`, so that no slot waits for them."""
    token = unfinished_work.set(into)
    try:
        yield
    finally:
        unfinished_work.reset(token)


class _RecordingContext(SpawnContext):
    """Starts fresh interpreters, never forks of a threaded process, and remembers them, to end them if need be."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[BaseProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # noqa: N802 (the name multiprocessing calls) # pyright: ignore[reportIncompatibleVariableOverride]
        process = SpawnContext.Process(*args, **kwargs)
        self.started = [old for old in self.started if old.is_alive()]
        self.started.append(process)
        return process


class Pools:
    """Runs blocking calls in threads and heavy ones in processes.

    A call cannot be interrupted from outside: when its waiter is cancelled, it is remembered in `unfinished_work`
    until it has really ended.

    Args:
        threads: how many threads at most.
        processes: how many processes at most; started when first needed.
    """

    def __init__(self, threads: int, processes: int) -> None:
        self._threads = threads
        self._processes = processes
        self.io: ThreadPoolExecutor | None = None
        self.cpu: ProcessPoolExecutor | None = None
        self._spawn = _RecordingContext()
        self._sent: set[str] = set()

    def startup(self) -> None:
        """Makes the pools; their threads and processes start when first needed."""
        self.io = ThreadPoolExecutor(self._threads, thread_name_prefix="aura-io")
        self.cpu = self._new_cpu_pool()

    async def run_io(self, call: Callable[[], Any]) -> Any:
        """Runs `call` in a thread, with the context variables of the caller."""
        if self.io is None:
            raise ShutDownError("The thread pool is not running.")
        return await _wait(self.io.submit(contextvars.copy_context().run, call))

    async def run_cpu(self, call: WorkerCall) -> Any:
        """Runs `call` in a process; the plan's files are sent along if it turns out that it does not have them.

        Raises:
            WorkerDiedError: the process died; the pool has been replaced and the next call works.
        """
        return await self._run_cpu(call)

    async def _run_cpu(self, call: WorkerCall, *, with_files: bool = False) -> Any:
        pool = self.cpu
        if pool is None:
            raise ShutDownError("The process pool is not running.")
        has_files = not with_files and call.package in self._sent
        try:
            work = pool.submit(run_call, replace(call, modules=None) if has_files else call)
        except BrokenProcessPool:  # a process died while nothing ran: nobody need know
            self._replace(pool)
            return await self._run_cpu(call, with_files=with_files)
        try:
            data = await _wait(work)
        except BrokenProcessPool as error:
            self._replace(pool)
            raise WorkerDiedError(
                f"A process died while action {call.name} ran or waited for one (killed, or out of memory?). "
                "The pool has been replaced; try again."
            ) from error
        if data is None:
            return await self._run_cpu(call, with_files=True)
        self._sent.add(call.package)
        try:
            succeeded, value = pickle.loads(data)  # noqa: S301 (written by our own worker)
        except Exception as error:
            text = f"The result of cpu action {call.name} cannot be read here: {error}; return plain values."
            raise ActionError(text) from error
        if not succeeded:
            raise value
        return value

    async def shutdown(self, grace: float) -> None:
        """Ends both pools: waits up to `grace` seconds for running calls, then ends the processes.

        A thread cannot be ended from outside; one that still runs is logged.
        """
        io, cpu, self.io, self.cpu = self.io, self.cpu, None, None
        if io is None or cpu is None:
            return
        io_closed, cpu_closed = _close_beside(io), _close_beside(cpu)
        await _all_closed(io_closed, cpu_closed, seconds=grace)
        for process in self._spawn.started:
            if process.is_alive():
                process.kill()
        await _all_closed(cpu_closed, seconds=grace)
        if not io_closed.is_set():
            _log.warning(
                "thread_still_running", hint="an action's plain function does not return; give it a time limit"
            )

    def _new_cpu_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._processes, mp_context=self._spawn)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        if self.cpu is broken:
            _log.warning("cpu_pool_replaced")
            broken.shutdown(wait=False, cancel_futures=True)
            self.cpu = self._new_cpu_pool()
            self._sent.clear()


def _close_beside(pool: ThreadPoolExecutor | ProcessPoolExecutor) -> asyncio.Event:
    """Closes a pool in a thread of its own, for closing waits for running calls; the event tells when it is done."""
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def close() -> None:
        pool.shutdown(wait=True, cancel_futures=True)
        with suppress(RuntimeError):  # the loop did not wait so long
            loop.call_soon_threadsafe(closed.set)

    Thread(target=close, name="aura-close", daemon=True).start()
    return closed


async def _all_closed(*pools: asyncio.Event, seconds: float) -> None:
    """Waits until pools are closed, at most so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for pool in pools:
                await pool.wait()


async def _wait(work: Work) -> Any:
    try:
        return await asyncio.wrap_future(work)
    except asyncio.CancelledError:
        unfinished = unfinished_work.get()
        if unfinished is not None and not work.cancel() and not work.done():
            unfinished.add(work)
            work.add_done_callback(unfinished.discard)
        raise
