"""EmbeddedModel: one embedded model, loaded when it is first needed or sooner, asked, made ready, ended."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from agent.errors import ModelMissingError
from agent.llm import choice, machine
from agent.llm.embedded_process import ModelProcess
from agent.llm.places import Places
from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from agent.config import AppConfig
    from agent.llm.endpoint import Ask, Endpoint, Reply
    from agent.llm.prompt_cache import PromptCache

MOST_THREADS = 8
AT_ONCE = 2
SLOTS = 3
LOOKS, BETWEEN_LOOKS = 10, 0.1
"""How often, and after how many seconds each, a call looks whether one that was left has ended."""
CACHE_MIB = 1024
LONGEST_ANSWER = 2048
SMALL_MACHINE = 3 * 2**30
"""Bytes of main memory below which one call at a time must do: what two calls read and write takes 0.5 GB."""
PATIENCE = 4.0
"""How much longer than `llm.timeout` an embedded model may take: two cores read a full context in two minutes."""
Progress = Callable[[float], None]
"""Takes how much is done, from 0 to 1."""


class EmbeddedModel:
    """One model in a process of its own.

    Args:
        name: for messages.
        weights: the GGUF file.
        context: tokens that one call may read and write.
        threads: None is the machine's cores, at most 8.
        timeout: seconds without a byte after which a call is given up.
        saved: folder for the states of long prompts, so that the next program starts warm; None keeps none.
    """

    def __init__(
        self, name: str, weights: Path, *, context: int, threads: int | None, timeout: float, saved: Path | None
    ) -> None:
        self.name = name
        self._weights = weights
        self._context = context
        self._threads = threads or min(MOST_THREADS, machine.cores())
        self._timeout = timeout
        self._saved = saved
        small = (machine.memory() or SMALL_MACHINE) < SMALL_MACHINE
        self._at_once = 1 if small else AT_ONCE
        self._cache_mib = CACHE_MIB // 8 if small else CACHE_MIB
        self._starting = asyncio.Lock()
        self._process: ModelProcess | None = None
        self._endpoint: Endpoint | None = None
        self._cache: PromptCache | None = None
        self._left = False
        self._log = get_logger(__name__)
        self.places = Places(self._at_once)
        """What a call holds while it runs: so many fit side by side, more would only slow each other down."""

    @property
    def context(self) -> int:
        """Tokens that one call may read and write."""
        return self._context

    async def ask(self, ask: Ask) -> Reply:
        """One answer; the first call loads the weights.

        Raises:
            ModelUnavailableError: the process cannot be started or has ended.
            openai.OpenAIError and the errors of `failures`: see there.
        """
        endpoint = await self.started()
        await self._free_again()
        try:
            reply = await endpoint.ask(ask)
        except BaseException:
            self._left = True
            raise
        if self._cache is not None:
            self._cache.remember(ask.purpose, ask.messages, fresh=reply.tokens_read - reply.tokens_cached)
        return reply

    async def _free_again(self) -> None:
        """Waits until a call that was left has ended in the server: one beside it would read everything anew."""
        if not self._left or self._cache is None:
            return
        self._left = False
        for _ in range(LOOKS):
            if not await self._cache.busy():
                return
            await asyncio.sleep(BETWEEN_LOOKS)

    async def prepare(self, purpose: str, system: str, report: Progress) -> None:
        """Loads the weights and reads a system prompt before anybody asks; calls that come meanwhile go first.

        What was read when a call comes is not read again by it. A prompt that a state is kept of is not read at all.

        Args:
            purpose: what calls with this prompt are for; names the state.
            system: the system prompt, letter by letter as calls will send it.
            report: learns how much of it is read.

        Raises:
            ModelUnavailableError: the process cannot be started.
        """
        await self.started()
        if self._cache is not None:
            await self._cache.read(purpose, system, report)

    async def started(self) -> Endpoint:
        """The endpoint, ready; loads the weights if need be, once.

        Raises:
            ModelUnavailableError: says what the runtime said.
        """
        async with self._starting:
            process = await self._spawned()
            if self._endpoint is None:
                self._endpoint = await self._connected(process)
            return self._endpoint

    async def spawn(self) -> None:
        """Starts the process, which then loads the weights; does not wait for that.

        Raises:
            ModelMissingError: the runtime is not installed.
        """
        async with self._starting:
            await self._spawned()

    async def close(self) -> None:
        """Ends the process; waits until it is gone."""
        if self._cache is not None:
            await self._cache.close()
        if self._endpoint is not None:
            await self._endpoint.close()
        if self._process is not None:
            await self._process.end()
        self._process = self._endpoint = self._cache = None

    async def _spawned(self) -> ModelProcess:
        """The process, which may still load; one that ended after it had loaded is started again."""
        if self._endpoint is not None and self._process is not None and self._process.ended:
            self._log.warning("the embedded model's process ended; it is started again")
            await self.close()
        if self._process is None:
            self._process = await self._start()
        return self._process

    async def _start(self) -> ModelProcess:
        if not choice.runtime_installed():
            raise ModelMissingError(
                "The runtime of the embedded model is not installed: pip install 'aura-assistant[local]'."
            )
        settings = {
            "context": self._context * self._at_once,
            "slots": SLOTS,
            "threads": self._threads,
            "cache_mib": self._cache_mib,
            "rearranged": machine.rearranges_weights(),
            "saved": str(self._saved or ""),
        }
        return await ModelProcess.start(self.name, self._weights, settings)

    async def _connected(self, process: ModelProcess) -> Endpoint:
        """The endpoint of the process once it has loaded; ends a process that cannot."""
        try:
            sdk = asyncio.to_thread(importlib.import_module, "agent.llm.endpoint")  # while the weights are loaded
            address, _ = await asyncio.gather(process.address(), sdk)
            return await self._endpoint_at(address, process.key)
        except BaseException:
            await process.end()
            self._process = self._cache = None
            raise

    async def _endpoint_at(self, address: str, key: str) -> Endpoint:
        from agent.llm.endpoint import Endpoint  # noqa: PLC0415 (the SDK behind it takes half a second)
        from agent.llm.prompt_cache import PromptCache  # noqa: PLC0415 (the same)

        try:
            if self._saved is not None:
                cache = await PromptCache.open(self._saved, self._weights, address, key, self.places.alone)
                self._cache = cache
                await cache.restore(SLOTS)
        except OSError as error:
            self._log.warning("states of prompts are not kept", folder=str(self._saved), error=str(error))
        return Endpoint(f"{address}/v1", key, timeout=self._timeout, embedded=True)


class EmbeddedModels:
    """The embedded models of a program, each loaded once.

    Args:
        config: `llm` and `embedded` are read.
    """

    def __init__(self, config: AppConfig) -> None:
        self._config = config
        self._models: dict[Path, EmbeddedModel] = {}

    async def find(self, name: str | None) -> EmbeddedModel:
        """The model of a name; None is the configured one.

        Raises:
            ModelMissingError: it, or its runtime, is not here; names the ways on.
        """
        name = name or self._config.llm.model
        weights = await asyncio.to_thread(choice.weights_of, self._config, name)
        if weights not in self._models:
            self._models[weights] = EmbeddedModel(
                choice.label(name),
                weights,
                context=self._config.llm.context,
                threads=self._config.embedded.threads,
                timeout=self._config.llm.timeout * PATIENCE,
                saved=platformdirs.user_cache_path("aura") / "prompts",
            )
        return self._models[weights]

    async def close(self) -> None:
        """Ends all of them."""
        models, self._models = list(self._models.values()), {}
        for model in models:
            await model.close()
