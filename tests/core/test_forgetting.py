"""What is too old is forgotten, also by a program that stays open."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

import structlog.testing

from aura_core.durable.local import LocalEngine
from aura_core.errors import HomeNotWritableError
from aura_core.storage.forgetting import DAY_SECONDS, forgetting
from tests.core.test_durable_local import launched

AT_ONCE = -1.0


class Days:
    """Days that a test lets pass."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[float] = asyncio.Queue()
        self._over: asyncio.Queue[None] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        self.begun.put_nowait(seconds)
        await self._over.get()

    async def another(self) -> None:
        """Lets a day pass, and returns when the next one has begun."""
        self._over.put_nowait(None)
        assert await self.begun.get() == DAY_SECONDS


async def end_run(engine: LocalEngine, name: str) -> None:
    await engine.start("echo", 1, id=name)
    await engine.outcome(name)


async def test_old_runs_are_forgotten_at_the_start_and_every_day(tmp_path: Path):
    days = Days()
    async with launched(tmp_path / "aura.db") as engine:
        await end_run(engine, "before")
        async with forgetting(partial(engine.prune, AT_ONCE), sleep=days.sleep):
            assert await engine.get("before") is None
            assert await days.begun.get() == DAY_SECONDS
            for name in ("first", "second"):
                await end_run(engine, name)
                assert await engine.get(name) is not None
                await days.another()
                assert await engine.get(name) is None


async def test_a_day_on_which_the_store_cannot_be_written_is_logged_and_the_next_one_makes_up_for_it(tmp_path: Path):
    days, path = Days(), tmp_path / "aura.db"
    others: list[str] = []

    async def forget_others() -> None:
        others.append("forgotten")

    async with (
        launched(path) as engine,
        forgetting(partial(engine.prune, AT_ONCE), forget_others, sleep=days.sleep),
    ):
        await days.begun.get()
        await end_run(engine, "old")
        with sqlite3.connect(path) as other, structlog.testing.capture_logs() as logs:
            other.execute("CREATE TRIGGER refused BEFORE DELETE ON tasks BEGIN SELECT RAISE(ABORT, 'not now'); END")
            other.commit()
            await days.another()
            assert [entry["event"] for entry in logs] == ["what is old was not forgotten"]
            assert len(others) == 2
            assert await engine.get("old") is not None
            other.execute("DROP TRIGGER refused")
            other.commit()
        await days.another()
        assert await engine.get("old") is None


async def test_a_program_starts_also_when_nothing_can_be_forgotten_now():
    """A full disk must not keep the bot away that tells its chats of it."""

    async def no_room() -> None:
        raise HomeNotWritableError("The disk is full.")

    with structlog.testing.capture_logs() as logs:
        async with forgetting(no_room):
            pass
    assert [entry["event"] for entry in logs] == ["what is old was not forgotten"]
