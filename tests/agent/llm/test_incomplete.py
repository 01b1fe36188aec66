"""A text that stopped before its end: said to be so at every door, never saved, never gone on with as a whole one."""

from __future__ import annotations

from typing import Any

import pytest

from agent.contracts import RunOutcome
from tests.agent.conftest import incoming
from tests.fixtures.scripted_llm import wants_schema

PLAN = wants_schema
"""Only plans are asked for by a schema here."""
HALF = "Rain falls on the roof and"


def step(task: str, number: int = 1, **inputs: Any) -> dict[str, Any]:
    return {"id": f"s{number}", "title": f"Step {number}", "task": task, "inputs": inputs}


def talk(number: int = 1) -> dict[str, Any]:
    return {"id": f"s{number}", "title": "Tell", "kind": "llm", "task": "llm", "instruction": "Tell of rain."}


async def ask(app: Any, text: str) -> RunOutcome:
    run = await app.submit(incoming(text))
    assert run is not None
    return await app.outcome(run)


async def known(app: Any, scripted_model: Any) -> None:
    """Lets the app hear a whole answer, after which what a model says is known to be no thought."""
    scripted_model.say({"steps": [talk()]}, when=PLAN)
    scripted_model.say("Good day to you.")
    assert (await ask(app, "Good day")).answer == "Good day to you."


@pytest.mark.parametrize("finish", ["length", "content_filter"])
@pytest.mark.parametrize("writer", ["task", "llm"])
async def test_a_text_that_was_cut_off_is_not_saved(open_app, scripted_model, tmp_path, writer, finish):
    first = step("aura_base/write", instruction="a line about rain") if writer == "task" else talk()
    scripted_model.say({"steps": [first, step("files/write", 2, path="rain.txt", text="${s1}")]}, when=PLAN, times=None)
    async with open_app() as app:
        scripted_model.say(HALF, finish=finish, times=None)
        outcome = await ask(app, "Write a line about rain and save it as rain.txt")
    assert outcome.status == "error"
    assert ("cut off" if finish == "length" else "stopped by a filter") in outcome.answer
    assert not list((tmp_path / "home/s").rglob("rain*"))


async def test_an_answer_that_was_cut_off_is_shown_and_said_to_be_incomplete(open_app, scripted_model, tmp_path):
    async with open_app() as app:
        await known(app, scripted_model)
        scripted_model.say({"steps": [talk()]}, when=PLAN)
        scripted_model.say(HALF, finish="length")
        outcome = await ask(app, "Tell me about rain")
    assert outcome.answer.startswith(HALF)
    assert "incomplete" in outcome.answer
    assert [result.status for result in outcome.results] == ["partial"]
    assert "incomplete" in (tmp_path / "home/s/SESSION.json").read_text(encoding="utf-8")


async def test_of_a_model_that_nobody_knows_a_text_that_was_cut_off_is_not_shown(open_app, scripted_model):
    """It may be all thought."""
    scripted_model.say({"steps": [talk()]}, when=PLAN, times=None)
    scripted_model.say(HALF, finish="length", times=None)
    async with open_app() as app:
        outcome = await ask(app, "Tell me about rain")
    assert outcome.status == "error"
    assert "cut off" in outcome.answer
    assert HALF not in outcome.answer


async def test_results_told_in_a_text_that_was_cut_off_stand_beneath_it(open_app, scripted_model):
    steps = [step("aura_base/calculate", expression="12*7"), step("aura_base/calculate", 2, expression="12*8")]
    async with open_app() as app:
        await known(app, scripted_model)
        scripted_model.say({"steps": steps}, when=PLAN)
        scripted_model.say("The first is", finish="length")
        answer = (await ask(app, "What is 12*7, and 12*8?")).answer
    assert answer.startswith("The first is\n")
    assert "incomplete" in answer
    assert "84" in answer
    assert "96" in answer


async def test_a_piece_whose_translation_was_cut_off_is_translated_in_halves(open_app, scripted_model):
    def is_long(request: dict[str, Any]) -> bool:
        return len(request["messages"][-1]["content"]) > 1000

    scripted_model.say(HALF, when=is_long, finish="length", times=None)
    scripted_model.say("Es regnete.", times=None)
    inputs = {"text": "It rained all day long. " * 50, "language": "German"}
    async with open_app() as app:
        run = await app.submit_command(incoming("/translate"), "aura_base/translate", inputs)
        outcome = await app.outcome(run)
    assert outcome.results[0].output == "Es regnete.\n\nEs regnete."
