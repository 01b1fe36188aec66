"""A reminder whose time is not certain: the chat is asked once, with what was understood, and nothing is set before."""

from __future__ import annotations

import pytest

from agent.app import App
from aura_core.tasklet import RunInfo
from tests.agent.conftest import KeepingTransport, incoming

ME = "terminal:me"
RUN = RunInfo(corr_id="r", session_id="s", person=ME, dest={"channel": "test"}, source="command")


async def ask(app: App, text: str) -> str:
    """Begins a reminder; gives the run, which waits for an answer."""
    run_id = await app.submit_command(incoming(f"/remind {text}"), "reminders/add", {"text": text})
    assert run_id is not None
    assert (await app.outcome(run_id)).status == "waiting"
    assert await app.schedules.list(RUN) == []
    return run_id


@pytest.mark.parametrize("answer", ["1", "yes", "Yes"])
async def test_what_was_understood_is_set_once_it_is_agreed(open_app, transport: KeepingTransport, answer: str):
    async with open_app() as app:
        run_id = await ask(app, "every day at 8 20 pills")
        (question,) = transport.questions
        assert question.text.startswith("every day 08:00, right?")
        assert question.options == ["Yes"]
        await app.answer(question.id, answer, person=ME)
        assert (await app.outcome(run_id)).status == "ok"
        assert transport.texts[-1].startswith("I will remind you again and again (every day 08:00), next on ")
        (job,) = await app.schedules.list(RUN)
        assert job.inputs == {"text": "every day at 8 20 pills"}


async def test_another_time_is_taken_instead(open_app, transport: KeepingTransport):
    async with open_app() as app:
        run_id = await ask(app, "завтра урок 7")
        assert ", 09:00, верно?" in transport.questions[0].text
        await app.answer(transport.questions[0].id, "каждый день в 7", person=ME)
        assert (await app.outcome(run_id)).status == "ok"
        assert transport.texts[-1].startswith("Буду напоминать (каждый день 07:00), в следующий раз ")


async def test_an_answer_that_is_not_certain_either_sets_nothing_and_shows_how_to_write_it(
    open_app, transport: KeepingTransport
):
    async with open_app() as app:
        run_id = await ask(app, "tomorrow gym 7")
        await app.answer(transport.questions[0].id, "at 7 or 8", person=ME)
        assert "I do not understand when “at 7 or 8” is" in (await app.outcome(run_id)).answer
        assert len(transport.questions) == 1
        assert await app.schedules.list(RUN) == []
