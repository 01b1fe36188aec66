"""What the bot remembers: updates, messages, questions, cards and strangers, over restarts and while it forgets."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.types import Update

from agent.channels.telegram import records as records_module
from agent.channels.telegram.destination import Destination
from agent.channels.telegram.records import OPEN_QUESTIONS, Records, Sending, token_of
from agent.contracts import Question
from agent.old_channel import CHANNEL_FILE
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, Documents, SqliteDocuments
from aura_core.storage.schema import FILE_NAME
from tests.fixtures.old_home import unpack
from tests.fixtures.telegram.bench import documents_of

OLGA, SUPERGROUP, PERSON = 1001, -1_001_234_567_890, "telegram:1001"


@pytest.fixture
async def documents(tmp_path: Path) -> AsyncIterator[Documents]:
    async with documents_of(tmp_path) as documents:
        yield documents


@pytest.fixture
def records(documents: Documents) -> Records:
    return Records(documents)


def update(number: int, text: str = "Привет 👋") -> Update:
    chat = {"id": OLGA, "type": "private"}
    return Update.model_validate(
        {"update_id": number, "message": {"message_id": number, "date": 1_700_000_000, "chat": chat, "text": text}}
    )


def question(number: int = 1, run_id: str = "run-1") -> Question:
    return Question(id=f"{run_id}/ask:{number}", run_id=run_id, step_id="s1", session_id="telegram-1001", text="Which?")


async def test_updates_that_were_not_handled_come_back_whole_and_in_order(records: Records):
    for number in (1_000_000_000, 99, 100):
        assert await records.inbox.put(update(number))
    await records.inbox.done(100)
    assert await records.inbox.unhandled() == [update(99), update(1_000_000_000)]


async def test_an_update_is_taken_once_also_after_it_was_handled(records: Records):
    puts = await asyncio.gather(*(records.inbox.put(update(7)) for _ in range(5)))
    assert puts == [True, False, False, False, False]
    await records.inbox.done(7)
    assert not await records.inbox.put(update(7))
    assert await records.inbox.unhandled() == []


async def test_only_the_latest_handled_updates_are_kept_and_every_unhandled_one(
    records: Records, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(records_module, "KEPT_UPDATES", 3)
    for number in (11, 12, 900, 901, 902, 15):  # the numbers may begin anew; what counts is when an update came
        await records.inbox.put(update(number))
        if number != 12:
            await records.inbox.done(number)
    await records.forget()
    assert [await records.inbox.put(update(number)) for number in (11, 12)] == [True, False]
    await records.inbox.done(11)
    await records.inbox.done(12)
    await records.forget()
    assert [await records.inbox.put(update(number)) for number in (900, 901, 902, 15)] == [True, True, True, False]


async def test_only_known_numbers_count_in_the_search_for_a_lost_message(records: Records):
    sendings = records.sendings
    for chat_id, number in ((5, 20), (6, 22), (6, 3), (SUPERGROUP, 900), (SUPERGROUP, 1000)):
        await sendings.record_message(chat_id, number)
    assert [await sendings.newest(chat_id) for chat_id in (5, -77, SUPERGROUP, SUPERGROUP - 1)] == [22, 22, 1000, 0]
    assert await sendings.unknown_after(5, 20, 4) == [21, 23, 24]
    assert await sendings.unknown_after(SUPERGROUP, 899, 2) == [901]


async def test_a_sending_remembers_where_it_began_and_how_it_ended(records: Records):
    sendings = records.sendings
    await sendings.record_message(OLGA, 20)
    assert await sendings.begin("answer", OLGA) == await sendings.get("answer") == Sending(after=20)
    await sendings.end("answer", OLGA, 21)
    assert (await sendings.get("answer")).message_id == await sendings.newest(OLGA) == 21


async def test_a_question_is_found_by_its_button_its_message_and_its_person_until_it_is_closed(records: Records):
    questions, first, second = records.questions, question(1), question(2)
    for number, asked in enumerate((first, second), 50):
        await questions.add(asked, OLGA)
        await questions.shown(asked.id, number)
    await questions.await_words(first.id, OLGA, PERSON)
    await questions.await_words(second.id, OLGA, PERSON)
    assert (await questions.by_message(OLGA, 50)).question == first
    assert (await questions.awaited(OLGA, PERSON)).question == second
    assert await questions.awaited(OLGA, "telegram:2") is None
    assert (await questions.close(second.id, "blue")).choice == "blue"
    assert await questions.by_message(OLGA, 51) is await questions.awaited(OLGA, PERSON) is None
    assert (await questions.by_token(token_of(second.id))).closed
    assert [asked.question for asked in await questions.open(run_id="run-1")] == [first]
    assert await questions.open(run_id="run-2") == await questions.open(100) == []


async def test_a_question_is_closed_by_one_of_many_and_keeps_the_first_choice(records: Records):
    questions, asked = records.questions, question()
    await questions.add(asked, OLGA)
    await questions.choose(asked.id, "red")
    await questions.choose(asked.id, "blue")
    closed = await asyncio.gather(*(questions.close(asked.id, "") for _ in range(5)))
    assert [known.choice for known in closed if known is not None] == ["red"]
    await questions.unchoose(asked.id)
    assert (await questions.by_id(asked.id)).choice == "red"


async def test_a_question_that_was_closed_before_its_message_was_known_is_not_found_by_it(records: Records):
    questions, asked = records.questions, question()
    await questions.add(asked, OLGA)
    await questions.close(asked.id, "")
    assert (await questions.shown(asked.id, 50)).closed
    assert await questions.by_message(OLGA, 50) is None


async def test_a_closed_question_is_known_until_its_message_shows_it(records: Records, documents: Documents):
    questions, asked = records.questions, question()
    await questions.add(asked, OLGA)
    await questions.shown(asked.id, 50)
    closed = await questions.close(asked.id, "red")
    assert await questions.open() == []
    assert await questions.to_be_shown() == [closed]
    await questions.end_shown(closed)
    assert await questions.to_be_shown() == []
    assert not await documents.list(OPEN_QUESTIONS)


async def test_an_open_question_is_never_forgotten(records: Records, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records_module, "KEPT_SECONDS", 0.2)
    open_one, closed_one = question(1), question(2)
    for asked in (open_one, closed_one):
        await records.questions.add(asked, OLGA)
    await records.questions.close(closed_one.id, "red")
    await asyncio.sleep(0.3)
    await records.forget()
    assert await records.questions.by_id(closed_one.id) is None
    assert [asked.question for asked in await records.questions.open()] == [open_one]


DAMAGED = (None, [], {}, "?", {"update_id": "x"}, {"after": []}, {"question": {}}, {"chat_ie": 1})


@pytest.mark.parametrize("value", DAMAGED, ids=repr)
async def test_what_cannot_be_read_stands_in_nobodys_way(records: Records, documents: Documents, value: object):
    """One damaged document must not keep the bot from starting, or a chat from being answered."""
    good, bad = question(1), question(2)
    for one in (good, bad):
        await records.questions.add(one, OLGA)
        await records.cards.add(one.id, Destination(OLGA))
        await records.sendings.begin(one.id, OLGA)
    for number in (1, 2):
        assert await records.inbox.put(update(number))
        await records.sendings.record_message(OLGA, number)
    await documents.put("telegram/questions", token_of(bad.id), value)
    await documents.put("telegram/cards", bad.id, value)
    await documents.put("telegram/sendings", bad.id, value)
    await documents.put("telegram/inbox", f"{2:020d}", value)
    await documents.put("telegram/messages", f"shared/{10**12 - 2:012d}", value)
    await records.forget()
    assert [asked.question for asked in await records.questions.open(OLGA)] == [good]
    assert await records.questions.awaited(OLGA, PERSON) is None
    assert await records.inbox.unhandled() == [update(1)]
    assert await records.cards.alive() == {good.id: Destination(OLGA)}
    assert await records.sendings.newest(OLGA) == 2
    assert await records.sendings.get(good.id) == Sending()
    assert await records.sendings.get(bad.id) in {None, Sending()}
    await records.questions.choose(bad.id, "red")
    assert await records.questions.close(bad.id, "red") is None


async def test_a_stranger_is_told_once_a_day(records: Records, monkeypatch: pytest.MonkeyPatch):
    told = await asyncio.gather(*(records.guests.may_be_told(666) for _ in range(5)))
    assert told.count(True) == 1
    monkeypatch.setattr(records_module, "DAY_SECONDS", 0.0)
    assert await records.guests.may_be_told(666)


OLD_TABLES = """
CREATE TABLE inbox (update_id INTEGER PRIMARY KEY, body TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE messages (chat_id INTEGER, message_id INTEGER, at REAL NOT NULL, PRIMARY KEY (chat_id, message_id));
CREATE TABLE sendings (
    key TEXT PRIMARY KEY, chat_id INTEGER NOT NULL, after INTEGER NOT NULL, message_id INTEGER, at REAL NOT NULL);
CREATE TABLE questions (
    token TEXT PRIMARY KEY, chat_id INTEGER NOT NULL, message_id INTEGER, body TEXT NOT NULL,
    choice TEXT, awaited_from TEXT, closed INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL);
CREATE TABLE cards (run_id TEXT PRIMARY KEY, dest TEXT NOT NULL, folded INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL);
CREATE TABLE guests (user_id INTEGER PRIMARY KEY, told_at REAL NOT NULL);
"""


def old_file(home: Path) -> None:
    """A channel.db as an older Aura left it."""
    (home / "telegram").mkdir()
    first, second = question(1), question(2)
    with contextlib.closing(sqlite3.connect(home / "telegram/channel.db", isolation_level=None)) as old:
        old.executescript(OLD_TABLES)
        old.execute("INSERT INTO inbox VALUES (8, '', 1)")
        old.execute("INSERT INTO inbox VALUES (9, ?, 0)", (update(9).model_dump_json(exclude_none=True),))
        old.execute("INSERT INTO messages VALUES (?, 20, 1e9), (?, 900, 1e9)", (OLGA, SUPERGROUP))
        old.execute("INSERT INTO sendings VALUES ('sent', 1001, 20, 21, 1e9), ('lost', 1001, 21, NULL, 1e9)")
        rows = (
            (token_of(first.id), OLGA, 50, first.model_dump_json(), None, PERSON, 0, 1e9),
            (token_of(second.id), OLGA, 51, second.model_dump_json(), "red", None, 1, 1e9),
        )
        old.executemany("INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        dest = '{"channel": "telegram", "chat_id": 1001, "chat_type": "private", "message_id": 3, "thread_id": 4}'
        old.execute("INSERT INTO cards VALUES ('run-1', ?, 0, 1e9), ('run-0', ?, 1, 1e9)", (dest, dest))
        old.execute("INSERT INTO guests VALUES (666, strftime('%s', 'now')), (667, 1e9)")


async def test_an_older_auras_memory_is_taken_over(tmp_path: Path):
    old_file(tmp_path)
    async with Database(tmp_path / FILE_NAME, [DOCUMENTS], old_files=[CHANNEL_FILE]) as database:
        records = Records(SqliteDocuments(database))
        assert await records.inbox.unhandled() == [update(9)]
        assert not await records.inbox.put(update(8))
        assert [await records.sendings.newest(chat_id) for chat_id in (OLGA, SUPERGROUP)] == [20, 900]
        assert await records.sendings.unknown_after(OLGA, 19, 2) == [21]
        assert [await records.sendings.get(key) for key in ("sent", "lost")] == [Sending(20, 21), Sending(21, None)]
        (asked,) = await records.questions.open()
        assert (asked.question, asked.chat_id, asked.message_id) == (question(1), OLGA, 50)
        assert await records.questions.by_message(OLGA, 50) == await records.questions.awaited(OLGA, PERSON) == asked
        closed = await records.questions.by_id(question(2).id)
        assert (closed.choice, closed.closed) == ("red", True)
        assert await records.cards.alive() == {"run-1": Destination(OLGA, 4)}
        assert [await records.guests.may_be_told(user_id) for user_id in (666, 667)] == [False, True]


async def test_of_an_older_auras_memory_only_what_cannot_be_read_is_left_behind(tmp_path: Path):
    old_file(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "telegram/channel.db")) as old, old:
        old.execute("""UPDATE cards SET dest = '{"chat_ie": 1001}' WHERE run_id = 'run-1'""")
        old.execute("UPDATE questions SET body = '[]' WHERE message_id = 50")
        old.execute("UPDATE inbox SET body = '{' WHERE update_id = 9")
        old.execute("UPDATE messages SET message_id = 'x' WHERE chat_id = ?", (SUPERGROUP,))
    async with Database(tmp_path / FILE_NAME, [DOCUMENTS], old_files=[CHANNEL_FILE]) as database:
        records = Records(SqliteDocuments(database))
        assert (await records.cards.alive(), await records.questions.open(), await records.inbox.unhandled()) == (
            {},
            [],
            [],
        )
        assert await records.questions.by_id(question(2).id) is not None
        assert not await records.inbox.put(update(8))
        assert [await records.sendings.newest(chat_id) for chat_id in (OLGA, SUPERGROUP)] == [20, 0]


async def test_the_memory_of_a_bot_of_an_older_aura_that_was_killed_is_taken_over(tmp_path: Path):
    home = unpack(tmp_path)
    async with Database(home / FILE_NAME, [DOCUMENTS], old_files=[CHANNEL_FILE]) as database:
        records = Records(SqliteDocuments(database))
        assert [update.update_id for update in await records.inbox.unhandled()] == [1002]
        assert not await records.inbox.put(update(1001))
        assert await records.sendings.newest(4242) == 9
        assert [await records.sendings.get(key) for key in ("done", "unknown")] == [Sending(7, 9), Sending(9, None)]
        (asked,) = await records.questions.open()
        assert (asked.question.text, asked.message_id) == ("Go on?", 9)
        assert await records.questions.awaited(4242, "telegram:4242") == asked
        assert await records.cards.alive() == {asked.question.run_id: Destination(4242)}


@pytest.mark.parametrize("stored", ["'{'", "'[1]'", "'{\"x\": 1}'", "'7'", "x'00ff'"])
async def test_what_cannot_be_read_stops_nothing_else(tmp_path: Path, stored: str):
    async with documents_of(tmp_path) as documents:
        records = Records(documents)
        for number in (1, 2):
            await records.inbox.put(update(number))
            await records.sendings.begin(f"key {number}", OLGA)
            await records.questions.add(question(number), OLGA)
            await records.cards.add(f"run-{number}", Destination(OLGA))
            await records.guests.may_be_told(number)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        first = ("00000000000000000001", "key 1", token_of(question(1).id), f"{OLGA}/{token_of(question(1).id)}")
        keys = ", ".join(repr(key) for key in (*first, "run-1", "1"))
        changed = connection.execute(f"UPDATE documents SET value = {stored} WHERE key IN ({keys})")
        assert changed.rowcount == 6
    async with documents_of(tmp_path) as documents:
        records = Records(documents)
        await records.forget()
        assert await records.inbox.unhandled() == [update(2)]
        assert await records.sendings.get("key 1") in {None, Sending()}
        assert await records.sendings.get("key 2") == Sending()
        assert [asked.question for asked in await records.questions.open(OLGA)] == [question(2)]
        assert await records.questions.shown(question(1).id, 5) is None
        assert await records.questions.close(question(1).id, "red") is None
        assert await records.cards.alive() == {"run-2": Destination(OLGA)}
        assert not await records.guests.may_be_told(2)
        await records.sendings.begin("key 1", OLGA)
        assert await records.sendings.get("key 1") == Sending()
