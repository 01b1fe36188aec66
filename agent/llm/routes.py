"""Routes: which model a name means, where it is asked, and what to say when there is none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from agent.config import EMBEDDED_MODEL, AppConfig
from agent.errors import ModelMissingError, ModelRefusedError
from agent.llm.embedded import LONGEST_ANSWER, EmbeddedModel, runtime_installed
from agent.llm.endpoint import CALL_ERRORS, Ask, Dialect, Endpoint, Reply
from agent.llm.failures import Place, explain
from agent.llm.weights import MODELS, find_weights, is_path

LOCAL = "embedded:"
"""Before a name: the embedded model of that name, also where an endpoint is configured."""
NAMES_SHOWN = 10
LOCAL_PATIENCE = 4.0
"""How much longer than `llm.timeout` the embedded model may take: two cores read a full context in two minutes."""


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
        return LOCAL_PATIENCE if self.local else 1.0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Waits until this model may be asked: an embedded one is loaded first, and takes few calls at once."""
        if isinstance(self.server, Endpoint):
            yield
            return
        async with self.server.places:
            await self.server.started()
            yield

    async def ask(self, ask: Ask) -> Reply:
        """One request; see `Endpoint.ask`."""
        return await self.server.ask(ask)


class Routes:
    """Finds the route for a name, and owns what is at its end.

    Args:
        config: `llm` and `embedded` are read.
    """

    def __init__(self, config: AppConfig) -> None:
        self._config = config
        self._endpoint: Endpoint | None = None
        self._only: str | None = None
        self._local: dict[Path, EmbeddedModel] = {}

    def is_local(self, name: str | None) -> bool:
        """Whether the name (None: the configured model) means an embedded model."""
        settings = self._config.llm
        name = name or settings.model
        if name is not None and (name.startswith(LOCAL) or is_path(name)):
            return True
        return settings.base_url is None and settings.api_key is None

    def describe(self) -> str:
        """The configured model and where it is, for the person."""
        name = self._config.llm.model
        if self.is_local(name):
            return f"embedded {_label(name)}"
        return f"{name or self._only or 'the only model'} at {self._remote().host}"

    async def find(self, name: str | None) -> Route:
        """The route to a model.

        Args:
            name: None is the configured one.

        Raises:
            ModelMissingError: there is no such model here; names the ways on.
            ModelError: the endpoint had to be asked for its models, and failed.
        """
        name = name or self._config.llm.model
        if self.is_local(name):
            weights = await asyncio.to_thread(self.weights, name)
            label = _label(name)
            return Route(label, self._embedded(label, weights), Place(label, "the embedded model"), LONGEST_ANSWER)
        endpoint = self._remote()
        model = name or await self._only_model(endpoint)
        return Route(model, endpoint, endpoint.place(model))

    def weights(self, name: str | None) -> Path:
        """The weights of an embedded model, where everything it needs is there.

        Raises:
            ModelMissingError: runtime or weights are missing, or there is no such model; names the ways on.
        """
        label = _label(name)
        wanted = _bare(name)
        if not is_path(wanted) and wanted not in MODELS:
            raise ModelMissingError(
                f"There is no embedded model {label!r}, and no endpoint is configured that could have it. Three ways "
                f"on: choose an embedded one ({', '.join(MODELS)}); set OPENAI_API_KEY, or OPENAI_BASE_URL for another "
                "endpoint than OpenAI's; or set llm.model (AURA_MODEL) to the path of a GGUF file."
            )
        weights = find_weights(self._config, wanted)
        if weights is None:
            fetch = "aura model pull" if label == EMBEDDED_MODEL else f"aura model pull {label}"
            missing = f"{wanted} does not exist" if is_path(wanted) else f"the embedded model {label} is not here yet"
            raise ModelMissingError(
                f"There is no language model to ask: {missing}. Three ways on: run `{fetch}`; set OPENAI_API_KEY, or "
                "OPENAI_BASE_URL for another endpoint than OpenAI's; or set llm.model (AURA_MODEL) to the path of a "
                "GGUF file."
            )
        if not runtime_installed():
            raise ModelMissingError(
                "The embedded model needs its runtime, which is not installed. Three ways on: run `pip install "
                "'aura-assistant[local]'`, then `aura model pull`; set OPENAI_API_KEY, or OPENAI_BASE_URL for another "
                "endpoint than OpenAI's; or, with the runtime, set llm.model (AURA_MODEL) to the path of a GGUF file."
            )
        return weights

    async def close(self) -> None:
        """Ends embedded models and closes connections."""
        locals_, self._local = list(self._local.values()), {}
        endpoint, self._endpoint = self._endpoint, None
        for local in locals_:
            await local.close()
        if endpoint is not None:
            await endpoint.close()

    def _embedded(self, label: str, weights: Path) -> EmbeddedModel:
        if weights not in self._local:
            self._local[weights] = EmbeddedModel(
                label,
                weights,
                context=self._config.llm.context,
                threads=self._config.embedded.threads,
                timeout=self._config.llm.timeout * LOCAL_PATIENCE,
                saved=platformdirs.user_cache_path("aura") / "prompts",
            )
        return self._local[weights]

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
        if self._only is None:
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
            self._only = names[0]
        return self._only


def _bare(name: str | None) -> str:
    """The name without its prefix; the default for none."""
    return (name or EMBEDDED_MODEL).removeprefix(LOCAL)


def _label(name: str | None) -> str:
    """A short name for the person: a path's file name without its ending."""
    bare = _bare(name)
    return Path(bare).stem if is_path(bare) else bare
