"""Engines and documents under test: one parameter per store. A further one is one more entry in these tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_core.durable.local import LocalEngine
from aura_core.durable.protocol import Engine
from aura_core.durable.schema import DURABLE
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, Documents, SqliteDocuments

Declare = Callable[[Engine], None]
Opened = Callable[[], AbstractAsyncContextManager[Documents]]
Launched = Callable[[Declare], AbstractAsyncContextManager[Engine]]


@asynccontextmanager
async def local_engine(folder: Path) -> AsyncIterator[Engine]:
    async with Database(folder / "aura.db", [DURABLE]) as database:
        yield LocalEngine(database)


ENGINES: dict[str, Callable[[Path], AbstractAsyncContextManager[Engine]]] = {"local": local_engine}


@pytest.fixture(params=sorted(ENGINES))
def launched(request: pytest.FixtureRequest, tmp_path: Path) -> Launched:
    """Declares tasks and queues, launches, closes; launched again, it is the program started anew on its store."""

    @asynccontextmanager
    async def launch(declare: Declare) -> AsyncIterator[Engine]:
        async with ENGINES[request.param](tmp_path / "store") as engine:
            declare(engine)
            await engine.launch()
            try:
                yield engine
            finally:
                await engine.close()

    return launch


@asynccontextmanager
async def sqlite_documents(folder: Path) -> AsyncIterator[Documents]:
    async with Database(folder / "aura.db", [DOCUMENTS]) as database:
        yield SqliteDocuments(database)


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Documents]]] = {"sqlite": sqlite_documents}


@pytest.fixture(params=sorted(STORES))
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens the documents of this test's store; opened twice, they are those of two programs."""
    return lambda: STORES[request.param](tmp_path / "store")


@pytest.fixture
def soon() -> Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]]:
    """Bounds a wait that would only hang if the engine were wrong."""

    async def bounded(work: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(20):
            return await work

    return bounded
