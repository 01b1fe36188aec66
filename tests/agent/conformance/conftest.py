"""Engines under test: one parameter per store. A further engine is one more entry in ENGINES."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_core.durable.local import LocalEngine
from aura_core.durable.protocol import Engine

Declare = Callable[[Engine], None]
Launched = Callable[[Declare], AbstractAsyncContextManager[Engine]]


def local_engine(folder: Path) -> Engine:
    return LocalEngine(folder / "state.db")


ENGINES: dict[str, Callable[[Path], Engine]] = {"local": local_engine}


@pytest.fixture(params=sorted(ENGINES))
def new_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Engine]:
    """Makes a new engine on the store of this test: called again after a close it is the program started anew."""
    return lambda: ENGINES[request.param](tmp_path / "store")


@pytest.fixture
def launched(new_engine: Callable[[], Engine]) -> Launched:
    """Declares tasks and queues, launches, closes."""

    @asynccontextmanager
    async def launch(declare: Declare) -> AsyncIterator[Engine]:
        engine = new_engine()
        declare(engine)
        await engine.launch()
        try:
            yield engine
        finally:
            await engine.close()

    return launch


@pytest.fixture
def soon() -> Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]]:
    """Bounds a wait that would only hang if the engine were wrong."""

    async def bounded(work: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(20):
            return await work

    return bounded
