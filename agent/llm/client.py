"""ModelClient: the one way to a language model, embedded or at any OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from agent.config import AppConfig
from agent.errors import ModelError, ModelUnavailableError
from agent.llm import choice
from agent.llm.embedded import EmbeddedModels, Progress
from agent.llm.messages import Completion, Message
from agent.llm.meter import Meter
from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from agent.llm.call import Call
    from agent.llm.routes import Routes

__all__ = ["Completion", "Message", "ModelClient"]


class ModelClient:
    """Make one with `open`, close it with `close`; any number of calls may run side by side."""

    def __init__(self, config: AppConfig) -> None:
        self._config = config
        self._embedded = EmbeddedModels(config)
        self._log = get_logger(__name__)
        self._tracer = trace.get_tracer("aura.llm")

    @classmethod
    async def open(cls, config: AppConfig) -> ModelClient:
        """A client for this configuration. Nothing is loaded or connected before the first call."""
        return cls(config)

    @classmethod
    @asynccontextmanager
    async def loading(cls, config: AppConfig, model: str | None) -> AsyncGenerator[ModelClient]:
        """A client for the block, whose embedded model loads its weights from before the block on.

        A program opens its client so before it imports the rest of itself. What goes wrong is told by the call that
        needs the model.

        Args:
            config: the configuration.
            model: the model, as a profile names it; None is the configured one. One at an endpoint needs no loading.
        """
        client = cls(config)
        try:
            work = await client._load(model)
            try:
                yield client
            finally:
                if work is not None:
                    work.cancel()
                    await asyncio.gather(work, return_exceptions=True)
        finally:
            await client.close()

    async def _load(self, name: str | None) -> asyncio.Task[object] | None:
        """Begins to load a model; the task connects to it."""
        if not self.is_embedded(name):
            return None
        try:
            model = await self._embedded.find(name)
            await model.spawn()
        except (ModelError, OSError) as error:
            self._log.debug("the model is not loaded ahead", error=str(error))
            return None
        return asyncio.create_task(model.started())

    @cached_property
    def _routes(self) -> Routes:
        """The ways to models; the SDK beneath takes half a second to import, which commands without a model save."""
        from agent.llm.routes import Routes  # noqa: PLC0415

        return Routes(self._config, self._embedded)

    @property
    def embedded(self) -> bool:
        """Whether calls go to the embedded model unless they name another."""
        return self.is_embedded(None)

    def describe(self) -> str:
        """For the person: "embedded qwen2.5-coder-1.5b" or "gpt-x at host"."""
        name = self._config.llm.model
        if self.embedded:
            return f"embedded {choice.label(name)}"
        name = name or ("_routes" in self.__dict__ and self._routes.only)
        return f"{name or 'the only model'} at {choice.host(self._config.llm)}"

    async def check(self) -> None:
        """Looks whether there is any model to ask, without asking it.

        Raises:
            ModelMissingError: neither an endpoint nor weights; names the three ways on.
        """
        if self.embedded:
            await asyncio.to_thread(choice.weights_of, self._config, self._config.llm.model)

    def is_embedded(self, model: str | None) -> bool:
        """Whether a model, as a profile names it, is an embedded one; None is the configured one."""
        return choice.is_local(self._config.llm, model)

    async def prepare(self, system: str, *, purpose: str, model: str | None, report: Progress) -> None:
        """Has an embedded model read a system prompt before anybody asks; see `EmbeddedModel.prepare`.

        Args:
            system: the system prompt, letter by letter as `complete` will send it.
            purpose: of the calls that will send it.
            model: another model than the configured one; one at an endpoint needs nothing.
            report: learns how much of it is read, from 0 to 1.

        Raises:
            ModelError: the model is not here or cannot be loaded; says why.
        """
        if self.is_embedded(model):
            await (await self._embedded.find(model)).prepare(purpose, system, report)
        await asyncio.to_thread(importlib.import_module, "agent.llm.call")  # the SDK beneath: half a second

    async def complete(
        self,
        messages: list[Message],
        *,
        purpose: str,
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        model: str | None = None,
        meter: Meter | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> Completion:
        """One answer, after retries, fallback models, and with a schema at most one repair.

        Args:
            messages: the conversation, its stable part first.
            purpose: what it is for, one word: names it in logs, and the schema.
            schema: JSON Schema of the answer; the parsed value is in `Completion.value`.
            max_tokens: upper bound of the answer, in tokens.
            model: another model than the configured one.
            meter: whose budget pays.
            on_text: takes the answer's pieces while it is written; once it has one, nothing is tried again.

        Raises:
            ModelIncompleteError: the answer stopped before its end; never returned as a completion.
            ModelError: the subclass says why; nothing else is raised for what a model or an endpoint does.
        """
        from agent.llm.call import Call  # noqa: PLC0415 (see `_routes`)

        settings = self._config.llm
        call = Call(
            messages,
            purpose=purpose,
            schema=schema,
            max_tokens=max_tokens,
            on_text=on_text,
            attempts=settings.attempts,
            prices=settings.prices,
        )
        started = time.monotonic()
        with (
            self._tracer.start_as_current_span(f"chat {purpose}") as span,
            meter.reserved(call.estimate) if meter else contextlib.nullcontext(),
        ):
            try:
                completion = await self._answer(call, [model, *settings.fallback_models])
            finally:
                spent = replace(call.spent, seconds=time.monotonic() - started)
                if meter and spent.tokens_read:
                    meter.charge(spent)
            span.set_attributes(_attributes(completion))
        self._log.debug("model call", purpose=purpose, **_attributes(completion))
        return replace(completion, seconds=spent.seconds)

    async def close(self) -> None:
        """Ends the embedded model and closes connections."""
        if "_routes" in self.__dict__:
            await self._routes.close()
        await self._embedded.close()

    async def _answer(self, call: Call, names: list[str | None]) -> Completion:
        """The first model of the list that is there; those that wait share the time of one call."""
        seconds = self._config.llm.timeout
        for position, name in enumerate(names):
            left = len(names) - position
            started = time.monotonic()
            try:
                return await call.answer(await self._routes.find(name), seconds / left)
            except ModelUnavailableError as error:
                if left == 1 or call.heard:
                    raise
                self._log.warning("a model is unavailable; the next one is asked", error=str(error))
            seconds -= min(time.monotonic() - started, seconds / left)
        raise AssertionError  # pragma: no cover (the last one returns or raises)


def _attributes(completion: Completion) -> dict[str, str | int | float]:
    """The GenAI conventions of OpenTelemetry."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": completion.model,
        "gen_ai.usage.input_tokens": completion.tokens_read,
        "gen_ai.usage.output_tokens": completion.tokens_written,
    }
