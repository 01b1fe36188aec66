"""Endpoint: one OpenAI-compatible server; one call is one HTTP request, plus what must be learnt of its dialect."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import openai

from agent.llm import structured
from agent.llm.bounded import bounded_client
from agent.llm.dialect import Dialect, less_structured, sendable, simplified
from agent.llm.failures import BrokenOffError, EmptyAnswerError, ForeignAnswerError, Place, UnaskedCallError
from agent.llm.stated import StatedError, from_sdk
from agent.llm.wire import CHARACTERS_PER_TOKEN, END_MARK, Answer, AnswerReader, Finish
from aura_core.ground.secrets import hold

DIALECT_STEPS = 6
ROOM_TO_THINK = 8192
"""Tokens by which a bound is raised for a model that thinks before it speaks: what it thinks counts as written."""
CALL_ERRORS = (openai.OpenAIError, StatedError, BrokenOffError, ForeignAnswerError, EmptyAnswerError, UnaskedCallError)
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
        finish: why the model stopped.
        thought: whether it thought before it spoke.
    """

    text: str
    tokens_read: int
    tokens_written: int
    tokens_cached: int
    finish: Finish
    thought: bool


class _Events(openai.AsyncStream[object]):
    """The events of an answer as JSON, and whether the end mark was among them."""

    ended = False

    async def _iter_events(self) -> AsyncIterator[Any]:
        async for event in super()._iter_events():
            self.ended = self.ended or event.data.startswith(END_MARK)
            yield event


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
        hold([api_key or ""])
        self._first = dialect or Dialect(unopened=False if embedded else None)
        self._embedded = embedded
        self._dialects: dict[str, Dialect] = {}
        self._stumbles: dict[tuple[str, str], int] = {}
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
        return Place(model, "the embedded model" if self._embedded else self.host)

    async def models(self) -> list[str]:
        """Names of the models that the endpoint has."""
        try:
            return [model.id async for model in self._client.models.list()]
        except openai.APIStatusError as error:
            raise from_sdk(error) from error

    async def ask(self, ask: Ask) -> Reply:
        """One answer. A refusal that is about dialect is learnt from and asked around.

        Raises:
            openai.OpenAIError, StatedError, BrokenOffError, ForeignAnswerError, EmptyAnswerError, UnaskedCallError:
                see `failures.explain`.
        """
        dialect = self._dialects.get(ask.model, self._first)
        read, written, form = 0, 0, dialect.structured
        for _ in range(DIALECT_STEPS):
            try:
                answer = await self._request(ask, dialect)
            except StatedError as error:
                simpler = simplified(dialect, error, structured_wanted=ask.schema is not None)
                form = form if simpler is None else simpler.structured
                if simpler is None and ask.schema is not None and self._stumbles_again(ask, dialect, error):
                    simpler = less_structured(dialect)
                if simpler is None:
                    raise
                dialect = simpler
                continue
            self._stumbles.pop((ask.model, dialect.structured), None)
            read, written = read + answer.tokens_read, written + answer.tokens_written
            learnt = dataclasses.replace(dialect, unopened=answer.unopened, structured=form)
            if _thought_too_long(ask, answer, dialect):
                dialect = dataclasses.replace(learnt, room=ROOM_TO_THINK, structured=dialect.structured)
                continue
            self._dialects[ask.model] = learnt
            return _reply(ask, answer, read, written)
        raise ForeignAnswerError(f"it refused {DIALECT_STEPS} forms of the same request")

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.close()

    def _stumbles_again(self, ask: Ask, dialect: Dialect, error: StatedError) -> bool:
        """Whether a server failed for the second time in a row on the same form: then the form may be why.

        A simpler one is then tried for this call, and not kept: the server may just have had a bad minute.
        """
        if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            return False
        place = (ask.model, dialect.structured)
        self._stumbles[place] = self._stumbles.get(place, 0) + 1
        return self._stumbles[place] > 1

    async def _request(self, ask: Ask, dialect: Dialect) -> Answer:
        """One request, in one form.

        Raises:
            StatedError: the server says that it does not answer, by its status or in its words.
        """
        reader = AnswerReader(unopened=dialect.unopened, json=ask.schema is not None, on_text=ask.on_text)
        fields = self._fields(ask, dialect)
        try:
            if ask.on_text is None:
                return reader.whole(await self._client.post("/chat/completions", cast_to=object, body=fields))
            return await self._streamed(reader, fields)
        except (json.JSONDecodeError, UnicodeDecodeError, openai.APIResponseValidationError) as error:
            raise ForeignAnswerError(str(error)) from error
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, ForeignAnswerError):
                raise error.__cause__ from error
            raise
        except openai.APIError as error:
            raise from_sdk(error) from error

    async def _streamed(self, reader: AnswerReader, fields: dict[str, Any]) -> Answer:
        """Reads a stream to its end, also behind a failure that it states: whoever leaves it early leaves it open."""
        stream = await self._client.post(
            "/chat/completions",
            cast_to=object,
            body=fields,
            options={"stream_mode": "events"},
            stream=True,
            stream_cls=_Events,
        )
        failure: StatedError | ForeignAnswerError | None = None
        async with stream:
            if "json" in stream.response.headers.get("content-type", ""):
                return reader.whole(json.loads(await stream.response.aread()))
            async for event in stream:
                try:
                    if failure is None:
                        reader.take(event)
                except (StatedError, ForeignAnswerError) as error:
                    failure = error
        if failure is not None:
            raise failure
        return reader.end(marked=stream.ended)

    def _fields(self, ask: Ask, dialect: Dialect) -> dict[str, Any]:
        fields: dict[str, Any] = {"model": ask.model}
        if dialect.temperature:
            fields["temperature"] = 0
        if ask.max_tokens is not None:
            fields[dialect.limit] = ask.max_tokens + dialect.room
        if ask.on_text is not None:
            fields |= {"stream": True}
            if dialect.stream_usage:
                fields["stream_options"] = {"include_usage": True}
        told = ""
        if ask.schema is not None:
            fields |= structured.request_fields(ask.schema, ask.purpose, dialect.structured, embedded=self._embedded)
            if dialect.structured != "json_schema" and not self._embedded:
                told = structured.instruction(ask.schema)
        return {**fields, "messages": sendable(ask.messages, told, system=dialect.system)}


def _thought_too_long(ask: Ask, answer: Answer, dialect: Dialect) -> bool:
    """Whether the bound that we set was used up before anything was said: by thoughts, or by what may be some."""
    nothing_said = answer.finish == "length" and not answer.text.strip()
    return nothing_said and ask.max_tokens is not None and not dialect.room


def _reply(ask: Ask, answer: Answer, read: int, written: int) -> Reply:
    if not read:
        read = sum(len(message["content"]) for message in ask.messages) // CHARACTERS_PER_TOKEN
    return Reply(answer.text, read, written, answer.tokens_cached, answer.finish, answer.thought)
