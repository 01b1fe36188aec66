"""What model servers are known to answer: one table, over real HTTP, streamed and not, with a schema and not."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.config import AppConfig
from agent.errors import ModelContextError, ModelError, ModelIncompleteError, ModelOutputError, ModelRefusedError
from agent.errors import ModelUnavailableError as Unavailable
from agent.llm.client import Message, ModelClient
from tests.fixtures.scripted_llm import ScriptedModel, wants_schema

HELLO: list[Message] = [{"role": "system", "content": "You count."}, {"role": "user", "content": "Hello"}]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
TEXT, JSON_TEXT = "Rain on the `<roof>`.", '{"n": 7}'
DONE = "[DONE]"
PRIVATE = "PRIVATE {calculate} or [now] {'n': 1}"
"""A thought, with braces in it."""
Body = dict[str, Any] | list[Any]


def whole(finish: str | None = "stop", **message: Any) -> Body:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def event(finish: str | None = None, **delta: Any) -> Body:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@dataclass(frozen=True)
class Row:
    """What a server does.

    Attributes:
        server: which one, and what.
        body: its answer in one body, made of the words.
        events: the same as a stream; a text is sent as it stands.
        error: what the caller gets; None: the words.
        match: what the error says.
        requests: how many it takes, with two attempts.
        forms: how many it takes where JSON was asked for, since a refusal without a reason may be one of the form.
    """

    server: str
    body: Callable[[str], Body | str]
    events: Callable[[str], list[Body | str]]
    error: type[ModelError] | None = None
    match: str = ""
    requests: int = 1
    forms: int | None = None


def pieces(text: str, size: int = 5) -> list[Body | str]:
    return [event(content=text[start : start + size]) for start in range(0, len(text), size)]


def said(prefix: str, server: str) -> Row:
    """A server that leaves a thought in the text."""
    return Row(
        server,
        lambda words: whole(content=prefix + words),
        lambda words: [*pieces(prefix + words), event("stop"), DONE],
    )


def apart(name: str, server: str) -> Row:
    """A server that hands a thought over in a field of its own."""
    return Row(
        server,
        lambda words: whole(content=words, **{name: PRIVATE}),
        lambda words: [event(content=None, **{name: PRIVATE}), *pieces(words), event("stop"), DONE],
    )


def ends(finish: str | None, server: str, error: type[ModelError] | None, match: str = "", requests: int = 1) -> Row:
    """A server that gives half of the words, and this reason for the end; all of them where no error is expected."""

    def cut(words: str) -> str:
        return words if error is None else words[: len(words) // 2]

    return Row(
        server,
        lambda words: whole(finish, content=cut(words)),
        lambda words: [*pieces(cut(words)), event(finish), DONE],
        error,
        match,
        requests,
    )


def states(body: Body, server: str, error: type[ModelError], match: str, *requests: int) -> Row:
    """A server that states a failure with the status of success."""
    return Row(server, lambda _: body, lambda _: [body, DONE], error, match, *requests)


def unasked(_: str) -> Body:
    return whole("tool_calls", content=None, tool_calls=[{"id": "c", "type": "function", "function": CALL}])


CALL = {"name": "search", "arguments": "{}"}
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": PRIVATE}]}
TABLE = [
    # plain
    Row("OpenAI", lambda words: whole(content=words), lambda words: [*pieces(words), event("stop"), DONE]),
    Row(
        "OpenRouter, DeepSeek: comments and empty lines while it works",
        lambda words: "\n\n\n" + json.dumps(whole(content=words)),
        lambda words: [": OPENROUTER PROCESSING\n\n", *pieces(words), ": keep-alive\n\n", event("stop"), DONE],
    ),
    Row(
        "Azure: a first event without choices",
        lambda words: {**_map(whole(content=words)), "prompt_filter_results": [{"prompt_index": 0}]},
        lambda words: [{"choices": [], "prompt_filter_results": []}, *pieces(words), event("stop"), DONE],
    ),
    Row(
        "proxies that stream although nobody asked, or do not although somebody did",
        lambda words: "".join(f"data: {json.dumps(one)}\n\n" for one in pieces(words)) + f"data: {DONE}\n\n",
        lambda words: ["JSON", whole(content=words)],
    ),
    Row(
        "gateways: usage that is null or text",
        lambda words: {**_map(whole(content=words)), "usage": {"prompt_tokens": "many", "completion_tokens": None}},
        lambda words: [*pieces(words), {**_map(event("stop")), "usage": None}, DONE],
    ),
    Row(
        "servers that stream messages where deltas are meant",
        lambda words: whole(content=words),
        lambda words: [{"choices": [{"index": 0, "message": {"content": words}, "finish_reason": "stop"}]}, DONE],
    ),
    # thoughts
    apart("reasoning_content", "vLLM, llama.cpp, DeepSeek: thoughts in reasoning_content"),
    apart("reasoning", "Ollama, OpenRouter: thoughts in reasoning"),
    said(f"<think>\n{PRIVATE}\n</think>\n\n", "LM Studio, MiniMax M2: thoughts between marks"),
    said(f"{PRIVATE}\n</think>\n\n", "vLLM, SGLang without a parser: the opening mark stood in the prompt"),
    said(f"<thinking>{PRIVATE}</thinking>", "models told to think by a prompt"),
    said(f"<thought>{PRIVATE}</thought>", "Gemini with include_thoughts"),
    said(f"[THINK]{PRIVATE}[/THINK]", "Magistral as GGUF"),
    said(f"◁think▷{PRIVATE}◁/think▷", "Kimi-VL"),
    said(f"<seed:think>{PRIVATE}</seed:think>", "Seed-OSS"),
    said(f"<|START_THINKING|>{PRIVATE}<|END_THINKING|>", "Command A Reasoning"),
    said(
        f"<|channel|>analysis<|message|>{PRIVATE}<|end|><|start|>assistant<|channel|>final<|message|>",
        "gpt-oss without a parser",
    ),
    said("<think>\n\n</think>\n\n", "Qwen3 that was told not to think"),
    Row(
        "MiniMax M2: thinks again in between",
        lambda words: whole(content=f"<think>{PRIVATE}</think>{words}\n<think>{PRIVATE}</think>"),
        lambda words: [*pieces(f"<think>{PRIVATE}</think>{words}"), event("stop"), DONE],
    ),
    # parts
    Row(
        "Mistral: a list of parts, one of them a thought",
        lambda words: whole(content=[THINKING, {"type": "text", "text": words}, {"type": "surprise", "x": PRIVATE}]),
        lambda words: [
            event(content=[THINKING]),
            event(content=[{"type": "text", "text": words}]),
            event("stop"),
            DONE,
        ],
    ),
    Row(
        "gateways of Anthropic: parts, one with a signature",
        lambda words: whole(content=[{"type": "text", "text": words}], thinking_blocks=[{"thinking": PRIVATE}]),
        lambda words: [event(content=[{"type": "text", "text": words}]), event("end_turn"), DONE],
    ),
    # ends
    ends(None, "servers without a reason of the end", None),
    ends("", "servers with an empty reason of the end", None),
    ends("eos_token", "text-generation-inference: the end of sequence", None),
    ends("length", "OpenAI, Ollama: the bound", ModelIncompleteError, "cut off"),
    ends("max_tokens", "gateways of Anthropic: the bound", ModelIncompleteError, "cut off"),
    ends("model_length", "Mistral: the bound of the model", ModelIncompleteError, "cut off"),
    ends("content_filter", "OpenAI, Azure: a filter", ModelIncompleteError, "stopped by a filter"),
    ends("SAFETY", "Gemini: a filter", ModelIncompleteError, "stopped by a filter"),
    ends("sensitive", "GLM: a filter", ModelIncompleteError, "stopped by a filter"),
    Row(
        "a stream without an end",
        lambda words: whole("abort", content=words[:3]),
        lambda words: [*pieces(words)[:2]],
        Unavailable,
        "broke off",
        2,
    ),
    ends("insufficient_system_resource", "DeepSeek: out of resources", Unavailable, "broke off", 2),
    ends("error", "OpenRouter: the provider failed", Unavailable, "broke off", 2),
    Row(
        "thinking models: the bound was used up by thoughts, apart",
        lambda _: whole("length", content="", reasoning_content=PRIVATE),
        lambda _: [event(reasoning_content=PRIVATE), event("length"), DONE],
        ModelIncompleteError,
        "for thinking",
    ),
    Row(
        "thinking models: the bound was used up by thoughts, in the text",
        lambda _: whole("length", content=f"<think>{PRIVATE}"),
        lambda _: [*pieces(f"<think>{PRIVATE}"), event("length"), DONE],
        ModelIncompleteError,
        "for thinking",
    ),
    Row(
        "thinking models: cut off in a thought that nothing marks",
        lambda _: whole("length", content=PRIVATE),
        lambda _: [*pieces(PRIVATE), event("length"), DONE],
        ModelIncompleteError,
        "cut off",
    ),
    Row(
        "OpenAI: nothing at all",
        lambda _: whole(content=None),
        lambda _: [event(), event("stop"), DONE],
        ModelOutputError,
        "answered nothing",
        2,
    ),
    Row(
        "small models: tools that nobody offered",
        unasked,
        lambda _: [event(tool_calls=[{"index": 0, "function": CALL}]), event("tool_calls"), DONE],
        ModelOutputError,
        "call of a tool",
        2,
    ),
    Row(
        "OpenAI: a refusal in a field of its own",
        lambda words: whole(content=None, refusal=words),
        lambda words: [event(refusal=words), event("stop"), DONE],
    ),
    # failures with the status of success
    states({"error": {"code": 429, "message": "slow down"}}, "OpenRouter: too busy", Unavailable, "429.*slow down", 2),
    states({"error": {"code": 502, "message": "upstream"}}, "OpenRouter: upstream", Unavailable, "502.*upstream", 2),
    states({"error": {"code": 401, "message": "no auth"}}, "OpenRouter: key", ModelRefusedError, "OPENAI_API_KEY"),
    states({"error": "Model unloaded."}, "LM Studio: a text as error", Unavailable, "Model unloaded", 2),
    states(
        {"choices": [{"index": 0, "delta": {}, "error": {"code": 400, "message": "bad"}, "finish_reason": "error"}]},
        "OpenRouter: the error inside the choice",
        ModelRefusedError,
        "400.*bad",
        1,
        3,
    ),
    states(
        {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
        "MiniMax: no balance",
        ModelRefusedError,
        "no quota left.*insufficient balance",
    ),
    states(
        {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit reached"}},
        "MiniMax: too busy",
        Unavailable,
        "rate limit reached",
        2,
    ),
    states(
        {"code": 1214, "msg": "messages illegal, invalid", "success": False},
        "GLM: a code of its own",
        ModelRefusedError,
        "messages illegal",
        1,
        3,
    ),
    states(
        {"success": False, "errors": [{"code": 7003, "message": "no such model m"}], "result": None},
        "Workers AI: a list of errors",
        ModelRefusedError,
        "does not know the model",
    ),
    states(
        [{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}],
        "Gemini: the error in a list",
        Unavailable,
        "503.*overloaded",
        2,
    ),
    states({"detail": [{"loc": ["body"], "msg": "busy now"}]}, "FastAPI: a detail", Unavailable, "busy now", 2),
    states(
        {"object": "error", "message": "maximum context length is 512 tokens", "code": 40303},
        "FastChat: too long",
        ModelContextError,
        "longer than m can read",
    ),
]


def _map(body: Body) -> dict[str, Any]:
    assert isinstance(body, dict)
    return body


@contextlib.asynccontextmanager
async def client_at(server: ScriptedModel, **settings: Any) -> AsyncIterator[ModelClient]:
    llm = {"base_url": server.base_url, "api_key": "k-12345678", "model": "m", "attempts": 2, "timeout": 20, **settings}
    client = await ModelClient.open(AppConfig.model_validate({"llm": llm}))
    try:
        yield client
    finally:
        await client.close()


def serve(server: ScriptedModel, row: Row, words: str, *, streamed: bool) -> None:
    """Lets the server do what the row says, for ever."""
    if not streamed:
        body = row.body(words)
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/event-stream" if text.startswith("data:") else "application/json"
        server.reply_raw(text.encode(), times=None, content_type=kind)
        return
    events = row.events(words)
    if events[0] == "JSON":
        server.reply_raw(json.dumps(events[1]).encode(), times=None)
        return
    lines = [one if isinstance(one, str) and one.startswith(":") else f"data: {_sent(one)}\n\n" for one in events]
    server.reply_raw("".join(lines).encode(), times=None, content_type="text/event-stream")


def _sent(one: Body | str) -> str:
    return one if isinstance(one, str) else json.dumps(one)


@pytest.mark.parametrize("schema", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.server)
async def test_what_is_known_of_servers(scripted_model, monkeypatch, row: Row, streamed: bool, schema: bool):
    monkeypatch.setattr("agent.llm.call.FIRST_WAIT", 0.0)
    monkeypatch.setattr("agent.llm.call.JITTER", 0.0)
    words = JSON_TEXT if schema else TEXT
    serve(scripted_model, row, words, streamed=streamed)
    heard: list[str] = []
    error: ModelError | None = None
    done = None
    async with client_at(scripted_model) as client:
        try:
            done = await client.complete(
                HELLO,
                purpose="answer",
                schema=SCHEMA if schema else None,
                on_text=heard.append if streamed else None,
            )
        except ModelError as raised:
            error = raised
    assert "PRIVATE" not in "".join(heard)
    if row.error is None:
        assert error is None
        assert done is not None
        assert done.text.strip() == words
        assert done.value == (json.loads(words) if schema else None)
        assert not streamed or "".join(heard).strip() == words
    else:
        assert type(error) is row.error
        expected = (row.forms if schema else None) or row.requests
        assert len(scripted_model.requests) == (1 if heard else expected)  # what was heard is not said again
        with pytest.raises(row.error, match=row.match):
            raise error
        assert "PRIVATE" not in f"{error} {getattr(error, 'text', '')}"


def has(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda request: name in request


def roles(request: dict[str, Any]) -> list[str]:
    return [message["role"] for message in request["messages"]]


@dataclass(frozen=True)
class Refusal:
    """A form of request that a server refuses.

    Attributes:
        server: which one.
        refused: whether a request has that form.
        status: of the refusal.
        message: its words.
        requests: how many it takes until an answer comes, and once that is known.
    """

    server: str
    refused: Callable[[dict[str, Any]], bool]
    status: int
    message: str
    requests: tuple[int, int] = field(default=(2, 1))


REFUSALS = [
    Refusal("older servers: a schema", wants_schema, 400, "response_format json_schema is not supported"),
    Refusal("Ollama: no grammar can be made", wants_schema, 500, "failed to load model vocabulary required for format"),
    Refusal("llama.cpp: a schema it cannot read", wants_schema, 400, "failed to parse grammar"),
    Refusal("servers that fail at a schema without a word", wants_schema, 500, "internal error", (3, 2)),
    Refusal("LM Studio: no JSON mode", has("response_format"), 400, "'response_format.type' must be 'text'", (3, 1)),
    Refusal("Mistral's older models: an unknown field", has("response_format"), 422, "Extra inputs", (3, 1)),
    Refusal("templates: one system message, first", lambda r: "system" in roles(r)[1:], 500, "must be first", (1, 1)),
    Refusal("Gemma: no system message", lambda r: "system" in roles(r), 400, "System role not supported"),
    Refusal("newer OpenAI models: the bound's name", has("max_tokens"), 400, "Use 'max_completion_tokens' instead."),
    Refusal("newer OpenAI models: no temperature", has("temperature"), 400, "'temperature' does not support 0"),
]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.server)
async def test_a_form_that_a_server_refuses_is_left_out_from_then_on(scripted_model, monkeypatch, refusal, streamed):
    monkeypatch.setattr("agent.llm.call.FIRST_WAIT", 0.0)
    monkeypatch.setattr("agent.llm.call.JITTER", 0.0)
    scripted_model.fail(refusal.status, refusal.message, when=refusal.refused, times=None)
    scripted_model.say({"n": 7}, times=None)
    on_text = (lambda _: None) if streamed else None
    counts: list[int] = []
    async with client_at(scripted_model) as client:
        for _ in range(2):
            before = len(scripted_model.requests)
            done = await client.complete(HELLO, purpose="plan", schema=SCHEMA, max_tokens=50, on_text=on_text)
            counts.append(len(scripted_model.requests) - before)
            assert done.value == {"n": 7}
    assert tuple(counts) == refusal.requests


async def test_a_server_that_says_json_mode_is_on_is_asked_in_the_one_system_message(scripted_model):
    scripted_model.say({"n": 7})
    async with client_at(scripted_model, structured="json_object") as client:
        await client.complete(HELLO, purpose="plan", schema=SCHEMA)
    (request,) = scripted_model.requests
    assert roles(request) == ["system", "user"]
    assert request["messages"][0]["content"].startswith("You count.")


async def test_a_filter_of_the_request_is_no_question_of_form(scripted_model):
    scripted_model.fail(400, "The response was filtered", code="content_filter", times=None)
    async with client_at(scripted_model) as client:
        with pytest.raises(ModelRefusedError, match="was filtered"):
            await client.complete(HELLO, purpose="plan", schema=SCHEMA)
    assert len(scripted_model.requests) == 1


async def test_a_model_that_thinks_gets_room_for_it_beside_our_bound(scripted_model):
    """Of 50 tokens nothing is left for the answer, so the model gets more, also in the next call."""

    def answer(request: dict[str, Any]) -> bytes:
        return json.dumps(
            whole("length", content="", reasoning_content=PRIVATE)
            if request["max_tokens"] < 1000
            else whole(content="Rain.", reasoning_content=PRIVATE)
        ).encode()

    scripted_model.reply_raw(answer({"max_tokens": 50}), when=lambda request: request["max_tokens"] < 1000, times=None)
    scripted_model.reply_raw(answer({"max_tokens": 9000}), times=None)
    async with client_at(scripted_model) as client:
        for _ in range(2):
            assert (await client.complete(HELLO, purpose="memory", max_tokens=50)).text == "Rain."
    assert len(scripted_model.requests) == 3


async def test_json_that_is_closed_is_whole_although_the_bound_was_reached(scripted_model):
    scripted_model.say('{"n": 7}\n\n\n\n\n\n', finish="length")
    async with client_at(scripted_model) as client:
        assert (await client.complete(HELLO, purpose="plan", schema=SCHEMA)).value == {"n": 7}


async def test_json_that_a_filter_stopped_is_not(scripted_model):
    scripted_model.say('{"n": 7}', finish="content_filter")
    async with client_at(scripted_model) as client:
        with pytest.raises(ModelIncompleteError, match="filter"):
            await client.complete(HELLO, purpose="plan", schema=SCHEMA)


async def test_only_the_first_answer_of_a_model_is_held_back(scripted_model):
    """It might be a thought; once it is known not to be one, the next is heard while it is written."""
    heard: list[list[str]] = [[], []]
    scripted_model.say("one two three four five", piece=4, times=2)
    async with client_at(scripted_model) as client:
        for pieces_heard in heard:
            await client.complete(HELLO, purpose="answer", on_text=pieces_heard.append)
    assert [len(one) for one in heard] == [1, 6]


async def test_a_model_whose_thoughts_begin_in_the_prompt_is_held_back_to_their_end_each_time(scripted_model):
    heard: list[str] = []
    scripted_model.say(f"{PRIVATE}\n</think>\none two three four", piece=4, times=2)
    async with client_at(scripted_model) as client:
        await client.complete(HELLO, purpose="answer")
        await client.complete(HELLO, purpose="answer", on_text=heard.append)
    assert "".join(heard) == "one two three four"
    assert len(heard) > 3
