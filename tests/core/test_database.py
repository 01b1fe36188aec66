"""The one database file of a home: damaged, foreign, too new, full, shared by programs, and never half made."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from aura_core.durable.schema import DURABLE
from aura_core.errors import DurableError, HomeNotWritableError
from aura_core.storage import schema
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments
from aura_core.storage.home_lock import HomeLock
from aura_core.storage.schema import Part, check_database, statements

PARTS = (DURABLE, DOCUMENTS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "aura.db"


async def fill(path: Path) -> None:
    async with Database(path, PARTS) as database:
        for number in range(50):
            await SqliteDocuments(database).put("n", str(number), "x" * 2000)


@pytest.mark.parametrize("damage", ["nonsense", "torn"])
async def test_a_damaged_file_is_set_aside_and_said_once(path, damage):
    await fill(path)
    before = path.read_bytes()
    broken = b"this is no database " * 1000 if damage == "nonsense" else before[:4096] + os.urandom(len(before) - 4096)
    path.write_bytes(broken)
    with HomeLock(path.parent, "aura test") as lock:
        async with Database(path, PARTS, lock=lock) as database:
            (notice,) = database.take_notices()
            assert "set aside as aura.damaged-" in notice
            assert database.take_notices() == []
            assert await SqliteDocuments(database).list("n") == []
    (kept,) = path.parent.glob("aura.damaged-*.db")
    assert kept.read_bytes() == broken


async def test_what_nobody_was_told_of_a_damaged_file_is_logged(path):
    """Most commands show no notices; what was lost must be known all the same."""
    await fill(path)
    path.write_bytes(b"this is no database " * 1000)
    with structlog.testing.capture_logs() as logs:
        async with Database(path, PARTS):
            pass
    assert ["set aside as aura.damaged-" in entry["event"] for entry in logs] == [True]


async def test_a_damaged_file_is_left_where_it_is_by_a_program_that_does_not_hold_the_home(path):
    await fill(path)
    path.write_bytes(b"this is no database " * 1000)
    database = Database(path, PARTS, lock=HomeLock(path.parent, "aura schedule"))
    with pytest.raises(DurableError, match="set aside"):
        await database.open()
    await database.close()
    assert not list(path.parent.glob("*damaged*"))


async def test_another_programs_database_is_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE photos (id)")
    before = path.read_bytes()
    with pytest.raises(DurableError, match="another program"):
        async with Database(path, PARTS):
            pass
    assert path.read_bytes() == before


async def test_a_check_says_what_is_wrong_with_a_file_and_changes_nothing(path):
    check_database(path, PARTS)
    assert not path.exists()
    await fill(path)
    check_database(path, PARTS)
    whole = path.read_bytes()
    torn = whole[:4096] + os.urandom(len(whole) - 4096)
    for content, words in ((b"this is no database " * 1000, "damaged"), (torn, "damaged"), (foreign(path), "another")):
        path.write_bytes(content)
        with pytest.raises(DurableError, match=words):
            check_database(path, PARTS)
        assert path.read_bytes() == content
    path.unlink()
    path.mkdir()
    with pytest.raises(HomeNotWritableError):
        check_database(path, PARTS)


def foreign(path: Path) -> bytes:
    """A database of another program."""
    other = path.with_name("photos.db")
    with closing(sqlite3.connect(other)) as photos:
        photos.execute("CREATE TABLE photos (id)")
    return other.read_bytes()


@pytest.mark.parametrize("newer", ["PRAGMA user_version = 99", "UPDATE parts SET version = 99 WHERE name = 'durable'"])
async def test_a_file_of_a_newer_version_is_left_alone(path, newer):
    await fill(path)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(newer)
    with pytest.raises(DurableError, match="newer Aura"):
        async with Database(path, PARTS):
            pass
    assert not list(path.parent.glob("*damaged*"))


@pytest.mark.parametrize("obstacle", ["file in the way", "folder in the way"])
async def test_a_home_that_cannot_be_written_says_what_to_do_and_is_tried_again(path, obstacle):
    if obstacle == "file in the way":
        path.parent.write_text("a file")
    else:
        path.mkdir(parents=True)
    database = Database(path, PARTS)
    with pytest.raises(HomeNotWritableError, match="AURA_HOME"):
        await database.open()
    if obstacle == "file in the way":
        path.parent.unlink()
    else:
        path.rmdir()
    await database.open()
    await database.close()


async def test_parts_are_brought_up_to_date_and_new_ones_added(path):
    one = Part("one", ("CREATE TABLE a (n);",))
    more = Part("one", (*one.migrations, "CREATE TABLE b (n); INSERT INTO b VALUES ('; not the end');"))
    async with Database(path, [one]) as database:
        await database.run(lambda connection: connection.execute("INSERT INTO a VALUES (1)") and None)
    async with Database(path, [more, Part("two", ("CREATE TABLE c (n);",))]) as database:
        found = await database.run(lambda connection: connection.execute("SELECT a.n, b.n FROM a, b").fetchall())
        assert found == [(1, "; not the end")]
        assert await database.run(lambda connection: connection.execute("SELECT * FROM c").fetchall()) == []


async def test_a_migration_that_fails_leaves_the_file_as_it_was(path):
    async with Database(path, [Part("one", ("CREATE TABLE a (n);",))]):
        pass
    with pytest.raises(DurableError, match="refused"):
        async with Database(path, [Part("one", ("CREATE TABLE a (n);", "CREATE TABLE b (n); CREATE TABLE a (n);"))]):
            pass
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT count(*) FROM sqlite_master WHERE name = 'b'").fetchone() == (0,)


def test_a_script_is_split_into_its_statements():
    script = "CREATE TABLE a (n); CREATE TRIGGER t AFTER DELETE ON a BEGIN DELETE FROM a; END;\n"
    assert [one.split()[1] for one in statements(script)] == ["TABLE", "TRIGGER"]


@pytest.mark.slow
async def test_many_programs_may_open_a_file_that_is_being_made(tmp_path):
    for number in range(20):
        path = tmp_path / str(number) / "aura.db"
        databases = [Database(path, PARTS) for _ in range(4)]
        await asyncio.gather(*(database.open() for database in databases))
        found = await asyncio.gather(*(SqliteDocuments(database).list("n") for database in databases))
        assert found == [[]] * 4
        await asyncio.gather(*(database.close() for database in databases))


async def test_opening_a_file_that_is_up_to_date_writes_nothing(path):
    await fill(path)
    before = path.read_bytes()
    async with Database(path, PARTS) as database:
        assert len(await SqliteDocuments(database).list("n")) == 50
        assert not path.with_name("aura.db-wal").stat().st_size
    assert path.read_bytes() == before


async def test_a_file_that_another_program_keeps_to_itself_can_be_used_when_it_is_free_again(path, monkeypatch):
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.2)
    async with Database(path, PARTS) as database:
        documents = SqliteDocuments(database)
        await documents.put("n", "one", 1)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            puts = (documents.put("n", f"more {number}", number) for number in range(20))
            ends = await asyncio.gather(*puts, return_exceptions=True)
            assert time.monotonic() - began < 2, "all wait together"
        assert {type(end) for end in ends} == {HomeNotWritableError}
        assert "another program" in str(ends[0])
        assert await documents.put("n", "two", 2) is not None
        assert [document.key for document in await documents.list("n")] == ["one", "two"]


async def test_one_bad_operation_spoils_no_other_of_its_batch(path):
    database = Database(path, [Part("t", ("CREATE TABLE t (n UNIQUE);",))])
    await database.open()

    def add(number: int) -> Callable[[sqlite3.Connection], int]:
        def operation(connection: sqlite3.Connection) -> int:
            connection.execute("INSERT INTO t VALUES (?)", (number,))
            return number

        return operation

    def slow(connection: sqlite3.Connection) -> None:
        time.sleep(0.02)

    results = await asyncio.gather(
        database.run(slow), *(database.run(add(number)) for number in (1, 2, 2, 3)), return_exceptions=True
    )
    assert results[1:3] == [1, 2]
    assert isinstance(results[3], DurableError)
    assert results[4] == 3
    assert await database.run(lambda connection: connection.execute("SELECT count(*) FROM t").fetchone()[0]) == 3
    await database.close()
    with pytest.raises(DurableError, match="closed"):
        await database.run(slow)


async def test_text_that_cannot_be_kept_is_refused_in_words(path):
    async with Database(path, PARTS) as database:
        with pytest.raises(DurableError, match="not Unicode"):
            await SqliteDocuments(database).put("n", "\ud800", 1)


async def test_on_a_full_disk_nothing_changes_and_what_is_there_can_be_read(path):
    def limit(connection: sqlite3.Connection) -> Any:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        return connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    await fill(path)
    async with Database(path, PARTS) as database:
        await database.run(limit)
        documents = SqliteDocuments(database)
        with pytest.raises(HomeNotWritableError, match="full"):
            await documents.put("n", "new", "x" * 100_000)
        assert await documents.get("n", "new") is None
        assert len(await documents.list("n")) == 50


async def test_while_another_program_writes_for_long_all_that_wait_hear_of_it_together(path, monkeypatch):
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.3)
    async with Database(path, PARTS) as database:
        await database.open()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            reads = [database.read(lambda connection: connection.execute("SELECT 1").fetchone()) for _ in range(30)]
            results = await asyncio.gather(*reads, return_exceptions=True)
            assert time.monotonic() - began < 3
            other.execute("ROLLBACK")
        assert {type(result) for result in results} == {HomeNotWritableError}
        assert "another program is writing to it" in str(results[0])
        assert await database.read(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)


async def test_a_file_that_is_taken_away_or_replaced_is_noticed_and_counts_again_when_it_is_back(path):
    await fill(path)
    aside = path.with_name("aside.db")
    async with Database(path, PARTS) as database:
        documents = SqliteDocuments(database)
        path.rename(aside)
        for replace in (lambda: None, lambda: shutil.copy(aside, path)):
            replace()
            with pytest.raises(HomeNotWritableError, match="removed or replaced"):
                await documents.put("n", "new", 1)
            with pytest.raises(HomeNotWritableError, match="removed or replaced"):
                await documents.list("n")
        aside.replace(path)
        assert await documents.get("n", "new") is None
        assert await documents.put("n", "new", 1) is not None
    async with Database(path, PARTS) as database:
        assert await SqliteDocuments(database).get("n", "new") is not None
