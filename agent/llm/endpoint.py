"""Endpoint: one OpenAI-compatible server; one call is one HTTP request, plus what must be learnt of its dialect."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion_chunk import ChoiceDelta

from agent.llm import structured
from agent.llm.bounded import bounded_client
from agent.llm.failures import BrokenOffError, EmptyAnswerError, ForeignAnswerError, Place, is_too_long

DIALECT_STEPS = 5
CHARACTERS_PER_TOKEN = 4
CALL_ERRORS = (openai.OpenAIError, BrokenOffError, ForeignAnswerError, EmptyAnswerError)
"""Everything that `Endpoint.ask` raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to one model.

    Attributes:
        model: its name at the endpoint.
        messages: role and content.
        purpose: names the schema, and the call in logs.
        schema: JSON Schema of the answer, or None for text.
        max_tokens: upper bound of the answer, in tokens.
        on_text: takes pieces of the answer while it is written.
    """

    model: str
    messages: list[dict[str, str]]
    purpose: str
    schema: dict[str, Any] | None = None
    max_tokens: int | None = None
    on_text: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        text: the answer.
        tokens_read: of the prompt; estimated where the endpoint does not say.
        tokens_written: of the answer; estimated likewise.
        tokens_cached: of those read, how many the endpoint had ready.
        finish_reason: why the model stopped: "stop", "length", …
    """

    text: str
    tokens_read: int
    tokens_written: int
    tokens_cached: int
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a model at an endpoint understands; learnt from its refusals and kept per model."""

    structured: structured.Mode = "json_schema"
    limit: str = "max_tokens"
    temperature: bool = True
    stream_usage: bool = True


class Endpoint:
    """An OpenAI-compatible server.

    Args:
        base_url: its address; None is OpenAI's.
        api_key: None where the server needs none.
        timeout: seconds without a byte after which a request is given up.
        dialect: what to try first.
        embedded: it is our own server: no proxy on the way, and its decoder takes a grammar.
        headers: sent with every request.
    """

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        *,
        timeout: float,
        dialect: Dialect | None = None,
        embedded: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._key = api_key or ""
        self._first = dialect or Dialect()
        self._embedded = embedded
        self._dialects: dict[str, Dialect] = {}
        self._client = openai.AsyncOpenAI(
            base_url=base_url or "https://api.openai.com/v1",
            api_key=api_key or "none",
            max_retries=0,
            timeout=timeout,
            http_client=bounded_client(timeout=timeout, trust_env=not embedded),
            default_headers=headers,
        )
        self.host = urlsplit(str(self._client.base_url)).hostname or "?"

    def place(self, model: str) -> Place:
        """For messages about a call of `model`."""
        return Place(model, "the embedded model" if self._embedded else self.host, self._key)

    async def models(self) -> list[str]:
        """Names of the models that the endpoint has."""
        return [model.id async for model in self._client.models.list()]

    async def ask(self, ask: Ask) -> Reply:
        """One answer. A refusal that is about dialect is learnt from and asked around.

        Raises:
            openai.OpenAIError, BrokenOffError, ForeignAnswerError, EmptyAnswerError: see `failures.explain`.
        """
        dialect = self._dialects.get(ask.model, self._first)
        for _ in range(DIALECT_STEPS):
            try:
                reply = await self._request(ask, dialect)
            except openai.APIStatusError as error:
                simpler = simplified(dialect, error, structured_wanted=ask.schema is not None)
                if simpler is None:
                    raise
                dialect = simpler
                continue
            self._dialects[ask.model] = dialect
            return reply
        raise ForeignAnswerError(f"it refused {DIALECT_STEPS} forms of the same request")

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.close()

    async def _request(self, ask: Ask, dialect: Dialect) -> Reply:
        fields = self._fields(ask, dialect)
        try:
            if ask.on_text is not None:
                return await self._streamed(ask, ask.on_text, fields, dialect)
            answer = cast("object", await self._client.chat.completions.create(**fields, stream=False))
        except (json.JSONDecodeError, UnicodeDecodeError, openai.APIResponseValidationError) as error:
            raise ForeignAnswerError(str(error)) from error
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, ForeignAnswerError):
                raise error.__cause__ from error
            raise
        if not isinstance(answer, ChatCompletion) or not answer.choices:
            raise ForeignAnswerError("the answer has no choices")
        choice = answer.choices[0]
        return _reply(ask, _text_of(choice.message), answer.usage, choice.finish_reason)

    async def _streamed(
        self, ask: Ask, on_text: Callable[[str], None], fields: dict[str, Any], dialect: Dialect
    ) -> Reply:
        if dialect.stream_usage:
            fields["stream_options"] = {"include_usage": True}
        pieces: list[str] = []
        finish: str | None = None
        usage: CompletionUsage | None = None
        async with await self._client.chat.completions.create(**fields, stream=True) as stream:
            async for untyped in stream:
                chunk = cast("object", untyped)
                if not isinstance(chunk, ChatCompletionChunk):
                    raise ForeignAnswerError("a piece of the stream is not a chat completion")
                usage = chunk.usage or usage
                for choice in (chunk.choices or [])[:1]:
                    finish = choice.finish_reason or finish
                    if piece := _text_of(choice.delta):
                        pieces.append(piece)
                        on_text(piece)
        if finish is None:
            raise BrokenOffError("the stream ended without saying why")
        return _reply(ask, "".join(pieces), usage, finish)

    def _fields(self, ask: Ask, dialect: Dialect) -> dict[str, Any]:
        messages = ask.messages
        fields: dict[str, Any] = {"model": ask.model}
        if dialect.temperature:
            fields["temperature"] = 0
        if ask.max_tokens is not None:
            fields[dialect.limit] = ask.max_tokens
        if ask.schema is not None:
            fields |= structured.request_fields(ask.schema, ask.purpose, dialect.structured, embedded=self._embedded)
            if dialect.structured != "json_schema" and not self._embedded:
                messages = [*messages, {"role": "system", "content": structured.instruction(ask.schema)}]
        return {**fields, "messages": messages}


def simplified(dialect: Dialect, error: openai.APIStatusError, *, structured_wanted: bool) -> Dialect | None:
    """The dialect to try next after a refusal; None if the refusal is about something else."""
    if error.status_code not in (400, 404, 422, 501) or is_too_long(error):
        return None
    said = f"{error.message} {error.param or ''}".lower()
    if "max_completion_tokens" in said and dialect.limit == "max_tokens":
        return dataclasses.replace(dialect, limit="max_completion_tokens")
    if "temperature" in said and dialect.temperature:
        return dataclasses.replace(dialect, temperature=False)
    if "stream_options" in said and dialect.stream_usage:
        return dataclasses.replace(dialect, stream_usage=False)
    about_format = any(word in said for word in ("response_format", "json_schema", "json schema", "json_object"))
    if structured_wanted and dialect.structured != "plain" and (about_format or error.status_code in (400, 422)):
        return dataclasses.replace(
            dialect, structured="json_object" if dialect.structured == "json_schema" else "plain"
        )
    return None


def _text_of(part: ChatCompletionMessage | ChoiceDelta | None) -> str:
    """The words of a message or a piece; a refusal's words are the answer too."""
    text: object = getattr(part, "content", None) or getattr(part, "refusal", None) or ""
    if not isinstance(text, str):
        raise ForeignAnswerError("the answer's content is not text")
    return text


def _reply(ask: Ask, text: str, usage: CompletionUsage | None, finish: str | None) -> Reply:
    if not text.strip() and finish != "length":
        raise EmptyAnswerError
    read, written = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    if not read:
        read = sum(len(message["content"]) for message in ask.messages) // CHARACTERS_PER_TOKEN
    details = usage.prompt_tokens_details if usage else None
    cached = (details.cached_tokens if details else 0) or 0
    return Reply(text, read, written or -(-len(text) // CHARACTERS_PER_TOKEN), cached, finish or "stop")
