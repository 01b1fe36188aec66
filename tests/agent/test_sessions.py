"""Sessions: what was said is kept whole, whatever happens to the file."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.sessions import SessionStore
from agent.sessions.file import KEPT_CONVERSATIONS, NewerSessionError
from aura_core.errors import HomeNotWritableError
from aura_core.storage.atomic_file import write_atomically
from tests.fixtures.full_disk import full_disk


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path)


def entry(number: int, **more: object) -> dict[str, object]:
    return {"run_id": f"run{number}", "at": "2026-11-21T10:00:00+01:00", "user": f"question {number}", **more}


def session_file(store: SessionStore, session_id: str = "s") -> Path:
    return store.folder(session_id) / "SESSION.json"


async def test_what_was_said_is_still_there_after_a_restart(store, tmp_path):
    await store.append("s", entry(1, answer="Привет, 你好"))
    again = SessionStore(tmp_path)
    assert await again.history("s", 10) == [entry(1, answer="Привет, 你好")]
    assert json.loads(session_file(store).read_text("utf-8")) == {
        "version": 1,
        "orchestrator_by_task": {"main": [entry(1, answer="Привет, 你好")]},
    }


async def test_an_empty_session_has_no_history_and_writes_nothing(store):
    assert await store.history("s", 5) == []
    assert await store.current_task_key("s") == "main"
    assert await store.load("s") == {"version": 1, "orchestrator_by_task": {}}
    assert list(store.folder("s").iterdir()) == []


async def test_the_last_fifty_entries_of_a_conversation_are_kept(store):
    for number in range(57):
        await store.append("s", entry(number))
    history = await store.history("s", 100)
    assert [item["run_id"] for item in history] == [f"run{number}" for number in range(7, 57)]
    assert [item["run_id"] for item in await store.history("s", 2)] == ["run55", "run56"]
    assert await store.history("s", 0) == []


async def test_the_same_run_is_written_once(store):
    await store.append("s", entry(1, answer="first"))
    await store.append("s", entry(2))
    await store.append("s", entry(1, answer="again"))
    assert await store.history("s", 9) == [entry(1, answer="again"), entry(2)]


async def test_a_new_conversation_begins_empty_and_the_old_one_stays(store):
    await store.append("s", entry(1))
    key = await store.new_conversation("s")
    assert await store.current_task_key("s") == key != "main"
    assert await store.history("s", 9) == []
    assert await store.new_conversation("s") == key
    await store.append("s", entry(2))
    await store.append("s", entry(3), task_key="main")
    data = await store.load("s")
    assert data["orchestrator_by_task"] == {"main": [entry(1), entry(3)], key: [entry(2)]}
    assert await store.current_task_key("s") == key


async def test_a_run_that_ends_after_its_conversation_is_gone_does_not_become_the_current_one(store):
    key = await store.new_conversation("s")
    await store.append("s", entry(1), task_key="main")
    assert await store.current_task_key("s") == key
    assert (await store.load("s"))["orchestrator_by_task"]["main"] == [entry(1)]


async def test_conversations_do_not_pile_up_without_end(store):
    data = {"version": 1, "orchestrator_by_task": {f"conversation-{n}": [entry(n)] for n in range(1, 300)}}
    session_file(store).write_text(json.dumps(data), "utf-8")
    key = await store.new_conversation("s")
    kept = list((await store.load("s"))["orchestrator_by_task"])
    assert len(kept) == KEPT_CONVERSATIONS
    assert kept[-1] == key
    assert kept[-2] == "conversation-299"


async def test_keys_that_this_version_does_not_know_are_kept(store):
    session_file(store).write_text(
        json.dumps({"version": 1, "mood": {"a": 1}, "orchestrator_by_task": {"main": [entry(1, stars=5)]}}), "utf-8"
    )
    await store.append("s", entry(2))
    data = json.loads(session_file(store).read_text("utf-8"))
    assert data["mood"] == {"a": 1}
    assert data["orchestrator_by_task"]["main"][0]["stars"] == 5


DAMAGED = [
    "",
    "{",
    "[]",
    "null",
    '"text"',
    '{"version": "one"}',
    '{"version": 0}',
    '{"version": true}',
    '{"orchestrator_by_task": []}',
    '{"orchestrator_by_task": {"main": {}}}',
    '{"orchestrator_by_task": {"main": ["text"]}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
async def test_a_damaged_file_is_set_aside_and_said_and_never_overwritten(store, text):
    session_file(store).write_text(text, "utf-8")
    await store.append("s", entry(1))
    assert await store.history("s", 9) == [entry(1)]
    (aside,) = store.folder("s").glob("SESSION.damaged-*.json")
    assert aside.read_text("utf-8") == text
    (notice,) = store.take_notices()
    assert aside.name in notice
    assert store.take_notices() == []


async def test_bytes_that_are_not_utf8_are_damage_too(store):
    session_file(store).write_bytes(b'{"version": 1, "a": "\xff\xfe"}')
    assert await store.history("s", 9) == []
    (aside,) = store.folder("s").glob("SESSION.damaged-*.json")
    assert b"\xff\xfe" in aside.read_bytes()


async def test_two_damages_in_one_second_are_kept_apart(store):
    for text in ("one", "two"):
        session_file(store).write_text(text, "utf-8")
        await store.load("s")
    assert {path.read_text("utf-8") for path in store.folder("s").glob("SESSION.damaged-*.json")} == {"one", "two"}


async def test_many_readers_of_a_damaged_file_set_it_aside_once(store):
    session_file(store).write_text("broken", "utf-8")
    loaded = await asyncio.gather(*(store.load("s") for _ in range(20)))
    assert all(data == loaded[0] for data in loaded)
    assert len(store.take_notices()) == 1


async def test_a_file_of_a_newer_version_is_left_alone(store):
    text = '{"version": 2, "orchestrator_by_task": {}}'
    session_file(store).write_text(text, "utf-8")
    for attempt in (store.load("s"), store.append("s", entry(1)), store.new_conversation("s")):
        with pytest.raises(NewerSessionError, match="Update Aura"):
            await attempt
    assert session_file(store).read_text("utf-8") == text
    assert not list(store.folder("s").glob("*damaged*"))


async def test_a_file_that_a_person_saved_with_a_byte_order_mark_is_read(store):
    session_file(store).write_text('{"orchestrator_by_task": {"main": []}}', "utf-8-sig")
    assert await store.history("s", 1) == []
    assert store.take_notices() == []


async def test_a_persons_edit_is_seen_at_once(store):
    await store.append("s", entry(1))
    data = await store.load("s")
    data["orchestrator_by_task"]["main"][0]["user"] = "edited by hand"
    session_file(store).write_text(json.dumps(data), "utf-8")
    assert (await store.history("s", 1))[0]["user"] == "edited by hand"
    store.clear_cache("s")
    assert (await store.history("s", 1))[0]["user"] == "edited by hand"


async def test_what_was_loaded_can_be_changed_without_changing_the_session(store):
    await store.append("s", entry(1))
    (await store.load("s"))["orchestrator_by_task"]["main"].clear()
    (await store.history("s", 1))[0]["user"] = "changed"
    assert await store.history("s", 1) == [entry(1)]


async def test_entries_of_many_writers_are_all_kept(tmp_path):
    """Two stores on one home stand for two programs."""
    stores = [SessionStore(tmp_path), SessionStore(tmp_path)]
    await asyncio.gather(*(stores[number % 2].append("s", entry(number)) for number in range(40)))
    history = await SessionStore(tmp_path).history("s", 100)
    assert sorted(item["run_id"] for item in history) == sorted(f"run{number}" for number in range(40))


async def test_a_full_disk_is_said_and_the_old_file_is_intact(store):
    await store.append("s", entry(1))
    before = session_file(store).read_bytes()
    with full_disk(), pytest.raises(HomeNotWritableError, match=r"SESSION\.json cannot be written"):
        await store.append("s", entry(2))
    assert session_file(store).read_bytes() == before
    assert sorted(path.name for path in store.folder("s").iterdir()) == [".SESSION.json.lock", "SESSION.json"]
    await store.append("s", entry(2))
    assert len(await store.history("s", 9)) == 2


async def test_an_entry_that_is_not_json_leaves_the_file_intact(store):
    await store.append("s", entry(1))
    with pytest.raises(TypeError):
        await store.append("s", entry(2, answer=object()))
    assert await store.history("s", 9) == [entry(1)]


async def test_a_home_that_is_a_file_is_not_writable(tmp_path):
    (tmp_path / "home").write_text("a file", "utf-8")
    store = SessionStore(tmp_path / "home")
    with pytest.raises(HomeNotWritableError):
        store.folder("s")
    with pytest.raises(HomeNotWritableError):
        await store.append("s", entry(1))


@pytest.mark.parametrize(
    "session_id",
    ["../evil", "..", ".", "/etc", "C:\\Windows", "a/b", "a\\b", "a\0b", "", " ", "con", "logs", "x" * 500, "-", "~"],
)
def test_no_session_id_leads_out_of_the_home(tmp_path, session_id):
    store = SessionStore(tmp_path / "home")
    folder = store.folder(session_id)
    assert folder.parent == tmp_path / "home"
    assert folder.is_dir()
    assert folder.name not in {"logs", "con", ".", ".."}
    assert len(folder.name) < 100


def test_plain_session_ids_keep_their_names(store, tmp_path):
    for session_id in ("main", "-100123", "telegram-42", "12345", "chat_1"):
        assert store.folder(session_id) == tmp_path / session_id
    assert store.files("main") == tmp_path / "main" / "files"


@pytest.mark.parametrize("name", ["plans", "plugins", "logs", "prompts", "telegram"])
def test_a_session_never_lies_in_a_folder_that_the_home_has_for_something_else(store, tmp_path, name):
    assert store.folder(name) != tmp_path / name


async def test_file_names_are_those_a_person_would_count(store):
    files = store.files("s")
    for name in ("b.txt", "a.md", "sub/c.csv", ".hidden", "sub/.git/config"):
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_text("x", "utf-8")
    (files / "link.txt").symlink_to("/etc/passwd")
    assert await store.file_names("s") == ["a.md", "b.txt", "sub/c.csv"]


def test_a_file_is_whole_at_every_moment_of_a_kill(tmp_path):
    """A writer that replaces the file again and again is killed; the file holds one of its texts."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from aura_core.storage.atomic_file import write_atomically\n"
        "number = 0\n"
        "while True:\n"
        "    write_atomically(Path(sys.argv[1]), str(number % 10) * 200_000)\n"
        "    number += 1\n"
        "    print(number, flush=True)\n"
    )
    path = tmp_path / "file"
    for writes in (1, 3, 6):
        process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(writes):
            process.stdout.readline()
        process.kill()
        process.communicate()
        text = path.read_text("utf-8")
        assert len(text) == 200_000
        assert len(set(text)) == 1


def test_a_text_is_written_as_it_is(tmp_path):
    write_atomically(tmp_path / "new" / "a.txt", "один\nдва\r\n三\n")
    assert (tmp_path / "new" / "a.txt").read_bytes().decode("utf-8") == "один\nдва\r\n三\n"
