"""Routes: where a model is asked, and how long that may take."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from agent.config import AppConfig
from agent.errors import ModelRefusedError
from agent.llm import choice
from agent.llm.dialect import Dialect
from agent.llm.embedded import LONGEST_ANSWER, PATIENCE, EmbeddedModel, EmbeddedModels
from agent.llm.endpoint import CALL_ERRORS, Ask, Endpoint, Reply
from agent.llm.failures import Place, explain

NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Route:
    """One model and the way to it.

    Attributes:
        model: its name, for prices, logs and messages.
        server: who is asked.
        place: for error messages.
        longest: tokens of an answer when the caller names no bound; None leaves it to the endpoint.
    """

    model: str
    server: Endpoint | EmbeddedModel
    place: Place
    longest: int | None = field(default=None)

    @property
    def local(self) -> bool:
        """Whether it is the embedded model."""
        return isinstance(self.server, EmbeddedModel)

    @property
    def patience(self) -> float:
        """What `llm.timeout` is multiplied with."""
        return PATIENCE if self.local else 1.0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Waits until this model may be asked: an embedded one is loaded first, and takes few calls at once."""
        if isinstance(self.server, Endpoint):
            yield
            return
        async with self.server.places.call():
            await self.server.started()
            yield

    async def ask(self, ask: Ask) -> Reply:
        """One request; see `Endpoint.ask`."""
        return await self.server.ask(ask)


class Routes:
    """Finds the route for a name, and owns the connection to the endpoint.

    Args:
        config: `llm` is read.
        embedded: the embedded models.
    """

    def __init__(self, config: AppConfig, embedded: EmbeddedModels) -> None:
        self._config = config
        self._embedded = embedded
        self._endpoint: Endpoint | None = None
        self.only: str | None = None
        """The endpoint's one model, once it was asked for its models because none is configured."""

    async def find(self, name: str | None) -> Route:
        """The route to a model.

        Args:
            name: None is the configured one.

        Raises:
            ModelMissingError: there is no such model here; names the ways on.
            ModelError: the endpoint had to be asked for its models, and failed.
        """
        name = name or self._config.llm.model
        if choice.is_local(self._config.llm, name):
            server, label = await self._embedded.find(name), choice.label(name)
            return Route(label, server, Place(label, "the embedded model"), LONGEST_ANSWER)
        endpoint = self._remote()
        model = name or await self._only_model(endpoint)
        return Route(model, endpoint, endpoint.place(model))

    async def close(self) -> None:
        """Closes connections."""
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            await endpoint.close()

    def _remote(self) -> Endpoint:
        if self._endpoint is None:
            settings = self._config.llm
            wanted = settings.structured
            self._endpoint = Endpoint(
                settings.base_url,
                settings.api_key.get_secret_value() if settings.api_key else None,
                timeout=settings.timeout,
                dialect=Dialect(structured="json_schema" if wanted == "auto" else wanted),
            )
        return self._endpoint

    async def _only_model(self, endpoint: Endpoint) -> str:
        """The endpoint's model, when it has exactly one and none is configured."""
        if self.only is None:
            try:
                async with asyncio.timeout(self._config.llm.timeout):
                    names = await endpoint.models()
            except (*CALL_ERRORS, TimeoutError) as error:
                raise explain(error, endpoint.place("(none named)")) from error
            if len(names) != 1:
                shown = ", ".join(names[:NAMES_SHOWN]) + (" …" if len(names) > NAMES_SHOWN else "")
                raise ModelRefusedError(
                    f"{endpoint.host} has {len(names)} models; name one with AURA_MODEL (llm.model)."
                    + (f" It has: {shown}" if shown else "")
                )
            self.only = names[0]
        return self.only
