"""The wire between two programs: one JSON document a line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from agent.channels.local.messages import plain
from agent.contracts import Contract
from agent.errors import AgentError

T = TypeVar("T")
MOST_BYTES = 16 * 1024 * 1024
"""Of an order: more than a command line can hold."""


class WireError(AgentError):
    """What came over the wire is no message that this program knows, or is far too long."""


class Wire:
    """One connection.

    Args:
        reader: what comes; its limit bounds one message.
        writer: where messages go.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._turn = asyncio.Lock()

    async def send(self, message: Contract) -> None:
        """Sends a message; waits while the other side does not read.

        Raises:
            ConnectionError: the other side is gone.
            TypeError, ValueError, RecursionError: no JSON can say it.
        """
        line = json.dumps(plain(message), default=str, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        async with self._turn:
            if self._writer.is_closing():
                raise ConnectionResetError("The connection is closed.")
            self._writer.write(line)
            await self._writer.drain()

    async def receive(self, kinds: TypeAdapter[T]) -> T | None:
        """The next message; None when the other side has ended, also in the middle of one.

        Args:
            kinds: what it may be.

        Raises:
            WireError: it is something else.
        """
        try:
            line = await self._reader.readline()
        except OSError:
            return None
        except ValueError as error:
            raise WireError("The message is too long.") from error
        if not line.endswith(b"\n"):
            return None
        try:
            return kinds.validate_python(_json(line))
        except (ValueError, RecursionError) as error:
            raise WireError(f"The message is none that is known here: {_short(error)}") from error

    def close(self) -> None:
        """Closes the connection; what was sent still goes out."""
        self._writer.close()


_json: Callable[[bytes], object] = json.loads


def _short(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".lstrip(": ")
    return str(error)
