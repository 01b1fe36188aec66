"""EmbeddedModel: starts the embedded model's process at the first call, talks to it, ends it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from agent.errors import ModelMissingError, ModelUnavailableError
from agent.llm import embedded_server
from agent.llm.endpoint import Ask, Endpoint, Reply
from agent.llm.prompt_cache import PromptCache
from aura_core.logger import get_logger

LOAD_SECONDS = 180.0
END_SECONDS = 5.0
MOST_THREADS = 8
AT_ONCE = 2
SLOTS = 3
CACHE_MIB = 1024
LONGEST_ANSWER = 2048


def runtime_installed() -> bool:
    """Whether the runtime of the embedded model is there."""
    return importlib.util.find_spec("xllamacpp") is not None


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
        self._threads = threads or min(MOST_THREADS, _cores())
        self._timeout = timeout
        self._saved = saved
        self._starting = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._process: asyncio.subprocess.Process | None = None
        self._endpoint: Endpoint | None = None
        self._cache: PromptCache | None = None
        self._log = get_logger(__name__)

    @property
    def context(self) -> int:
        """Tokens that one call may read and write."""
        return self._context

    @property
    def places(self) -> asyncio.Semaphore:
        """What a call holds while it runs: so many fit side by side, more would only slow each other down."""
        return self._places

    async def ask(self, ask: Ask) -> Reply:
        """One answer; the first call loads the weights.

        Raises:
            ModelUnavailableError: the process cannot be started or has ended.
            openai.OpenAIError and the errors of `failures`: see there.
        """
        endpoint = await self.started()
        reply = await endpoint.ask(ask)
        if self._cache is not None:
            self._cache.remember(ask.purpose, ask.messages, fresh=reply.tokens_read - reply.tokens_cached)
        return reply

    async def started(self) -> Endpoint:
        """The endpoint, ready; loads the weights if need be, once.

        Raises:
            ModelUnavailableError: says what the runtime said.
        """
        async with self._starting:
            if self._process is not None and self._process.returncode is not None:
                self._log.warning("the embedded model's process ended; it is started again")
                await self.close()
            if self._endpoint is None:
                self._endpoint = await self._start()
            return self._endpoint

    async def close(self) -> None:
        """Ends the process; waits until it is gone."""
        if self._cache is not None:
            await self._cache.close()
        if self._endpoint is not None:
            await self._endpoint.close()
        if self._process is not None:
            await _end(self._process)
        self._process = self._endpoint = self._cache = None

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        """Holds all places: no call runs meanwhile."""
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(AT_ONCE):
                await stack.enter_async_context(self._places)
            yield

    async def _start(self) -> Endpoint:
        if not runtime_installed():
            raise ModelMissingError(
                "The runtime of the embedded model is not installed: pip install 'aura-assistant[local]'."
            )
        key = secrets.token_urlsafe(24)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(Path(embedded_server.__file__))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal ends the run, not the model
            env={"OMP_WAIT_POLICY": "passive", **os.environ},  # on a busy machine spinning threads cost tenfold
        )
        try:
            address = await self._first_word(self._process, key)
        except BaseException:
            await _end(self._process)
            self._process = None
            raise
        if self._saved is not None:
            self._cache = await PromptCache.open(self._saved, self._weights, address, key, self._alone)
            await self._cache.restore(SLOTS)
        return Endpoint(f"{address}/v1", key, timeout=self._timeout, embedded=True)

    async def _first_word(self, process: asyncio.subprocess.Process, key: str) -> str:
        """Hands the settings over and waits for the address."""
        settings = {
            "model": str(self._weights),
            "key": key,
            "context": self._context * AT_ONCE,
            "slots": SLOTS,
            "threads": self._threads,
            "cache_mib": CACHE_MIB,
            "saved": str(self._saved or ""),
        }
        assert process.stdin is not None  # noqa: S101 (asked for above; pyright cannot know)
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                with contextlib.suppress(ConnectionError):
                    await process.stdin.drain()
                line = await process.stdout.readline()
        except TimeoutError as error:
            raise ModelUnavailableError(
                f"The embedded model {self.name} was not loaded after {LOAD_SECONDS:g} seconds; is the machine busy?"
            ) from error
        said = json.loads(line) if line.strip() else {"error": "the process ended"}
        if "error" in said:
            raise ModelUnavailableError(
                f"The embedded model {self.name} cannot be loaded from {self._weights}: {said['error']} "
                f"If the file is damaged, delete it and run: aura model pull {self.name}"
            )
        return str(said["address"])


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes the process's stdin, which ends it; kills it if it does not listen."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError) as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, asyncio.CancelledError):
            raise


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
