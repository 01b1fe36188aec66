"""ModelProcess: the embedded model's own process, started, listened to, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any, Self

from agent.errors import ModelUnavailableError
from agent.llm import embedded_server
from agent.llm.known_models import MODELS

LOAD_SECONDS = 180.0
END_SECONDS = 5.0
THREADS = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "300"}
"""How the model's threads wait for each other, many thousand times a second: about a microsecond of spinning, then
asleep. Measured on 2 cores with the 1.5B model, tokens written a second: 23 so, 25 spinning on, 17 asleep at once; with
two busy programs beside it 11 so, 7 spinning on, 9 asleep at once."""


class ModelProcess:
    """A running server of one model. Make one with `start`.

    Args:
        name: the model's name, for messages.
        weights: its file, for messages.
        process: the process.
        key: what its server wants to hear.
    """

    def __init__(self, name: str, weights: Path, process: asyncio.subprocess.Process, key: str) -> None:
        self._name = name
        self._weights = weights
        self._process = process
        self._loaded = False
        self.key = key

    @classmethod
    async def start(cls, name: str, weights: Path, settings: dict[str, Any]) -> Self:
        """Starts the process; it loads the weights from now on.

        Args:
            name: the model's name, for messages.
            weights: its GGUF file.
            settings: the rest of what `embedded_server.serve` takes.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(Path(embedded_server.__file__))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal ends the run, not the model
            env={**THREADS, **os.environ},
        )
        started = cls(name, weights, process, secrets.token_urlsafe(24))
        assert process.stdin is not None  # noqa: S101 (asked for above; pyright cannot know)
        process.stdin.write(json.dumps({**settings, "model": str(weights), "key": started.key}).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        return started

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.returncode is not None

    async def address(self) -> str:
        """Where the server listens, once the weights are loaded.

        Raises:
            ModelUnavailableError: it cannot load them; says what the runtime said.
        """
        assert self._process.stdout is not None  # noqa: S101 (see `start`)
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise ModelUnavailableError(
                f"The embedded model {self._name} was not loaded after {LOAD_SECONDS:g} seconds; is the machine busy?"
            ) from error
        said = json.loads(line) if line.strip() else {"error": "its process ended, as it does when memory runs out"}
        if "error" in said:
            again = (
                f"delete it and run: aura model pull {self._name}" if self._name in MODELS else "put a whole one there"
            )
            raise ModelUnavailableError(
                f"The embedded model {self._name} cannot be loaded from {self._weights}: "
                f"{str(said['error']).rstrip('.')}. If the file is damaged, {again}."
            )
        self._loaded = True
        return str(said["address"])

    async def end(self) -> None:
        """Closes the process's stdin, which ends it; kills it if it does not listen, as while it loads."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not self._loaded:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except (TimeoutError, asyncio.CancelledError) as error:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            if isinstance(error, asyncio.CancelledError):
                raise
