"""ThreadLimit: a plain function that Aura calls by itself, again and again, keeps few threads busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aura_core.execution.calls import Unfinished
from aura_core.execution.task_scope import given_up_calls

THREADS = 2
"""At once, for one function."""


class ThreadLimit:
    """The turns of one function: a hook, a condition, a service that takes pictures of failures.

    A call that was given up because it took too long still runs in its thread; until it has returned the function is
    left out. No places of a task wait for it.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(THREADS)
        self._unfinished = Unfinished()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Around a call in the thread pool.

        Raises:
            TimeoutError: an earlier call, which was given up, has not returned.
        """
        async with self._free:
            if self._unfinished:
                raise TimeoutError("an earlier call of it has not returned yet, so it was left out")
            with given_up_calls(into=self._unfinished):
                yield
