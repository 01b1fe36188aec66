"""Waits: what waits for a person in this process, now; not a record, but the code that waits."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Waits:
    """Knows what waits by its key: the durable id of a question, or the idempotency key of a step."""

    def __init__(self) -> None:
        self._keys: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._changed = asyncio.Event()

    @contextmanager
    def waiting(self, key: str) -> Generator[None]:
        """Something waits for its person, for the block: a question, or a step that waits as for its person."""
        keys = self._keys[_root(key)]
        keys[key] += 1
        self._change()
        try:
            yield
        finally:
            keys[key] -= 1
            if not keys[key]:
                del keys[key]
            if not keys:
                self._keys.pop(_root(key), None)
            self._change()

    def inside(self, key: str) -> bool:
        """Whether a question or a step waits, or something inside the step does."""
        return any(waiting == key or waiting.startswith(f"{key}/") for waiting in self._keys.get(_root(key), ()))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until a condition on what waits here holds."""
        while not condition():
            await self._changed.wait()

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _root(key: str) -> str:
    return key.split("/", 1)[0]
