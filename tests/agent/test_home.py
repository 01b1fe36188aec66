"""What an App keeps in AURA_HOME: damaged files are said, old runs are forgotten, a home of an older Aura goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.app import App
from agent.config import AppConfig
from agent.run.outcomes import run_history
from aura_core.errors import HomeInUseError
from tests.agent.conftest import incoming
from tests.fixtures.old_home import unpack

QUICK, PAUSE, LONG = "run-ca0df2c95aa144c1", "run-29c1b289e7522195", "run-153812ae5fea0b73"


@pytest.fixture
def home(tmp_path: Path, plan_folder: Path) -> Path:
    return unpack(tmp_path)


def make_it_version_1(home: Path) -> None:
    """As an Aura from before the journal wrote it."""
    with closing(sqlite3.connect(home / "state.db")) as store, store:
        store.execute("DROP TABLE entries")
        store.execute("PRAGMA user_version = 1")


def said(plan_folder: Path) -> list[str]:
    return (plan_folder / "lab/log.txt").read_text().splitlines()


async def test_the_runs_of_an_old_home_go_on_where_they_were(open_app, transport, home: Path, plan_folder: Path):
    async with open_app() as app:
        assert app.take_notices() == []
        assert (await app.run_detail(QUICK)).answer == "quick"
        assert set(await app.resume()) >= {PAUSE, LONG}
        (plan_folder / "lab/go").touch()
        assert (await app.outcome(LONG)).answer == "after long begins held"
        (question,) = [one for one in await app.questions("s") if one.run_id == PAUSE]
        assert await app.answer(question.id, "yes", person="terminal:me")
        assert (await app.outcome(PAUSE)).answer == "B after A yes"
    assert said(plan_folder).count("long begins") == 1
    assert said(plan_folder)[:4] == ["quick", "A", "A", "long begins"]
    assert (home / "state.before-aura-db.db").exists()
    assert not (home / "state.db").exists()


async def test_a_home_from_before_the_journal_is_taken_over_too(open_app, home: Path, plan_folder: Path):
    make_it_version_1(home)
    async with open_app() as app:
        assert (await app.run_detail(QUICK)).answer == "quick"
        (plan_folder / "lab/go").touch()
        await app.resume(run_id=LONG)
        assert (await app.outcome(LONG)).answer == "after long begins held"
    assert said(plan_folder).count("long begins") == 2


async def test_the_runs_of_an_old_home_are_listed_by_a_program_beside(home: Path, tmp_path: Path):
    config = AppConfig.load({"AURA_HOME": str(home)}, tmp_path)
    notices: list[str] = []
    async with run_history(config, notices.extend) as history:
        assert {run.run_id for run in await history.runs()} >= {QUICK, PAUSE, LONG}
    assert notices == []


async def test_runs_are_listed_while_another_program_holds_the_home(open_app, home: Path, tmp_path: Path):
    config = AppConfig.load({"AURA_HOME": str(home)}, tmp_path)
    async with open_app(), run_history(config, lambda _: None) as history:
        assert (await history.outcome(QUICK)).status == "ok"
        with pytest.raises(HomeInUseError, match="test"):
            async with App.open(config, program="aura chat"):
                pass


async def test_a_damaged_store_is_said_once(open_app, tmp_path: Path):
    async with open_app():
        pass
    (tmp_path / "home/aura.db").write_bytes(b"nonsense" * 1000)
    async with open_app() as app:
        (notice,) = app.take_notices()
        assert "set aside as aura.damaged-" in notice
        assert app.take_notices() == []
        assert await app.runs() == []


async def test_an_empty_store_is_a_loss_in_a_home_in_which_something_was_said(open_app, tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "aura.db").touch()
    async with open_app() as app:
        assert app.take_notices() == []
        await app.sessions.append("s", {"run_id": "r", "user": "hello"})
    (home / "aura.db").write_bytes(b"")
    for _ in range(2):
        async with open_app() as app:
            (notice,) = app.take_notices()
            assert "aura.db was empty" in notice
    async with open_app() as app:
        app.seen(app.unseen_losses())
    async with open_app() as app:
        assert app.take_notices() == []


async def test_damaged_notes_are_no_empty_list(open_app, tmp_path: Path):
    (tmp_path / "home/plans").mkdir(parents=True)
    (tmp_path / "home/plans/notes.json").write_text('{"notes": [')
    for _ in range(2):
        async with open_app() as app:
            run_id = await app.submit_command(incoming("/notes"), "notes/list", {})
            outcome = await app.outcome(run_id)
            assert outcome.status == "error"
            assert "It is kept as" in outcome.answer
            assert len(app.take_notices()) == 1
    async with open_app() as app:
        app.seen(app.unseen_losses())
        run_id = await app.submit_command(incoming("/notes"), "notes/list", {})
        assert (await app.outcome(run_id)).status == "ok"


@pytest.mark.parametrize(
    ("raw", "was"),
    [(b"I prefer tea\n" + b"\0" * 200, "damaged"), ("Я люблю зелёный чай\n".encode("cp1251"), "not UTF-8")],
)
async def test_a_memory_that_was_set_aside_is_told_until_it_was_seen(
    open_app, scripted_model, tmp_path: Path, raw: bytes, was: str
):
    scripted_model.say({"steps": [{"id": "s1", "task": "notes/list", "inputs": {}}]})
    scripted_model.say("You have no notes.", times=None)
    async with open_app() as app:
        path = app.sessions.folder("s") / "MEMORY.md"
        path.write_bytes(raw)
        await app.outcome(await app.submit(incoming("Remember that I live in Riga. What are my notes?")))
        (notice,) = app.take_notices()
        assert f"{path} was {was}" in notice
        assert "I live in Riga" in path.read_text("utf-8")
    async with open_app() as app:
        assert app.take_notices() == [notice]
        app.seen([notice])
    async with open_app() as app:
        assert app.take_notices() == []


async def test_the_care_of_an_app_begins_and_ends_with_it(open_app):
    async with open_app():
        assert "forgetting" in names_of_tasks()
    assert "forgetting" not in names_of_tasks()


def names_of_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}
