"""ModelClient against a scripted endpoint over real HTTP: answers, retries, repairs, errors a person can act on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent.config import AppConfig
from agent.errors import (
    ModelContextError,
    ModelIncompleteError,
    ModelMissingError,
    ModelOutputError,
    ModelRefusedError,
    ModelUnavailableError,
)
from agent.llm.client import Message, ModelClient
from tests.fixtures.scripted_llm import ScriptedModel

SECRET = "sk-very-secret-key-123456"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
HELLO: list[Message] = [{"role": "system", "content": "You count."}, {"role": "user", "content": "Hello"}]


@contextlib.asynccontextmanager
async def client_at(base_url: str, **settings: Any) -> AsyncIterator[ModelClient]:
    llm = {"base_url": base_url, "api_key": SECRET, "model": "m", "attempts": 2, "timeout": 20, **settings}
    client = await ModelClient.open(AppConfig.model_validate({"llm": llm}))
    try:
        yield client
    finally:
        await client.close()


async def heard_once(client: ModelClient, server: ScriptedModel) -> None:
    """Lets a client hear a first answer, after which it streams: that one is held back, it might be a thought."""
    server.say("hello")
    await client.complete(HELLO, purpose="answer")


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


async def test_a_whole_answer_with_its_usage_and_price(scripted_model):
    scripted_model.say("forty-two", usage=(1000, 500))
    async with client_at(scripted_model.base_url, prices={"m": (2.0, 4.0)}) as client:
        done = await client.complete(HELLO, purpose="answer")
    assert (done.text, done.model) == ("forty-two", "m")
    assert (done.tokens_read, done.tokens_written) == (1000, 500)
    assert done.money == pytest.approx(0.004)
    assert scripted_model.requests[0]["messages"] == HELLO
    assert scripted_model.requests[0]["headers"]["authorization"] == f"Bearer {SECRET}"


async def test_an_answer_is_heard_piece_by_piece(scripted_model):
    heard: list[str] = []
    async with client_at(scripted_model.base_url) as client:
        await heard_once(client, scripted_model)
        scripted_model.say("Grüße aus 東京 🙂", piece=3, usage=(5, 6))
        done = await client.complete(HELLO, purpose="answer", on_text=heard.append)
    assert "".join(heard) == done.text == "Grüße aus 東京 🙂"
    assert len(heard) > 3
    assert (done.tokens_read, done.tokens_written) == (5, 6)


async def test_structured_output_is_asked_for_by_schema(scripted_model):
    scripted_model.say({"n": 3})
    async with client_at(scripted_model.base_url) as client:
        done = await client.complete(HELLO, purpose="plan steps", schema=SCHEMA)
    assert done.value == {"n": 3}
    asked = scripted_model.requests[0]["response_format"]["json_schema"]
    assert (asked["name"], asked["schema"], asked["strict"]) == ("plan_steps", SCHEMA, True)


async def test_an_endpoint_that_refuses_schemas_is_asked_in_words_and_that_is_remembered(scripted_model):
    scripted_model.refuse_json_schema()
    scripted_model.say({"n": 1}, times=2)
    async with client_at(scripted_model.base_url) as client:
        first = await client.complete(HELLO, purpose="plan", schema=SCHEMA)
        second = await client.complete(HELLO, purpose="plan", schema=SCHEMA)
    assert first.value == second.value == {"n": 1}
    kinds = [request["response_format"]["type"] for request in scripted_model.requests]
    assert kinds == ["json_schema", "json_object", "json_object"]
    asked = scripted_model.requests[1]["messages"]
    assert [message["role"] for message in asked] == ["system", "user"]
    assert "JSON Schema" in asked[0]["content"]


@pytest.mark.parametrize(
    "wrapped",
    [
        'Sure!\n```json\n{"n": 7}\n```\nAnything else?',
        '{"n": 7} I hope that helps',
        '<think>{"n": 1}?</think>\n{"n": 7}',
        'Here it is: {"n": 7}',
    ],
)
async def test_json_is_found_in_what_surrounds_it(scripted_model, wrapped):
    scripted_model.say(wrapped)
    async with client_at(scripted_model.base_url) as client:
        assert (await client.complete(HELLO, purpose="plan", schema=SCHEMA)).value == {"n": 7}
    assert len(scripted_model.requests) == 1


async def test_a_misfit_is_repaired_once_with_the_exact_problem(scripted_model):
    scripted_model.say('{"n": "many"}', usage=(10, 1))
    scripted_model.say({"n": 2}, usage=(20, 2))
    async with client_at(scripted_model.base_url) as client:
        done = await client.complete(HELLO, purpose="plan", schema=SCHEMA)
    assert done.value == {"n": 2}
    assert (done.tokens_read, done.tokens_written) == (30, 3)
    told = scripted_model.requests[1]["messages"]
    assert told[-2] == {"role": "assistant", "content": '{"n": "many"}'}
    assert "n must be integer" in told[-1]["content"]


async def test_a_second_misfit_is_an_error_that_says_so(scripted_model):
    scripted_model.say("no json here", times=2)
    async with client_at(scripted_model.base_url) as client:
        with pytest.raises(ModelOutputError, match="not even when told"):
            await client.complete(HELLO, purpose="plan", schema=SCHEMA)
    assert len(scripted_model.requests) == 2


async def test_an_answer_cut_off_by_its_bound_is_said_to_be_so_and_not_repaired(scripted_model):
    scripted_model.say('{"n": 12', finish="length")
    async with client_at(scripted_model.base_url) as client:
        with pytest.raises(ModelOutputError, match="cut off after"):
            await client.complete(HELLO, purpose="plan", schema=SCHEMA, max_tokens=5)
    assert scripted_model.requests[0]["max_tokens"] == 5
    assert len(scripted_model.requests) == 1


async def test_a_plain_answer_cut_off_is_no_completion(scripted_model):
    scripted_model.say("I count", times=1)
    scripted_model.say("once upon a", finish="length")
    async with client_at(scripted_model.base_url) as client:
        await client.complete(HELLO, purpose="answer")
        with pytest.raises(ModelIncompleteError, match="cut off after") as caught:
            await client.complete(HELLO, purpose="answer")
    assert caught.value.text == "once upon a"


async def test_an_empty_answer_is_asked_for_once_more(scripted_model):
    scripted_model.say("")
    scripted_model.say("here I am")
    async with client_at(scripted_model.base_url) as client:
        assert (await client.complete(HELLO, purpose="answer")).text == "here I am"


async def test_nothing_but_empty_answers_is_an_error(scripted_model):
    scripted_model.say("  ", times=None)
    async with client_at(scripted_model.base_url) as client:
        with pytest.raises(ModelOutputError, match="answered nothing"):
            await client.complete(HELLO, purpose="answer")
    assert len(scripted_model.requests) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_passing_failure_is_tried_again(scripted_model, status):
    scripted_model.fail(status, retry_after=0)
    scripted_model.say("back")
    async with client_at(scripted_model.base_url) as client:
        assert (await client.complete(HELLO, purpose="answer")).text == "back"


async def test_attempts_are_bounded(scripted_model):
    scripted_model.fail(503, "overloaded", retry_after=0, times=None)
    async with client_at(scripted_model.base_url, attempts=3) as client:
        with pytest.raises(ModelUnavailableError, match=r"503.*overloaded"):
            await client.complete(HELLO, purpose="answer")
    assert len(scripted_model.requests) == 3


async def test_the_wait_that_an_endpoint_asks_for_is_kept(scripted_model):
    scripted_model.fail(429, retry_after=1.2)
    scripted_model.say("back")
    started = time.monotonic()
    async with client_at(scripted_model.base_url) as client:
        await client.complete(HELLO, purpose="answer")
    assert time.monotonic() - started >= 1.2


async def test_a_wait_longer_than_the_call_may_take_is_not_waited(scripted_model):
    scripted_model.fail(429, "slow down", retry_after=3600)
    async with client_at(scripted_model.base_url) as client:
        with pytest.raises(ModelUnavailableError, match=r"429.*slow down"):
            await client.complete(HELLO, purpose="answer")
    assert len(scripted_model.requests) == 1


@pytest.mark.parametrize(
    ("status", "details", "words"),
    [
        (401, {}, "OPENAI_API_KEY"),
        (403, {}, "does not let this key"),
        (404, {}, "does not know the model m"),
        (400, {}, "refuses the request"),
        (402, {}, "no quota"),
        (429, {"code": "insufficient_quota"}, "no quota"),
    ],
)
async def test_a_refusal_is_final_and_says_what_to_do(scripted_model, status, details, words):
    scripted_model.fail(status, f"bad key {SECRET}", **details)
    async with client_at(scripted_model.base_url) as client:
        with pytest.raises(ModelRefusedError, match=words) as caught:
            await client.complete(HELLO, purpose="answer")
    assert SECRET not in str(caught.value)
    assert len(scripted_model.requests) == 1


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "This model's maximum context length is 4096 tokens", "context_length_exceeded"),
        (400, "request (9000 tokens) exceeds the available context size (4096 tokens)", None),
        (413, "too large", None),
    ],
)
async def test_a_prompt_that_is_too_long_is_told_apart(scripted_model, status, message, code):
    scripted_model.fail(status, message, code=code)
    async with client_at(scripted_model.base_url) as client:
        with pytest.raises(ModelContextError, match="longer than m can read"):
            await client.complete(HELLO, purpose="plan", schema=SCHEMA)


async def test_an_endpoint_that_is_down_is_named():
    port = refused_port()
    async with client_at(f"http://127.0.0.1:{port}/v1") as client:
        with pytest.raises(ModelUnavailableError, match=r"127\.0\.0\.1 cannot be reached"):
            await client.complete(HELLO, purpose="answer")


async def test_a_call_is_bounded_in_time_and_its_request_closed(scripted_model):
    scripted_model.hang()
    async with client_at(scripted_model.base_url, timeout=0.5) as client:
        with pytest.raises(ModelUnavailableError, match=r"within 0\.5 seconds"):
            await client.complete(HELLO, purpose="answer")
        await scripted_model.aborts_reached(1)


async def test_a_cancelled_call_closes_its_request(scripted_model):
    scripted_model.hang()
    async with client_at(scripted_model.base_url) as client:
        call = asyncio.create_task(client.complete(HELLO, purpose="answer", on_text=lambda _: None))
        await scripted_model.requests_reached(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await scripted_model.aborts_reached(1)


async def test_a_stream_that_breaks_after_words_were_heard_is_not_tried_again(scripted_model):
    heard: list[str] = []
    async with client_at(scripted_model.base_url, fallback_models=["other"]) as client:
        await heard_once(client, scripted_model)
        scripted_model.drop("one two three four five", after=2, piece=4)
        with pytest.raises(ModelUnavailableError, match="broke off after 8 characters"):
            await client.complete(HELLO, purpose="answer", on_text=heard.append)
    assert "".join(heard) == "one two "
    assert len(scripted_model.requests) == 2


async def test_a_stream_that_breaks_before_the_first_word_is_tried_again(scripted_model):
    scripted_model.drop("never heard", after=0)
    scripted_model.say("heard")
    heard: list[str] = []
    async with client_at(scripted_model.base_url) as client:
        await client.complete(HELLO, purpose="answer", on_text=heard.append)
    assert "".join(heard) == "heard"


async def test_an_unavailable_model_is_replaced_by_the_next(scripted_model):
    scripted_model.fail(500, retry_after=0, when=lambda request: request["model"] == "m", times=None)
    scripted_model.say("from the other", when=lambda request: request["model"] == "other")
    async with client_at(scripted_model.base_url, fallback_models=["other"]) as client:
        done = await client.complete(HELLO, purpose="answer")
    assert (done.text, done.model) == ("from the other", "other")


async def test_a_hanging_model_leaves_time_for_the_next(scripted_model):
    scripted_model.hang(when=lambda request: request["model"] == "m")
    scripted_model.say("in time")
    async with client_at(scripted_model.base_url, timeout=2, fallback_models=["other"]) as client:
        assert (await client.complete(HELLO, purpose="answer")).text == "in time"


async def test_a_call_may_name_its_model(scripted_model):
    scripted_model.say("ok")
    async with client_at(scripted_model.base_url) as client:
        assert (await client.complete(HELLO, purpose="answer", model="special")).model == "special"
    assert scripted_model.requests[0]["model"] == "special"


@pytest.mark.parametrize("body", [b"<html>not here</html>", b'{"choices": []}', b'{"object": "list"}', b"[1, 2]"])
async def test_a_server_that_is_no_model_endpoint_is_called_that(scripted_model, body):
    scripted_model.reply_raw(body)
    async with client_at(scripted_model.base_url) as client:
        with pytest.raises(ModelRefusedError, match="does not answer like an OpenAI-compatible endpoint"):
            await client.complete(HELLO, purpose="answer")


async def test_the_only_model_of_an_endpoint_needs_no_name(scripted_model):
    scripted_model.say("ok")
    async with client_at(scripted_model.base_url, model=None) as client:
        done = await client.complete(HELLO, purpose="answer")
        assert done.model == "scripted-model"
        assert client.describe() == "scripted-model at 127.0.0.1"


async def test_a_newer_model_that_takes_other_parameters_is_asked_its_way(scripted_model):
    def with_field(name: str) -> Any:
        return lambda request: name in request

    scripted_model.fail(
        400,
        "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        when=with_field("max_tokens"),
        times=None,
    )
    scripted_model.fail(400, "'temperature' does not support 0", when=with_field("temperature"), times=None)
    scripted_model.say("fine", times=2)
    async with client_at(scripted_model.base_url) as client:
        await client.complete(HELLO, purpose="answer", max_tokens=9)
        await client.complete(HELLO, purpose="answer", max_tokens=9)
    assert len(scripted_model.requests) == 4
    assert scripted_model.requests[-1]["max_completion_tokens"] == 9


async def test_text_that_no_json_can_carry_is_sent_all_the_same(scripted_model):
    scripted_model.say("ok")
    async with client_at(scripted_model.base_url) as client:
        await client.complete([{"role": "user", "content": "caf\udce9"}], purpose="answer")
    assert scripted_model.requests[0]["messages"][0]["content"] == "caf?"


async def test_many_calls_run_side_by_side(scripted_model):
    scripted_model.say(lambda request: request["messages"][-1]["content"].upper(), times=None, delay=0.2)
    async with client_at(scripted_model.base_url) as client:
        calls = [client.complete([{"role": "user", "content": f"q{n}"}], purpose="answer") for n in range(20)]
        answers = await asyncio.gather(*calls)
    assert [answer.text for answer in answers] == [f"Q{n}" for n in range(20)]


async def test_without_endpoint_and_weights_the_three_ways_on_are_named(tmp_path):
    config = AppConfig.model_validate({"embedded": {"folder": tmp_path}})
    client = await ModelClient.open(config)
    assert client.embedded
    assert client.describe() == "embedded qwen2.5-coder-1.5b"
    for call in (client.check(), client.complete(HELLO, purpose="answer")):
        with pytest.raises(ModelMissingError) as caught:
            await call
        for way in ("aura model pull", "OPENAI_API_KEY", "OPENAI_BASE_URL", "GGUF"):
            assert way in str(caught.value)


async def test_a_model_name_without_an_endpoint_is_a_missing_model(tmp_path):
    config = AppConfig.model_validate({"embedded": {"folder": tmp_path}, "llm": {"model": "gpt-x"}})
    with pytest.raises(ModelMissingError, match="no embedded model 'gpt-x'"):
        await (await ModelClient.open(config)).check()


async def test_opening_a_client_reaches_nothing(tmp_path):
    async with client_at(f"http://127.0.0.1:{refused_port()}/v1") as client:
        await client.check()
        assert not client.embedded
        assert client.describe() == "m at 127.0.0.1"
