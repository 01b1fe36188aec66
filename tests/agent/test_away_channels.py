"""A channel that is away: questions and answers wait for it, over restarts, and arrive once when it is back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import delivery
from agent.app import App
from agent.channels.telegram import sending
from agent.channels.telegram.bot import run_bot
from agent.contracts import Incoming, Question
from agent.errors import ChannelAwayError
from tests.agent.conftest import KeepingTransport
from tests.fixtures.telegram.bench import OWNER, eventually, hurry
from tests.fixtures.telegram_emulator import Emulator, Person

PONDER = {
    "meta": {"title": "Ponder", "description": "Ask from inside.", "effects": "write", "command": "ponder"},
    "steps": [
        {"ask": "Which colour?", "options": ["red", "blue"], "output_to": "colour"},
        {"action": "file.write", "params": {"path": "colour.txt", "text": "{{ colour }}"}},
        {"action": "file.attach", "params": {"path": "colour.txt"}},
    ],
    "returns": "painted {{ colour }}",
}


class AwayTransport(KeepingTransport):
    """Telegram's place in the app; it can be away."""

    name = "telegram"

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.refused = 0

    def _knock(self) -> None:
        if self.away:
            self.refused += 1
            raise ChannelAwayError("It is away.")

    async def send_text(self, dest: dict[str, Any], text: str, *, key: str) -> None:
        self._knock()
        await super().send_text(dest, text, key=key)

    async def send_file(self, dest: dict[str, Any], path: Path, caption: str, *, key: str) -> None:
        self._knock()
        await super().send_file(dest, path, caption, key=key)

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        self._knock()
        await super().send_question(dest, question)


@pytest.fixture(autouse=True)
def _studio(plan_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PAUSE_SECONDS", 0.01)
    (plan_folder / "studio/tasks").mkdir(parents=True)
    (plan_folder / "studio/plan.yaml").write_text("name: studio\nversion: 1.0.0\ntitle: Studio\n")
    (plan_folder / "studio/tasks/ponder.yaml").write_text(yaml.safe_dump(PONDER))


@pytest.fixture
def chat() -> AwayTransport:
    return AwayTransport()


def request(channel: str = "telegram") -> Incoming:
    dest = {"channel": channel, "chat_id": OWNER}
    return Incoming(session_id="s", person="terminal:me", text="/ponder", dest=dest)


async def begin(app: App, channel: str = "telegram") -> str:
    run_id = await app.submit_command(request(channel), "studio/ponder", {})
    assert run_id is not None
    assert (await app.outcome(run_id)).status == "waiting"
    return run_id


async def answer(app: App, run_id: str) -> None:
    await app.resume(run_id=run_id)
    (question,) = (await app.outcome(run_id)).questions
    assert await app.answer(question.id, "red", person="terminal:me")
    assert (await app.outcome(run_id)).status == "ok"


async def test_a_question_asked_without_its_channel_is_shown_once_when_the_channel_comes(open_app, chat):
    async with open_app() as app:
        await begin(app)
    async with open_app() as app:
        await app.resume()
        app.add_transport(chat)
        await eventually(lambda: chat.questions)
    async with open_app() as app:
        app.add_transport(chat)
        (run_id,) = await app.resume()
        await answer(app, run_id)
    assert [question.text for question in chat.questions] == ["Which colour?"]


async def test_a_question_that_could_not_be_shown_can_be_answered_elsewhere_and_is_not_shown_later(open_app, chat):
    chat.away = True
    async with open_app() as app:
        app.add_transport(chat)
        run_id = await begin(app)
        await eventually(lambda: chat.refused > 2)
        await answer(app, run_id)
        chat.away = False
        await eventually(lambda: chat.texts and chat.files)
    assert not chat.questions


async def test_an_answer_is_delivered_when_the_channel_is_back(open_app, chat):
    async with open_app() as app:
        app.add_transport(chat)
        run_id = await begin(app)
        chat.away = True
        await answer(app, run_id)
        await eventually(lambda: chat.refused > 4)
        assert not chat.texts
        chat.away = False
        await eventually(lambda: chat.texts and chat.files)
        await app.resume()
    assert sorted(chat.keys) == [f"{run_id}/answer", f"{run_id}/file/colour.txt"]
    assert chat.files == [("colour.txt", b"red")]


async def test_an_answer_that_was_not_delivered_is_delivered_after_a_restart_and_only_once(open_app, chat):
    async with open_app() as app:
        await answer(app, await begin(app))
    for _ in range(2):
        async with open_app() as app:
            app.add_transport(chat)
            await app.resume(channel="telegram")
            await eventually(lambda: chat.texts and chat.files)
    assert (len(chat.texts), len(chat.files)) == (1, 1)


async def test_an_answer_that_is_read_elsewhere_leaves_nothing_behind(open_app):
    async with open_app() as app:
        await answer(app, await begin(app, channel="terminal"))
        assert not await app.engine.list(statuses=["pending", "waiting"])


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    hurry(monkeypatch)
    monkeypatch.setattr(sending, "MAX_ATTEMPTS", 1)
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def olga(telegram: Emulator) -> Person:
    return telegram.person(OWNER)


@pytest.fixture
def bot(open_app, telegram: Emulator):
    """The bot on a real App, for a block; the next block is a restart."""

    @contextlib.asynccontextmanager
    async def started() -> AsyncIterator[App]:
        stop = asyncio.Event()
        async with open_app(**telegram.environment, AURA_TELEGRAM_OWNERS=f"[{OWNER}]") as app:
            running = asyncio.create_task(run_bot(app, stop=stop, announce=lambda _: None))
            try:
                yield app
            finally:
                stop.set()
                await running

    return started


def asked(olga: Person) -> list:
    return [post for post in olga.saying("Which colour?") if post.buttons]


async def test_the_bot_shows_a_question_and_an_answer_that_telegram_did_not_take_at_first(bot, olga, telegram):
    telegram.faults.add("sendMessage", "drop_before", only="❓ Which colour?", times=2)
    telegram.faults.add("sendMessage", "drop_before", only="painted", times=2)
    async with bot():
        olga.send("/ponder")
        await olga.until(lambda: asked(olga))
        (question,) = asked(olga)
        olga.send("red")
        await olga.wait_for("painted red")
        await olga.until(lambda: olga.files and not question.buttons)
        assert telegram.faults.left("sendMessage") == 0
    assert len(olga.saying("painted red")) == 1


async def test_an_answer_that_telegram_never_took_arrives_after_the_bots_restart(bot, olga, telegram):
    async with bot() as app:
        olga.send("/ponder")
        await olga.until(lambda: asked(olga))
        telegram.faults.add("sendMessage", "drop_before", only="painted", times=1000)
        olga.send("red")
        while not await app.engine.list(task="delivery"):  # noqa: ASYNC110 (the store has no event)
            await asyncio.sleep(0.01)
    telegram.faults.clear()
    async with bot():
        await olga.wait_for("painted red")
        await olga.until(lambda: olga.files)
    assert len(olga.saying("painted red")) == 1
