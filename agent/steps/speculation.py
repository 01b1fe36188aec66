"""Speculation: read-only steps started while the plan is still being written, kept in memory by fingerprint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agent.contracts import ExecutorResponse

LIMIT = 8


class Speculation:
    """Owns the tasks it starts: `close` ends what nobody took. Never holds a step with a side effect."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[ExecutorResponse]] = {}

    def start(self, fingerprint: str, work: Callable[[], Awaitable[ExecutorResponse]]) -> bool:
        """Starts `work` unless the same fingerprint runs already or enough is running.

        Returns:
            True if it was started.
        """
        if fingerprint in self._running or len(self._running) >= LIMIT:
            return False

        async def run() -> ExecutorResponse:
            return await work()

        self._running[fingerprint] = asyncio.create_task(run(), name=f"speculation {fingerprint[:12]}")
        return True

    async def take(self, fingerprint: str) -> ExecutorResponse | None:
        """The response of the step with this fingerprint, waited for; None if it was not started or failed."""
        task = self._running.pop(fingerprint, None)
        if task is None:
            return None
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled() or task.exception() is not None:
            return None
        response = task.result()
        return response if response.ok else None

    async def close(self) -> None:
        """Cancels what nobody took and waits until it has ended."""
        tasks = list(self._running.values())
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
