"""The scripted model itself, seen through the SDK that the product uses."""

from __future__ import annotations

import asyncio

import openai
import pytest

from tests.fixtures.scripted_llm import ScriptedModel


def client_of(server: ScriptedModel) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0)


async def ask(client: openai.AsyncOpenAI, text: str) -> str | None:
    done = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
    return done.choices[0].message.content


async def test_specific_rules_come_before_general_ones_and_each_serves_its_turns(scripted_model):
    scripted_model.say("general", times=None)
    scripted_model.say({"n": 1}, when="MARK")
    async with client_of(scripted_model) as client:
        assert await ask(client, "about MARK") == '{"n": 1}'
        assert await ask(client, "about MARK") == "general"
    assert [request["messages"][0]["content"] for request in scripted_model.requests] == ["about MARK"] * 2


async def test_an_answer_is_streamed_in_pieces_with_usage(scripted_model):
    scripted_model.say("one two three", piece=4, usage=(7, 3))
    async with client_of(scripted_model) as client:
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    assert [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content] == [
        "one ",
        "two ",
        "thre",
        "e",
    ]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 10


async def test_a_client_that_goes_away_is_counted(scripted_model):
    scripted_model.hang()
    async with client_of(scripted_model) as client:
        call = asyncio.create_task(ask(client, "hello"))
        await scripted_model.requests_reached(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    await scripted_model.aborts_reached(1)


async def test_a_request_nobody_scripted_is_remembered(scripted_model):
    async with client_of(scripted_model) as client:
        with pytest.raises(openai.BadRequestError):
            await ask(client, "what is this")
    assert "what is this" in scripted_model.unexpected.pop()
