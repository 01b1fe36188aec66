"""The thread pool and the processes in which actions run (seed 001)."""

from __future__ import annotations

import asyncio
import contextvars
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from aura_core.errors import ActionError, ShutDownError
from aura_core.execution.calls import outcome
from aura_core.execution.closing import all_closed, close_beside
from aura_core.execution.processes import Processes
from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from aura_core.execution.worker import WorkerCall

_log = get_logger(__name__)


def _told(call: Callable[[], Any]) -> Any:
    """Runs a call in a thread; a future cannot carry StopIteration or GeneratorExit, so they become a RuntimeError."""
    try:
        return call()
    except (StopIteration, GeneratorExit) as error:
        raise RuntimeError(f"{type(error).__name__}: {error}".rstrip(": ")) from error


class Pools:
    """Runs blocking calls in threads and heavy ones in processes.

    A thread cannot be interrupted from outside: when the waiter of a call is cancelled, the call is remembered in
    `TaskScope.unfinished` until it has really ended. A process is ended at once.

    Args:
        threads: how many threads at most.
        processes: how many processes at most; started when first needed.
    """

    def __init__(self, threads: int, processes: int) -> None:
        self._threads = threads
        self._processes = processes
        self.io: ThreadPoolExecutor | None = None
        self.cpu: Processes | None = None

    def startup(self) -> None:
        """Makes the pools; their threads and processes start when first needed."""
        self.io = ThreadPoolExecutor(self._threads, thread_name_prefix="aura-io")
        self.cpu = Processes(self._processes)

    async def run_io(self, call: Callable[[], Any], action: str = "") -> Any:
        """Runs `call` in a thread, with the context variables of the caller.

        Args:
            call: what to run.
            action: reference of the action that it calls; empty if it calls none.
        """
        if self.io is None:
            raise ShutDownError("The thread pool is not running.")
        return await outcome(self.io.submit(contextvars.copy_context().run, _told, call), action)

    async def run_cpu(self, call: WorkerCall) -> Any:
        """Runs `call` in a process.

        Raises:
            WorkerDiedError: the process died; no other call has noticed, and the next one works.
        """
        if self.cpu is None:
            raise ShutDownError("The process pool is not running.")
        data = await self.cpu.run(call)
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
        io_closed = close_beside(io)
        await asyncio.gather(all_closed([io_closed], grace), cpu.shutdown(grace))
        if not io_closed.is_set():
            _log.warning(
                "thread_still_running", hint="an action's plain function does not return; give it a time limit"
            )
