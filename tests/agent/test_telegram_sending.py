"""Every message at most once, whatever Telegram, the network or a kill does in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import EditMessageText, SendChatAction, SendDocument, SendMessage
from aiogram.types import BufferedInputFile, MessageEntity

from agent.channels.telegram.failures import described
from agent.channels.telegram.rate_limiter import RateLimiter
from agent.channels.telegram.records import Sendings
from agent.channels.telegram.sending import Sender
from tests.fixtures.telegram.bench import OWNER, documents_of, eventually, hurry
from tests.fixtures.telegram_emulator import Emulator, Person


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def telegram() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def olga(telegram: Emulator) -> Person:
    person = telegram.person(OWNER)
    person.send("hello")
    return person


@contextlib.asynccontextmanager
async def sender_of(telegram: Emulator, folder: Path) -> AsyncIterator[Sender]:
    """A sender as a process has it: the same folder again is a restart. It has seen the person's message."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.api))
    async with documents_of(folder) as documents:
        sendings = Sendings(documents)
        for chat_id, number in telegram.world.posts:
            if not telegram.world.posts[chat_id, number].from_bot:
                await sendings.record_message(chat_id, number)
        try:
            yield Sender(Bot(telegram.world.token, session=session), RateLimiter(), sendings, first_pause=0.05)
        finally:
            await session.close()


def message(text: str = "The answer is 84.") -> SendMessage:
    return SendMessage(chat_id=OWNER, text=text)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "server_error", "bad_gateway", "hang"])
async def test_a_message_arrives_once_through(telegram: Emulator, olga: Person, tmp_path: Path, fault):
    telegram.faults.add("sendMessage", fault, seconds=0.1, times=2)
    async with sender_of(telegram, tmp_path) as sender:
        number = await sender.once("answer", message())
        assert await sender.once("answer", message()) == number
    assert [post.id for post in olga.posts] == [number]


async def test_a_lost_confirmation_is_found_although_the_person_wrote_meanwhile(
    telegram: Emulator, olga: Person, tmp_path: Path
):
    telegram.faults.add("sendMessage", "drop_after")
    telegram.faults.add("editMessageText", "drop_before")
    async with sender_of(telegram, tmp_path) as sender:
        sending = asyncio.create_task(sender.once("answer", message()))
        await olga.wait_for("The answer is 84.")
        olga.send("hurry up")
        await sending
    assert len(olga.posts) == 1


async def test_a_message_sent_just_before_a_kill_is_not_sent_again(telegram: Emulator, olga: Person, tmp_path: Path):
    telegram.faults.add("sendMessage", "drop_after")
    async with sender_of(telegram, tmp_path) as sender:
        killed = asyncio.create_task(sender.once("answer", message()))
        post = await olga.wait_for("The answer is 84.")
        killed.cancel()
    async with sender_of(telegram, tmp_path) as sender:
        assert await sender.once("answer", message()) == post.id
    assert len(olga.posts) == 1


async def test_a_card_that_a_kill_hid_is_found_even_though_it_looks_different_now(
    telegram: Emulator, olga: Person, tmp_path: Path
):
    telegram.faults.add("sendMessage", "hang_after", seconds=60)
    async with sender_of(telegram, tmp_path) as sender:
        killed = asyncio.create_task(sender.once("card", message("Planning …")))
        post = await olga.wait_for("Planning …")
        killed.cancel()
    async with sender_of(telegram, tmp_path) as sender:
        assert await sender.message_of("card") is None
        assert await sender.found("card", message("Done.")) == post.id
        assert await sender.message_of("card") == post.id
    assert [post.words for post in olga.posts] == ["Done."]


async def test_a_message_not_sent_before_a_kill_is_sent_after_it(telegram: Emulator, olga: Person, tmp_path: Path):
    telegram.faults.add("sendMessage", "hang", seconds=60)
    async with sender_of(telegram, tmp_path) as sender:
        killed = asyncio.create_task(sender.once("answer", message()))
        await eventually(lambda: telegram.calls("sendMessage"))
        killed.cancel()
    async with sender_of(telegram, tmp_path) as sender:
        await sender.once("answer", message())
    assert len(olga.posts) == 1


