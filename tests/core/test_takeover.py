"""Files of an older Aura are taken over whole or not at all, once, and kept under another name."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aura_core.errors import DurableError, HomeInUseError, HomeNotWritableError
from aura_core.storage import takeover
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments, insert_document
from aura_core.storage.home_lock import HomeLock
from aura_core.storage.takeover import OldFile, has_table
from tests.fixtures.full_disk import full_disk

OWNER = 77


def copy_notes(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    assert has_table(old, "notes")
    assert not has_table(old, "other")
    for key, text in old.execute("SELECT key, text FROM notes ORDER BY key"):
        insert_document(new, "notes", key, json.loads(text), 5.0)


OLD_FILES = (OldFile("a.db", copy_notes, OWNER), OldFile("sub/b.db", copy_notes, OWNER))


def write_notes(path: Path, *, owner: int = OWNER, **notes: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as old, old:
        old.execute(f"PRAGMA application_id = {owner}")
        old.execute("CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, text TEXT)")
        old.executemany("INSERT INTO notes VALUES (?, ?)", notes.items())


def notes_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as old:
        return {key for (key,) in old.execute("SELECT key FROM notes")}


def files(home: Path) -> dict[str, bytes]:
    """What the old files hold, by name."""
    found = [path for path in home.rglob("*.db*") if not path.name.startswith("aura.")]
    return {str(path.relative_to(home)): path.read_bytes() for path in found}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_notes(tmp_path / "home/a.db", one="1", two="[2]")
    write_notes(tmp_path / "home/sub/b.db", three='{"n": 3}')
    return tmp_path / "home"


def database(home: Path, lock: HomeLock | None = None) -> Database:
    return Database(home / "aura.db", [DOCUMENTS], lock=lock, old_files=OLD_FILES)


async def notes(home: Path) -> tuple[dict[str, object], list[str]]:
    """The notes in the new file of a home, and what opening it had to say."""
    async with database(home) as opened:
        found = await SqliteDocuments(opened).list("notes")
        return {document.key: document.value for document in found}, opened.take_notices()


async def test_what_old_files_hold_is_in_the_new_one_and_they_are_kept_under_another_name(home):
    before = {name: notes_in(home / name) for name in ("a.db", "sub/b.db")}
    (home / "a.db.lock").touch()
    for _ in range(2):
        assert await notes(home) == ({"one": 1, "two": [2], "three": {"n": 3}}, [])
    assert sorted(files(home)) == ["a.before-aura-db.db", "sub/b.before-aura-db.db"]
    assert notes_in(home / "a.before-aura-db.db") == before["a.db"]
    async with database(home) as opened:
        assert (await SqliteDocuments(opened).get("notes", "one")).updated_at == 5.0


async def test_what_a_killed_program_left_in_the_log_beside_its_file_is_taken_over_too(home):
    writer = sqlite3.connect(home / "a.db", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("INSERT INTO notes VALUES ('late', '4')")
    left = {name: (home / name).read_bytes() for name in ("a.db", "a.db-wal")}
    writer.close()
    for name, content in left.items():
        (home / name).write_bytes(content)
    found, _ = await notes(home)
    assert found["late"] == 4
    assert "late" in notes_in(home / "a.before-aura-db.db")


async def test_an_empty_old_file_is_nothing_to_take_over(tmp_path):
    (tmp_path / "a.db").touch()
    assert await notes(tmp_path) == ({}, [])


def nonsense(path: Path) -> None:
    path.write_bytes(b"this is no database " * 1000)


def half_written(path: Path) -> None:
    """The second row cannot be read."""
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("INSERT INTO notes VALUES ('zz', '{')")


def with_what_is_not_json(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("INSERT INTO notes VALUES ('zz', 'NaN')")


def without_its_columns(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("ALTER TABLE notes DROP COLUMN text")


def with_no_text(path: Path) -> None:
    """What copies the row trips over it with a TypeError."""
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("INSERT INTO notes VALUES ('zz', NULL)")


DAMAGES = (nonsense, half_written, with_what_is_not_json, without_its_columns, with_no_text)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_old_file_is_set_aside_and_said_and_the_others_are_taken_over(home, damage):
    damage(home / "a.db")
    found, (notice,) = await notes(home)
    assert found == {"three": {"n": 3}}
    (kept,) = home.glob("a.damaged-*.db")
    assert kept.name in notice
    assert str(home / "a.db") in notice
    assert await notes(home) == ({"three": {"n": 3}}, [])


async def test_another_programs_file_is_left_alone_and_nothing_is_taken_over(home):
    (home / "sub/b.db").unlink()
    write_notes(home / "sub/b.db", owner=0, photo="1")
    before = files(home)
    with pytest.raises(DurableError, match="another program"):
        await notes(home)
    assert files(home) == before
    (home / "sub/b.db").unlink()
    assert await notes(home) == ({"one": 1, "two": [2]}, [])


@pytest.mark.parametrize("room", [0, 200_000])
async def test_a_full_disk_leaves_the_old_home_as_it_was_and_says_what_to_do(home, room):
    write_notes(home / "a.db", **{f"long {number}": f'"{"x" * 10_000}"' for number in range(100)})
    before = files(home)
    with full_disk(room), pytest.raises(HomeNotWritableError, match="Make room"):
        await notes(home)
    assert files(home) == before
    found, notices = await notes(home)
    assert (len(found), notices) == (103, [])


async def test_a_program_that_does_not_hold_the_home_takes_over_when_it_is_free_and_else_says_who_has_it(home):
    before = files(home)
    beside = database(home, HomeLock(home, "aura schedule"))
    with HomeLock(home, "aura bot"):
        with pytest.raises(HomeInUseError, match="aura bot"):
            await beside.open()
        assert files(home) == before
    await beside.open()
    assert len(await SqliteDocuments(beside).list("notes")) == 3
    with HomeLock(home, "aura bot") as lock:
        async with database(home, lock) as opened:
            assert len(await SqliteDocuments(opened).list("notes")) == 3
    await beside.close()


class Killed(BaseException):
    """The end of the program."""


async def die(home: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """A take-over that ends just before, or just after, the first old file gets its new name."""

    def move(path: Path, to: Path) -> None:
        if moment == "after":
            path.rename(to)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(takeover, "move", move)
        with pytest.raises(Killed):
            await notes(home)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_take_over_that_was_broken_off_is_finished_and_copies_nothing_twice(home, monkeypatch, moment):
    await die(home, monkeypatch, moment)
    async with Database(home / "aura.db", [DOCUMENTS]) as opened:
        assert await SqliteDocuments(opened).delete("notes", "one")
    assert await notes(home) == ({"two": [2], "three": {"n": 3}}, [])
    assert sorted(files(home)) == ["a.before-aura-db.db", "sub/b.before-aura-db.db"]


@pytest.mark.parametrize("moment", ["never", "after"])
async def test_what_an_older_aura_wrote_afterwards_is_taken_over_too_and_replaces_nothing(home, monkeypatch, moment):
    if moment == "never":
        await notes(home)
    else:
        await die(home, monkeypatch, moment)
    write_notes(home / "a.db", one="99", four="4")
    assert await notes(home) == ({"one": 1, "two": [2], "three": {"n": 3}, "four": 4}, [])
    names = ["a.before-aura-db-2.db", "a.before-aura-db.db", "sub/b.before-aura-db.db"]
    assert sorted(files(home)) == names
    assert notes_in(home / "a.before-aura-db.db") == {"one", "two"}
