"""Channels: which of them can be reached from this process, and waiting for those that cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from agent.contracts import Transport
from agent.errors import ChannelAwayError
from aura_core.ground.logger import get_logger

Send = Callable[[Transport], Awaitable[None]]
LASTING = frozenset({"telegram"})
"""Channels whose places outlive programs: what could not be handed over there is handed over later."""
PAUSE_SECONDS = 30.0
"""Between two attempts at a channel that is away; it has tried for long by itself before it says so."""


class Channels(Mapping[str, Transport]):
    """The transports of this process by the name of their channel; they may come after the runs that need them."""

    def __init__(self) -> None:
        self._transports: dict[str, Transport] = {}
        self._arrivals: dict[str, asyncio.Event] = {}

    def __getitem__(self, name: str) -> Transport:
        return self._transports[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._transports)

    def __len__(self) -> int:
        return len(self._transports)

    def add(self, transport: Transport) -> None:
        """Makes a channel reachable under its name."""
        self._transports[transport.name] = transport
        self._arrival(transport.name).set()

    async def send_now(self, dest: Mapping[str, Any], send: Send) -> bool:
        """Sends to a destination; False if its channel is not here, or cannot be reached."""
        transport = self._transports.get(channel_of(dest))
        if transport is None:
            return False
        try:
            await send(transport)
        except ChannelAwayError as error:
            get_logger(__name__).warning("not delivered yet", channel=transport.name, error=str(error))
            return False
        return True

    async def send_when_there(self, dest: Mapping[str, Any], send: Send) -> None:
        """Sends to a destination, as soon as its channel is here and can be reached; waits for it until cancelled."""
        while True:
            await self._arrival(channel_of(dest)).wait()
            if await self.send_now(dest, send):
                return
            await asyncio.sleep(PAUSE_SECONDS)

    def _arrival(self, name: str) -> asyncio.Event:
        return self._arrivals.setdefault(name, asyncio.Event())


def channel_of(dest: Mapping[str, Any]) -> str:
    """The channel that a destination names; empty if it names none."""
    return str(dest.get("channel", ""))