async def test_a_card_that_never_arrived_is_not_found_and_not_sent(telegram: Emulator, olga: Person, tmp_path: Path):
    telegram.faults.add("sendMessage", "hang", seconds=60)
    async with sender_of(telegram, tmp_path) as sender:
        killed = asyncio.create_task(sender.once("card", message("Planning …")))
        await eventually(lambda: telegram.calls("sendMessage"))
        killed.cancel()
    async with sender_of(telegram, tmp_path) as sender:
        assert await sender.found("card", message("Done.")) is None
        assert await sender.found("another", message("Done.")) is None
    assert not olga.posts


@pytest.mark.parametrize("fault", ["drop_after", "bad_gateway", "drop_before"])
async def test_a_file_arrives_once_through(telegram: Emulator, olga: Person, tmp_path: Path, fault):
    telegram.faults.add("sendDocument", fault)
    document = SendDocument(chat_id=OWNER, document=BufferedInputFile(b"rain", "haiku.txt"), caption="Here.")
    async with sender_of(telegram, tmp_path) as sender:
        await sender.once("file", document)
    assert [post.document["file_name"] for post in olga.posts] == ["haiku.txt"]


async def test_the_same_words_under_two_keys_are_two_messages(telegram: Emulator, olga: Person, tmp_path: Path):
    telegram.faults.add("sendMessage", "server_error")
    async with sender_of(telegram, tmp_path) as sender:
        first, second = await sender.once("one", message("Done.")), await sender.once("two", message("Done."))
    assert [post.id for post in olga.posts] == [first, second]


async def test_retry_after_is_waited_for(telegram: Emulator, olga: Person, tmp_path: Path):
    telegram.faults.add("sendMessage", "retry_after", seconds=1)
    async with sender_of(telegram, tmp_path) as sender:
        await sender.once("answer", message())
    refused, sent = telegram.calls("sendMessage")
    assert sent.at - refused.at >= 1
    assert len(olga.posts) == 1


async def test_what_is_merely_nice_is_dropped_while_telegram_wants_silence(
    telegram: Emulator, olga: Person, tmp_path: Path
):
    async with sender_of(telegram, tmp_path) as sender:
        number = await sender.once("card", message("Working …"))
        edit = EditMessageText(chat_id=OWNER, message_id=number, text="Still working …")
        telegram.faults.add("editMessageText", "retry_after", seconds=30)
        assert not await sender.perhaps(edit, OWNER)
        assert not await sender.perhaps(edit, OWNER)
        assert not await sender.perhaps_now(SendChatAction(chat_id=OWNER, action="typing"), OWNER)
    assert len(telegram.calls("editMessageText")) == 1
    assert not telegram.calls("sendChatAction")


async def test_an_edit_that_changes_nothing_counts_as_done(telegram: Emulator, olga: Person, tmp_path: Path):
    async with sender_of(telegram, tmp_path) as sender:
        number = await sender.once("card", message("Working …"))
        edit = EditMessageText(chat_id=OWNER, message_id=number, text="Working …")
        assert await sender.perhaps(edit, OWNER)
        await sender.surely(edit, OWNER)
    assert olga.posts[0].past == []


@pytest.mark.parametrize("chat_id", [OWNER, 555])
async def test_a_chat_that_cannot_be_reached_is_given_up_for_good(
    telegram: Emulator, olga: Person, tmp_path: Path, chat_id
):
    olga.block()
    async with sender_of(telegram, tmp_path) as sender:
        for _ in range(2):
            assert await sender.once("answer", SendMessage(chat_id=chat_id, text="hello")) is None
    assert len(telegram.calls("sendMessage")) == 1


async def test_entities_that_telegram_does_not_like_are_left_out(telegram: Emulator, olga: Person, tmp_path: Path):
    wrong = [MessageEntity(type="bold", offset=0, length=500)]
    async with sender_of(telegram, tmp_path) as sender:
        await sender.once("answer", SendMessage(chat_id=OWNER, text="short", entities=wrong))
    assert [(post.words, post.entities) for post in olga.posts] == [("short", [])]


def test_the_token_never_gets_into_a_log_line():
    error = RuntimeError("404, url='https://api.telegram.org/file/bot4242:emulated-token-abc/documents/1'")
    assert "emulated" not in described(error)
    assert "documents/1" in described(error)
