"""Weights from the model hub: one file over HTTPS, resumed where it stopped."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import aiohttp

from agent.errors import WeightsError
from agent.llm.known_models import Report, Weights

ATTEMPTS = 5
WAIT_SECONDS = 1.0
QUIET_SECONDS = 60.0
PIECE = 2**20
OK, PARTIAL, NOT_SATISFIABLE = 200, 206, 416


async def from_hub(known: Weights, hub: str, passing: Path, report: Report) -> None:
    """Fetches the file into `passing`; what is there already is not fetched again.

    Args:
        known: which file.
        hub: base address of the hub.
        passing: the file, complete or not.
        report: learns of the progress.

    Raises:
        WeightsError: the hub cannot be reached, refuses, or has another file.
        OSError: the file cannot be written.
    """
    address = f"{hub.rstrip('/')}/{known.hub_file}"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=QUIET_SECONDS, sock_read=QUIET_SECONDS)
    left = ATTEMPTS
    async with aiohttp.ClientSession(trust_env=True, timeout=timeout, auto_decompress=False) as session:
        while (have := _length(passing)) < known.size:
            try:
                await _continue(session, address, known, passing, report)
            except (aiohttp.ClientError, TimeoutError) as error:
                left = ATTEMPTS if _length(passing) > have else left - 1
                if left == 0:
                    reason = str(error) or type(error).__name__
                    raise WeightsError(f"{hub} cannot be reached or breaks off: {reason}") from error
                await asyncio.sleep(WAIT_SECONDS)


async def _continue(
    session: aiohttp.ClientSession, address: str, known: Weights, passing: Path, report: Report
) -> None:
    """One request for what is missing."""
    have = _length(passing)
    async with session.get(address, headers={"Range": f"bytes={have}-"} if have else {}) as response:
        if response.status not in (OK, PARTIAL, NOT_SATISFIABLE) and response.status < 500:  # noqa: PLR2004
            raise WeightsError(f"{address} answered with status {response.status} {response.reason}")
        if response.status == NOT_SATISFIABLE:
            await asyncio.to_thread(passing.unlink, missing_ok=True)
            raise aiohttp.ClientPayloadError("the hub's file is shorter than what was fetched before")
        response.raise_for_status()
        start = have if response.status == PARTIAL else 0
        if response.content_length is not None and start + response.content_length != known.size:
            raise WeightsError(
                f"{address} has {start + response.content_length} bytes instead of {known.size}: another file"
            )
        with await asyncio.to_thread(passing.open, "r+b" if start else "wb") as file:
            file.seek(start)
            async for piece in response.content.iter_chunked(PIECE):
                await asyncio.to_thread(file.write, piece)
                report(min(file.tell(), known.size), known.size, f"fetching {known.name} from the model hub")
            file.flush()
            os.fsync(file.fileno())


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
