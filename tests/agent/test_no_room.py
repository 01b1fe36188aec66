"""Nothing can be written down for a while: what asks, or goes on, waits for room and is no failure of its step."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
import yaml

from agent.app import App
from agent.contracts import Question
from agent.questions import service as questions
from agent.run import crash_loop
from aura_core.errors import HomeNotWritableError
from tests.agent.conftest import KeepingTransport, incoming
from tests.fixtures.telegram.bench import eventually

WAITS = "a question waits until it can be written down"
ASKING = {
    "meta": {"title": "Choose", "description": "Ask for a colour.", "effects": "read", "command": "choose"},
    "steps": [{"ask": "Which colour?", "options": ["red", "blue"], "output_to": "colour"}],
    "returns": "chosen: {{ colour }}",
}


class Showing(KeepingTransport):
    """A channel whose questions are seen at the moment at which the disk is full."""

    app: App | None = None

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        await super().send_question(dest, question)
        if self.app is not None:
            await set_room(self.app, room=False)
            self.app = None


async def set_room(app: App, *, room: bool) -> None:
    """The store of runs refuses every write, or takes them again."""
    await app._database.run(lambda connection: connection.set_authorizer(None if room else _refuse_writing))


def _refuse_writing(operation: int, *_: str | None) -> int:
    writes = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
    return sqlite3.SQLITE_DENY if operation in writes else sqlite3.SQLITE_OK


@pytest.fixture
def transport() -> Showing:
    return Showing()


@pytest.fixture(autouse=True)
def _studio(plan_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "FIRST_PAUSE", 0.01)
    (plan_folder / "studio/tasks").mkdir(parents=True)
    (plan_folder / "studio/plan.yaml").write_text("name: studio\nversion: 1.0.0\ntitle: Studio\n")
    (plan_folder / "studio/tasks/choose.yaml").write_text(yaml.safe_dump(ASKING))


async def test_a_question_that_is_seen_when_the_disk_is_full_is_answered_when_there_is_room(open_app, transport):
    async with open_app() as app:
        transport.app = app
        with structlog.testing.capture_logs() as logs:
            run_id = await app.submit_command(incoming("/choose"), "studio/choose", {})
            assert run_id is not None
            await eventually(lambda: [entry["event"] for entry in logs].count(WAITS) > 1)
            await set_room(app, room=True)
            assert (await app.outcome(run_id)).status == "waiting"
        (question,) = await app.questions("s")
        assert await app.answer(question.id, "blue", person="terminal:me")
        outcome = await app.outcome(run_id)
    assert (outcome.status, outcome.answer) == ("ok", "chosen: blue")
    assert len({shown.id for shown in transport.questions}) == 1


async def test_a_step_that_begins_again_when_nothing_can_be_read_is_no_failure(open_app, monkeypatch):
    async with open_app() as app:
        run_id = await app.submit_command(incoming("/choose"), "studio/choose", {})
        assert run_id is not None
        assert (await app.outcome(run_id)).status == "waiting"

    async def unreadable(*_: object) -> bool:
        raise HomeNotWritableError("the disk refuses to read it")

    async with open_app() as app:
        with monkeypatch.context() as patch:
            patch.setattr(crash_loop, "waits_for_answer", unreadable)
            assert await app.resume() == [run_id]
            with pytest.raises(HomeNotWritableError):
                await app.engine.outcome(run_id)
        assert await app.resume() == [run_id]
        assert await app.reply("s", "red", person="terminal:me")
        assert (await app.outcome(run_id)).answer == "chosen: red"
