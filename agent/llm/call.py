"""Call: one call of the model client on its way: attempts, the bound on its time, structured output and its repair."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import ModelError, ModelIncompleteError, ModelOutputError, ModelUnavailableError
from agent.llm import structured
from agent.llm.endpoint import CALL_ERRORS, Ask, Reply
from agent.llm.failures import EmptyAnswerError, UnaskedCallError, explain, wait_before_retry
from agent.llm.messages import Completion, Message
from agent.llm.routes import Route
from agent.llm.wire import CHARACTERS_PER_TOKEN
from agent.retrying import retry_context
from aura_core.ground.logger import get_logger

FIRST_WAIT, LONGEST_WAIT, JITTER = 0.5, 20.0, 0.5
EXPECTED_ANSWER = 256
SHOWN_TO_REPAIR = 6000
MILLION = 1_000_000


class Call:
    """What was asked, and what it has cost so far; `answer` may be called for one route after the other.

    Args:
        messages: the conversation.
        purpose: one word.
        schema: JSON Schema of the answer, or None.
        max_tokens: upper bound of the answer.
        on_text: takes pieces of the answer.
        attempts: how often one route is tried.
        prices: US dollars per million tokens read and written, by model.
    """

    def __init__(
        self,
        messages: list[Message],
        *,
        purpose: str,
        schema: dict[str, Any] | None,
        max_tokens: int | None,
        on_text: Callable[[str], None] | None,
        attempts: int,
        prices: Mapping[str, tuple[float, float]],
    ) -> None:
        self._messages = [{"role": item["role"], "content": _sendable(item["content"])} for item in messages]
        self._purpose = purpose
        self._schema = schema
        self._max_tokens = max_tokens
        self._on_text = on_text
        self._attempts = attempts
        self._prices = prices
        self._empty = 0
        self._last: Exception | None = None
        self._log = get_logger(__name__)
        self.heard = 0
        self.spent = Completion("")

    @property
    def estimate(self) -> int:
        """Tokens that the call will probably take."""
        read = sum(len(message["content"]) for message in self._messages) // CHARACTERS_PER_TOKEN
        return read + min(self._max_tokens or EXPECTED_ANSWER, EXPECTED_ANSWER)

    async def answer(self, route: Route, seconds: float) -> Completion:
        """The answer of one model.

        Args:
            route: the model.
            seconds: bound on the whole, from the moment the model takes the call; an embedded one gets more.

        Raises:
            ModelError: says why there is none.
        """
        ask = Ask(
            model=route.model,
            messages=self._messages,
            purpose=self._purpose,
            schema=self._schema,
            max_tokens=self._max_tokens or route.longest,
            on_text=self._hear if self._on_text else None,
        )
        seconds *= route.patience
        async with route.turn():
            bound = asyncio.timeout(seconds)
            try:
                async with bound:
                    return await self._finished(route, ask, time.monotonic() + seconds)
            except TimeoutError as error:
                if not bound.expired():
                    raise
                raise self._too_late(route, seconds) from error

    async def _finished(self, route: Route, ask: Ask, deadline: float) -> Completion:
        reply = await self._patient(route, ask, deadline)
        if self._schema is None:
            if reply.finish != "stop":
                raise self._incomplete(route, reply)
            return self._completion(route, reply, None)
        try:
            return self._completion(route, reply, self._value(route, reply))
        except structured.MisfitError as problem:
            return await self._repaired(route, ask, reply, problem, deadline)

    def _value(self, route: Route, reply: Reply) -> Any:
        """The JSON value of a reply; one that is closed and fits is whole, whatever bound the reply then ran into.

        Raises:
            MisfitError: there is none, and nothing but the model is to blame.
            ModelIncompleteError: the reply stopped before its end.
        """
        if reply.finish == "filter":
            raise self._incomplete(route, reply)
        try:
            return structured.parse(reply.text, self._schema or {})
        except structured.MisfitError as problem:
            if reply.finish == "length":
                raise self._incomplete(route, reply) from problem
            raise

    def _incomplete(self, route: Route, reply: Reply) -> ModelIncompleteError:
        """Says that a reply stopped before its end, why, and what to change; the one place where that is decided."""
        text = reply.text.strip()
        who = f"{route.model} at {route.place.host}"
        if reply.finish == "filter":
            return ModelIncompleteError(
                f"{who} was stopped by a filter, in the middle of its {self._purpose}. Word the request differently, "
                "or choose another model.",
                text,
            )
        if reply.thought and not text:
            return ModelIncompleteError(
                f"{who} used all the tokens that it may write for thinking, and wrote no {self._purpose}. Let it "
                "think less, or raise the bound of its answers, at that server; or choose a model that does not think.",
                text,
            )
        further = "" if self._max_tokens else ", or raise the bound of its answers at that server"
        return ModelIncompleteError(
            f"{who} was cut off after {reply.tokens_written} tokens, in the middle of its {self._purpose}. Ask for "
            f"less at once{further}.",
            text,
        )

    async def _repaired(
        self, route: Route, ask: Ask, reply: Reply, problem: structured.MisfitError, deadline: float
    ) -> Completion:
        """Shows the model its answer and what is wrong with it, once; the correction is not streamed."""
        schema = self._schema or {}
        said = {"role": "assistant", "content": reply.text[:SHOWN_TO_REPAIR]}
        correction = {"role": "user", "content": structured.repair_request(problem, schema)}
        again = Ask(
            model=ask.model,
            messages=[*ask.messages, said, correction],
            purpose=ask.purpose,
            schema=schema,
            max_tokens=ask.max_tokens,
        )
        self._log.info("a model's answer is repaired", purpose=self._purpose, model=route.model, problem=str(problem))
        second = await self._patient(route, again, deadline)
        try:
            return self._completion(route, second, self._value(route, second))
        except structured.MisfitError as error:
            raise ModelOutputError(
                f"{route.model} did not write what was asked for ({self._purpose}), not even when told what was wrong: "
                f"{route.place.clean(str(error))}"
            ) from error

    async def _patient(self, route: Route, ask: Ask, deadline: float) -> Reply:
        """One reply, after retries where waiting may help."""

        def hook(error: Exception) -> bool | float:
            return self._wait(route, error, deadline)

        attempts = retry_context(
            on=hook,
            attempts=self._attempts,
            timeout=None,
            wait_initial=FIRST_WAIT,
            wait_max=LONGEST_WAIT,
            wait_jitter=JITTER,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    reply = await route.ask(ask)
                    self._charge(route, reply)
                    return reply
        except CALL_ERRORS as error:
            raise self._explained(route, error) from error
        raise AssertionError  # pragma: no cover (stamina returns or raises)

    def _wait(self, route: Route, error: Exception, deadline: float) -> bool | float:
        """Stamina's hook: whether and how long to wait before the next attempt."""
        self._last = error
        if self.heard:
            return False
        if isinstance(error, EmptyAnswerError | UnaskedCallError):
            self._empty += 1
            return self._empty == 1 and not route.local
        wait = wait_before_retry(error)
        if wait is not False:
            self._log.info("a model call failed", purpose=self._purpose, model=route.model, kind=type(error).__name__)
        return False if not isinstance(wait, bool) and time.monotonic() + wait > deadline else wait

    def _hear(self, piece: str) -> None:
        self.heard += len(piece)
        if self._on_text is not None:
            self._on_text(piece)

    def _charge(self, route: Route, reply: Reply) -> None:
        read, written = self._prices.get(route.model, (0.0, 0.0))
        self.spent = Completion(
            text="",
            tokens_read=self.spent.tokens_read + reply.tokens_read,
            tokens_written=self.spent.tokens_written + reply.tokens_written,
            money=self.spent.money + (reply.tokens_read * read + reply.tokens_written * written) / MILLION,
        )

    def _completion(self, route: Route, reply: Reply, value: Any) -> Completion:
        return Completion(
            text=reply.text if self._schema is None else json.dumps(value, ensure_ascii=False),
            value=value,
            tokens_read=self.spent.tokens_read,
            tokens_written=self.spent.tokens_written,
            money=self.spent.money,
            model=route.model,
        )

    def _explained(self, route: Route, error: Exception) -> ModelError:
        known = explain(error, route.place)
        if not self.heard or not isinstance(known, ModelUnavailableError):
            return known
        return ModelUnavailableError(
            f"The answer of {route.model} at {route.place.host} broke off after {self.heard} characters: "
            f"{route.place.clean(str(error.__cause__ or error) or 'it did not say why')}"
        )

    def _too_late(self, route: Route, seconds: float) -> ModelUnavailableError:
        reason = ""
        if self._last is not None:
            with contextlib.suppress(ModelError):
                reason = f" Before that: {explain(self._last, route.place)}"
        return ModelUnavailableError(
            f"{route.model} at {route.place.host} did not finish within {seconds:.3g} seconds (llm.timeout).{reason}"
        )


def _sendable(text: str) -> str:
    """Text without lone surrogates, which a terminal or a damaged file may bring in and JSON cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
