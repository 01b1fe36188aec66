"""PromptCache: keeps what the embedded model made of its long system prompts, so that the next program starts warm.

Reading a planner's prompt takes tens of seconds on two cores and milliseconds from a file. Only system prompts are
kept, never what a person wrote, in a folder that only this user can read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.metadata
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import openai

from aura_core.ground.logger import get_logger

PIECE = 256
"""Tokens that are read at once when nobody calls: four seconds on two cores, which a call with another system prompt
may have to wait; one with the same prompt needs them anyway."""
SHORTEST = 1200
"""Characters of a system prompt that are worth a file."""
FRESH = 200
"""Tokens that had to be read anew, below which nothing is gained."""
FILES = 4
BYTES = 400 * 2**20
STALE_SECONDS = 3600
REQUEST_SECONDS = 20.0
CLOSE_SECONDS = 3.0
SUFFIX = ".state"
Alone = Callable[[], AbstractAsyncContextManager[None]]


class RefusedError(OSError):
    """The server's own word that it will not do it, e.g. that a state does not fit; its silence is another error."""


class PromptCache:
    """States of one model's prompts, on disk. Make one with `open`.

    Args:
        folder: where the files are.
        model: names the model and the runtime; states of others do not fit.
        http: a client of the server.
        alone: what is held while a state is taken, so that no call takes the slot meanwhile.
    """

    def __init__(self, folder: Path, model: str, http: Any, alone: Alone) -> None:
        self._folder = folder
        self._model = model
        self._http = http
        self._alone = alone
        self._tried: set[Path] = set()
        self._reading: set[Path] = set()
        self._held: set[Path] = set()
        self._saving: set[asyncio.Task[None]] = set()
        self._log = get_logger(__name__)

    @classmethod
    async def open(cls, folder: Path, weights: Path, address: str, key: str, alone: Alone) -> PromptCache:
        """For the server at `address`; makes the folder, readable by this user alone."""
        await asyncio.to_thread(_make_private, folder)
        about = await asyncio.to_thread(weights.stat)
        version = importlib.metadata.version("xllamacpp")
        identity = f"{weights.name} {about.st_size} {about.st_mtime_ns} {version}"
        http = openai.DefaultAsyncHttpxClient(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=REQUEST_SECONDS
        )
        return cls(folder, hashlib.sha256(identity.encode()).hexdigest()[:12], http, alone)

    async def busy(self) -> bool:
        """Whether the server works on anything now."""
        try:
            slots = await self._answered(self._http.get("/slots"), "/slots")
        except (OSError, RefusedError):
            return False
        return any(slot.get("is_processing") for slot in slots)

    async def restore(self, slots: int) -> int:
        """Hands the latest states to the server, one per slot; returns how many it took."""
        taken = 0
        for path in self._files()[:slots]:
            try:
                await self._post(f"/slots/{taken}?action=restore", {"filename": path.name})
                self._held.add(path)
                taken += 1
            except RefusedError as error:
                self._log.info("a saved prompt state does not fit and is dropped", file=path.name, error=str(error))
                path.unlink(missing_ok=True)
        return taken

    async def read(self, purpose: str, system: str, report: Callable[[float], None]) -> None:
        """Has the model read a system prompt, piece by piece while nobody calls, and keeps its state.

        Args:
            purpose: names the file.
            system: the system prompt.
            report: learns how much of it is read, from 0 to 1.
        """
        path = self._path(purpose, system)
        if path in self._held or path in self._reading or len(system) < SHORTEST:
            return
        self._reading.add(path)
        try:
            await self._read(path, system, report)
        except (OSError, ValueError, KeyError) as error:
            self._log.info("the prompt was not read ahead", error=str(error))
        finally:
            self._reading.discard(path)

    async def _read(self, path: Path, system: str, report: Callable[[float], None]) -> None:
        tokens = await self._tokens(system)
        report(0.0)
        for end in [*range(PIECE, len(tokens), PIECE), len(tokens)]:
            async with self._alone():
                if path in self._tried:  # a call has read the rest meanwhile, and its state is kept
                    return
                await self._hold(tokens[:end])
                if end == len(tokens):
                    await self._keep_state(path, tokens)
            report(end / len(tokens))

    def remember(self, purpose: str, messages: Sequence[Mapping[str, str]], *, fresh: int) -> None:
        """Keeps the state of these messages' system prompt, in the background, if that saves time next time.

        Args:
            purpose: names the file.
            messages: the request that was just answered.
            fresh: tokens that the model had to read anew for it.
        """
        if not messages or messages[0]["role"] != "system" or len(messages[0]["content"]) < SHORTEST:
            return
        path = self._path(purpose, messages[0]["content"])
        if path.exists():
            with contextlib.suppress(OSError):
                os.utime(path)
        elif path not in self._tried and (path in self._reading or (fresh >= FRESH and len(self._tried) < FILES)):
            self._tried.add(path)
            task = asyncio.create_task(self._save(path, messages[0]["content"]))
            self._saving.add(task)
            task.add_done_callback(self._saving.discard)

    async def close(self) -> None:
        """Lets a state that is being written get there, within a bound."""
        if self._saving:
            _, late = await asyncio.wait(self._saving, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._http.aclose()

    async def _save(self, path: Path, system: str) -> None:
        """Has the server hold the system prompt alone, and write that down."""
        try:
            tokens = await self._tokens(system)
            async with self._alone():
                await self._keep_state(path, tokens)
        except (OSError, ValueError, KeyError) as error:
            self._log.info("the prompt state was not kept", error=str(error))

    async def _tokens(self, system: str) -> list[int]:
        """The system prompt in the model's own form, without what follows it in a call."""
        example = [{"role": "system", "content": system}, {"role": "user", "content": "-"}]
        prompt = str((await self._post("/apply-template", {"messages": example}))["prompt"])
        end = prompt.index(system.strip()) + len(system.strip())
        body = {"content": prompt[:end], "add_special": True, "parse_special": True}
        return list((await self._post("/tokenize", body))["tokens"])

    async def _hold(self, tokens: Sequence[int]) -> int:
        """Has a slot hold these tokens and no others, reading what it does not have of them; returns the slot."""
        held = await self._post("/completion", {"prompt": tokens, "n_predict": 0, "cache_prompt": True})
        return int(held["id_slot"])

    async def _keep_state(self, path: Path, tokens: Sequence[int]) -> None:
        """Writes down what a slot holds once it holds these tokens and no others; whoever calls is alone."""
        passing = path.with_name(f"{secrets.token_hex(8)}.passing")
        try:
            slot = await self._hold(tokens)
            saved = await self._post(f"/slots/{slot}?action=save", {"filename": passing.name})
            if saved["n_saved"] <= len(tokens) + 1:  # more would be somebody's words
                await asyncio.to_thread(self._keep, passing, path)
                self._held.add(path)
        finally:
            passing.unlink(missing_ok=True)

    def _keep(self, passing: Path, path: Path) -> None:
        """Moves a state into place and drops the oldest beyond the bounds."""
        passing.replace(path)
        size = 0
        for number, other in enumerate(self._files()):
            with contextlib.suppress(FileNotFoundError):
                size += other.stat().st_size
            if number >= FILES or (size > BYTES and other != path):
                other.unlink(missing_ok=True)
        for left in self._folder.glob("*.passing"):
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - STALE_SECONDS:
                    left.unlink()

    def _path(self, purpose: str, system: str) -> Path:
        safe = "".join(letter for letter in purpose if letter.isalnum())[:20] or "any"
        return self._folder / f"{self._model}-{safe}-{hashlib.sha256(system.encode()).hexdigest()[:16]}{SUFFIX}"

    def _files(self) -> list[Path]:
        """This model's states, the latest used first."""
        found: list[tuple[float, Path]] = []
        for path in self._folder.glob(f"{self._model}-*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # another program keeps its states here, too
                found.append((path.stat().st_mtime, path))
        return [path for _, path in sorted(found, reverse=True)]

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await self._answered(self._http.post(path, json=body), path)
        return answer

    async def _answered(self, call: Awaitable[Any], path: str) -> Any:
        try:
            response = await call
            answer = response.json()
        except Exception as error:
            raise OSError(f"{path}: {type(error).__name__} {error}") from error
        if response.status_code != HTTPStatus.OK:
            raise RefusedError(f"{path}: {answer}")
        return answer


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
