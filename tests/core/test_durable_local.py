"""What is particular to the engine on the database file of a home: a full disk, readers beside it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aura_core.durable.local import LocalEngine
from aura_core.durable.protocol import Ctx, Json
from aura_core.durable.schema import DURABLE
from aura_core.durable.store import Store
from aura_core.errors import DurableError, HomeNotWritableError
from aura_core.storage.database import Database


async def waits(ctx: Ctx, args: Json) -> Json:
    return await ctx.wait_signal("go")


async def echo(ctx: Ctx, args: Json) -> Json:
    async def give() -> Json:
        return args

    return await ctx.step("give", give)


async def waiting(engine: LocalEngine, task: str) -> None:
    """Returns once the task waits for a signal."""
    while (record := await engine.get(task)) is None or record.status != "waiting":  # noqa: ASYNC110 (nobody is told)
        await asyncio.sleep(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "aura.db"


@asynccontextmanager
async def launched(path: Path, declare: Callable[[LocalEngine], None] = lambda _: None) -> AsyncIterator[LocalEngine]:
    async with Database(path, [DURABLE]) as database:
        engine = LocalEngine(database)
        engine.task("waits", waits)
        engine.task("echo", echo)
        declare(engine)
        await engine.launch()
        try:
            async with asyncio.timeout(30):
                yield engine
        finally:
            await engine.close()


async def test_a_full_disk_interrupts_and_the_run_goes_on_when_there_is_room(path):
    done: list[int] = []

    async def hoard(ctx: Ctx, args: Json) -> Json:
        async def piece(number: int) -> Json:
            done.append(number)
            return "x" * 50_000

        for number in range(20):
            await ctx.step(str(number), piece, number)
        return len(done)

    def declare(engine: LocalEngine) -> None:
        engine.task("hoard", hoard)

    def limit(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 80")

    async with launched(path, declare) as engine:
        await engine._store._database.run(limit)
        await engine.start("hoard", None, id="r")
        with pytest.raises(HomeNotWritableError, match="full"):
            await engine.outcome("r")
        assert (await engine.get("r")).status == "pending"
        with pytest.raises(HomeNotWritableError, match="full"):
            await engine.outcome("r")
    kept = len(done) - 1
    assert 0 < kept < 19
    async with launched(path, declare) as engine:
        await engine.resume("r")
        assert (await engine.outcome("r")).status == "done"
    assert done == [*range(kept + 1), *range(kept, 20)]


async def test_a_child_that_was_interrupted_is_not_begun_again_without_its_past(path):
    begun, seen = asyncio.Event(), []

    async def parent(ctx: Ctx, args: Json) -> Json:
        await begun.wait()
        await ctx.start("c", "child", None)
        return await ctx.result(f"{ctx.id}/c")

    async def child(ctx: Ctx, args: Json) -> Json:
        seen.append(ctx.journal.recall("done"))
        if len(seen) == 2:
            raise HomeNotWritableError("no room")
        await ctx.journal.record({"done": True})
        return await ctx.wait_signal("go")

    def declare(engine: LocalEngine) -> None:
        engine.task("parent", parent)
        engine.task("child", child)

    async with launched(path, declare) as engine:
        begun.set()
        await engine.start("parent", None, id="r")
        await waiting(engine, "r/c")
    begun.clear()
    async with launched(path, declare) as engine:
        await engine.resume("r")
        with pytest.raises(HomeNotWritableError):
            await engine.outcome("r/c")
        begun.set()
        with pytest.raises(HomeNotWritableError):
            await engine.outcome("r")
        await engine.resume("r")
        await engine.signal("r/c", "go", "on")
        assert (await engine.outcome("r")).result == "on"
    assert seen == [None, True, True]


async def test_a_parent_is_interrupted_with_the_child_whose_end_could_not_be_recorded(path):
    async def hoard(ctx: Ctx, args: Json) -> Json:
        async def much() -> Json:
            return "x" * 500_000

        return len(await ctx.step("much", much))

    async def root(ctx: Ctx, args: Json) -> Json:
        return await ctx.result(await ctx.start("child", "hoard", None))

    def declare(engine: LocalEngine) -> None:
        engine.task("hoard", hoard)
        engine.task("root", root)

    def limit(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 80")

    async with launched(path, declare) as engine:
        await engine._store._database.run(limit)
        await engine.start("root", None, id="r")
        with pytest.raises(HomeNotWritableError):
            await engine.outcome("r")
    async with launched(path, declare) as engine:
        await engine.resume("r")
        assert (await engine.outcome("r")).result == 500_000


async def test_a_function_that_finds_no_room_has_not_ended_and_goes_on_later(path):
    rooms = [False, True]

    async def write(ctx, args):
        async def attempt():
            if not rooms.pop(0):
                raise HomeNotWritableError("No room.")
            return "written"

        return await ctx.step("write", attempt)

    async with launched(path, lambda engine: engine.task("write", write)) as engine:
        await engine.start("write", None, id="w")
        with pytest.raises(HomeNotWritableError, match="No room"):
            await engine.outcome("w")
        assert await engine.resume("w")
        assert (await engine.outcome("w")).result == "written"


async def test_another_program_looks_in_while_the_engine_works(path):
    async with launched(path) as engine, Database(path, [DURABLE]) as database:
        reader = Store(database)
        assert list(await reader.list()) == []
        assert await reader.get("r") is None
        assert await reader.steps("r") == {}
        await engine.start("echo", "hi", id="r")
        await engine.outcome("r")
        await engine.start("waits", None, id="w")
        await waiting(engine, "w")
        assert [record.id for record in await reader.list(statuses=["waiting"])] == ["w"]
        assert (await reader.get("r")).result == "hi"
        assert await reader.steps("r") == {"give": "hi"}
        assert [record.id for record in await reader.list()] == ["w", "r"]


class Commits:
    """What was written by each commit that waited for the disk."""

    def __init__(self) -> None:
        self.waited: list[str] = []
        self._synchronous = "FULL"
        self._written = ""

    def take(self, statement: str) -> None:
        if statement.startswith("PRAGMA synchronous="):
            self._synchronous = statement.removeprefix("PRAGMA synchronous=")
        elif statement.startswith(("INSERT", "UPDATE")):
            self._written = " ".join(statement.split()[:3])
        elif statement == "COMMIT":
            if self._synchronous == "FULL" and self._written:
                self.waited.append(self._written)
            self._written = ""


@pytest.mark.parametrize(("fails", "waits_for_the_end"), [(False, []), (True, ["UPDATE tasks SET"])])
async def test_a_step_of_a_run_waits_for_the_disk_once_and_its_failure_once_more(path, fails, waits_for_the_end):
    async def child(ctx: Ctx, args: Json) -> Json:
        await ctx.step("do", echo_of, args)
        if fails:
            raise DurableError("as planned")
        return args

    async def echo_of(args: Json) -> Json:
        return args

    async def root(ctx: Ctx, args: Json) -> Json:
        return await ctx.wait_any("w", [await ctx.start("child", "child", 1)])

    def declare(engine: LocalEngine) -> None:
        engine.task("child", child)
        engine.task("root", root)

    async with launched(path, declare) as engine:
        commits = Commits()
        await engine._store._database.run(lambda connection: connection.set_trace_callback(commits.take))
        await engine.start("root", None, id="r")
        await engine.outcome("r")
    step = ["INSERT INTO records", *waits_for_the_end]
    assert commits.waited == ["INSERT INTO tasks", *step, "UPDATE tasks SET"]


async def test_pruning_deletes_old_finished_runs_with_all_below_and_nothing_else(path):
    async def root(ctx: Ctx, args: Json) -> Json:
        return await ctx.result(await ctx.start("child", "echo", 1))

    async with launched(path, lambda engine: engine.task("root", root)) as engine:
        for number in range(120):
            await engine.start("root", None, id=f"r{number}")
        for number in range(120):
            await engine.outcome(f"r{number}")
        await engine.start("waits", None, id="w")
        await waiting(engine, "w")
        assert await engine.prune(3600) == 0
        assert await engine.prune(-1) == 120
        assert (
            await engine._store._database.run(lambda store: store.execute("PRAGMA freelist_count").fetchone()[0]) == 0
        )
        assert [record.id for record in await engine.list()] == ["w"]
        assert await engine.steps("r0/child") == {}
        await engine.start("root", None, id="r0")
        assert (await engine.outcome("r0")).status == "done"


async def test_what_was_being_cancelled_when_the_program_died_counts_as_cancelled(path):
    async with launched(path) as engine:
        await engine.start("waits", None, id="r")
        await waiting(engine, "r")
        await engine._store.request_cancel("r", inclusive=True)
    async with launched(path) as engine:
        assert (await engine.get("r")).status == "cancelled"
        assert await engine.resume("r") is False


async def test_closing_tells_those_who_wait_and_a_closed_engine_refuses(path):
    async with launched(path) as engine:
        await engine.start("waits", None, id="r")
        waiter = asyncio.create_task(engine.outcome("r"))
        await waiting(engine, "r")
    with pytest.raises(DurableError, match="goes on after the next start"):
        await waiter
    with pytest.raises(DurableError, match="not launched"):
        await engine.start("waits", None, id="s")
    await engine.close()


async def test_a_run_of_a_function_that_is_gone_is_not_resumed(path):
    async def old(ctx: Ctx, args: Json) -> Json:
        return await ctx.wait_signal("go")

    async with launched(path, lambda engine: engine.task("old", old)) as engine:
        await engine.start("old", None, id="r")
        await waiting(engine, "r")
    async with launched(path) as engine:
        with pytest.raises(DurableError, match="'old'"):
            await engine.resume("r")
        assert (await engine.get("r")).status == "waiting"


async def test_a_child_cannot_be_resumed_by_itself(path):
    async def root(ctx: Ctx, args: Json) -> Json:
        return await ctx.result(await ctx.start("child", "echo", 1))

    async with launched(path, lambda engine: engine.task("root", root)) as engine:
        await engine.start("root", None, id="r")
        await engine.outcome("r")
        with pytest.raises(DurableError, match="part of 'r'"):
            await engine.resume("r/child")


async def test_declarations_are_checked(path):
    database = Database(path, [DURABLE])
    engine = LocalEngine(database)
    engine.task("echo", echo)
    with pytest.raises(DurableError, match="twice"):
        engine.task("echo", echo)
    await engine.launch()
    try:
        with pytest.raises(DurableError, match="before the engine is launched"):
            engine.task("late", echo)
        with pytest.raises(DurableError, match="needs an id"):
            await engine.start("echo", None, id="")
        with pytest.raises(DurableError, match="launched twice"):
            await engine.launch()
    finally:
        await engine.close()
        await database.close()


async def test_a_child_never_takes_the_place_of_another_task(path):
    async def root(ctx: Ctx, args: Json) -> Json:
        return await ctx.start("child", "echo", 1)

    async with launched(path, lambda engine: engine.task("root", root)) as engine:
        await engine.start("echo", "mine", id="r/child")
        await engine.start("root", None, id="r")
        assert "another one has that id" in (await engine.outcome("r")).error
        assert (await engine.get("r/child")).result == "mine"


async def test_a_durable_call_after_the_end_is_refused(path):
    leaked: list[Ctx] = []

    async def work(ctx: Ctx, args: Json) -> Json:
        leaked.append(ctx)
        return None

    async with launched(path, lambda engine: engine.task("work", work)) as engine:
        await engine.start("work", None, id="r")
        await engine.outcome("r")
        with pytest.raises(DurableError, match="after the task had ended"):
            await leaked[0].wait_signal("go")


async def test_a_call_that_was_broken_off_may_be_made_again(path):
    """A function's own timeout around `start` or `step` must not leave half a child or half a record."""
    started: list[str] = []

    async def child(ctx: Ctx, args: Json) -> Json:
        started.append(ctx.id)
        return "child"

    async def root(ctx: Ctx, args: Json) -> Json:
        broken_off = 0
        for attempt in range(200):
            try:
                async with asyncio.timeout(attempt / 50_000):
                    child_id = await ctx.start("child", "child", None)
                break
            except TimeoutError:
                broken_off += 1
        return [await ctx.result(child_id), broken_off > 0]

    def declare(engine: LocalEngine) -> None:
        engine.task("child", child)
        engine.task("root", root)

    async with launched(path, declare) as engine:
        await engine.start("root", None, id="r")
        assert (await engine.outcome("r")).result == ["child", True]
    assert started == ["r/child"]


async def test_a_task_that_calls_exit_has_failed_and_is_not_tried_again_at_every_start(path):
    async def leaves(ctx: Ctx, args: Json) -> Json:
        raise SystemExit(3)

    async with launched(path, lambda engine: engine.task("leaves", leaves)) as engine:
        await engine.start("leaves", None, id="one")
        ended = await engine.outcome("one")
        assert (ended.status, ended.error) == ("failed", "SystemExit: 3")
        assert not await engine.resume("one")
