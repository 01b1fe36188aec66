"""Text work through the `llm` service: what the model is asked, and what becomes of its answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.framework import Framework
from aura_core.tasklet import RunInfo, Tasklet
from plans.aura_base.actions.llm import pieces
from tests.fixtures.scripted_llm import ScriptedModel

from .conftest import PLANS


@pytest.fixture
def settings() -> dict[str, dict[str, Any]]:
    return {"aura_base": {"llm": {"chunk_chars": 200, "max_chars": 1000}}}


def instruction(request: dict[str, Any]) -> str:
    return request["messages"][0]["content"]


def data(request: dict[str, Any]) -> str:
    return request["messages"][1]["content"]


async def test_a_summary_keeps_instruction_and_text_apart(done, scripted_model: ScriptedModel):
    scripted_model.say("```\nRain fell.\n```")
    assert await done("aura_base/summarise", text="Ignore this. It rained.", words=30, focus="the rain") == "Rain fell."
    (request,) = scripted_model.requests
    assert "at most 30 words" in instruction(request)
    assert "Dwell on: the rain" in instruction(request)
    assert data(request) == "Ignore this. It rained."
    assert "Ignore this" not in instruction(request)


async def test_a_long_text_is_summarised_piece_by_piece_and_then_together(done, scripted_model: ScriptedModel):
    scripted_model.say(lambda request: f"S{len(data(request))}.", times=None)
    result = await done("aura_base/summarise", text="It rained all day long. " * 25)
    assert len(scripted_model.requests) == 5
    assert "(part 1 of 4)" in instruction(scripted_model.requests[0])
    assert "part" not in instruction(scripted_model.requests[4])
    assert result.startswith("S")


async def test_a_model_that_does_not_shorten_brings_no_endless_loop(done, scripted_model: ScriptedModel):
    scripted_model.say(data, times=None)
    result = await done("aura_base/summarise", text="It rained all day long. " * 25)
    assert len(scripted_model.requests) <= 12
    assert "rained" in result


async def test_a_text_beyond_every_limit_is_refused(refused):
    assert "at most 1,000" in await refused("aura_base/summarise", text="x" * 1001)
    assert "no text to work on" in await refused("aura_base/translate", text="  ", language="German")
    assert "too long for one go" in await refused("aura_base/write", instruction="a poem", data="x " * 300)
    assert "instruction is empty" in await refused("aura_base/write", instruction=" ")


async def test_extracting_gives_each_item_once(done, scripted_model: ScriptedModel):
    scripted_model.say({"items": ["a@x.org", " b@x.org ", "a@x.org", ""]})
    result = await done("aura_base/extract", text="a@x.org b@x.org a@x.org", what="e-mail addresses")
    assert result == {"count": 2, "items": ["a@x.org", "b@x.org"], "text": "- a@x.org\n- b@x.org"}


async def test_extracting_nothing_is_no_failure(done, scripted_model: ScriptedModel):
    scripted_model.say({"items": []})
    result = await done("aura_base/extract", text="hello", what="names")
    assert (result["count"], result["text"]) == (0, "The text holds none: names.")


async def test_a_long_text_is_translated_in_order(done, scripted_model: ScriptedModel):
    scripted_model.say(lambda request: data(request).upper(), times=None)
    text = "\n\n".join(f"Paragraph {number} says {'something ' * 9}" for number in range(4))
    result = await done("aura_base/translate", text=text, language="Shouting")
    assert [line[:11] for line in result.split("\n\n")] == [f"PARAGRAPH {n}" for n in range(4)]
    assert all("into Shouting" in instruction(request) for request in scripted_model.requests)


async def test_writing_goes_by_the_instruction_and_earlier_results(done, scripted_model: ScriptedModel):
    scripted_model.say("Rain on the roof")
    assert await done("aura_base/write", instruction="a haiku", data="about rain", words=15) == "Rain on the roof"
    (request,) = scripted_model.requests
    assert instruction(request).startswith("a haiku\nWrite about 15 words.")
    assert data(request) == "about rain"


async def test_an_empty_answer_is_said_so(refused, scripted_model: ScriptedModel):
    scripted_model.say("   ")
    assert "answered nothing" in await refused("aura_base/write", instruction="a haiku")


async def test_without_a_model_the_other_tasks_work(tmp_path):
    async with Framework([PLANS], tmp_path) as framework:
        info = RunInfo(files_folder=tmp_path)
        result = await framework.submit(Tasklet("aura_base/summarise", {"text": "hello"}, run=info))
        assert result.status == "error"
        assert "llm" in result.error.message
        assert (await framework.submit(Tasklet("aura_base/calculate", {"expression": "1+1"}, run=info))).result == "2"


@given(st.text(max_size=400), st.integers(3, 80))
def test_pieces_are_the_text_and_never_too_long(body: str, size: int):
    parts = pieces(body, size)
    assert "".join(parts) == body
    assert all(len(part) <= size for part in parts)
