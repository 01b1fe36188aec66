"""Delivery: what a person is to see reaches them at once or, when their channel is away, as soon as it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import Field

from agent.contracts import Contract, Dest, Transport
from agent.errors import ChannelAwayError
from agent.sessions import SessionStore
from aura_core.data.files import resolve_inside
from aura_core.durable.protocol import UNFINISHED, Ctx, Engine, Json
from aura_core.ground.logger import get_logger

Send = Callable[[Transport], Awaitable[None]]
DELIVERY_TASK = "delivery"
LASTING = frozenset({"telegram"})
"""Channels whose places outlive programs: what could not be handed over there is handed over later."""
PAUSE_SECONDS = 30.0
"""Between two attempts at a channel that is away; it has tried for long by itself before it says so."""


class Channels:
    """The transports of this process by the name of their channel; they may come after the runs that need them."""

    def __init__(self) -> None:
        self._transports: dict[str, Transport] = {}
        self._arrivals: dict[str, asyncio.Event] = {}

    def __contains__(self, name: str) -> bool:
        """Whether a channel is here."""
        return name in self._transports

    def add(self, transport: Transport) -> None:
        """Makes a channel reachable under its name."""
        self._transports[transport.name] = transport
        self._arrival(transport.name).set()

    async def send_now(self, dest: Dest, send: Send) -> bool:
        """Sends to a destination; False if its channel is not here, or cannot be reached."""
        transport = self._transports.get(dest.channel)
        if transport is None:
            return False
        try:
            await send(transport)
        except ChannelAwayError as error:
            get_logger(__name__).warning("not delivered yet", channel=transport.name, error=str(error))
            return False
        return True

    async def send_when_there(self, dest: Dest, send: Send) -> None:
        """Sends to a destination, as soon as its channel is here and can be reached; waits for it until cancelled."""
        while True:
            await self._arrival(dest.channel).wait()
            if await self.send_now(dest, send):
                return
            await asyncio.sleep(PAUSE_SECONDS)

    def _arrival(self, name: str) -> asyncio.Event:
        return self._arrivals.setdefault(name, asyncio.Event())


class Parcel(Contract):
    """What a run hands to a person.

    Attributes:
        key: tells it from all others, e.g. "run-1/answer".
        session_id: whose file it is.
        dest: where it goes.
        text: a final text, if there is no file.
        file: path relative to the session's files folder; empty for a text.
        caption: one line beside the file.
    """

    key: str
    session_id: str
    dest: Dest = Field(default_factory=Dest)
    text: str = ""
    file: str = ""
    caption: str = ""


class Deliveries:
    """Hands parcels over, each once as far as its channel can tell.

    Args:
        engine: remembers parcels that wait for their channel.
        channels: where they go.
        sessions: know the files.
    """

    def __init__(self, engine: Engine, channels: Channels, sessions: SessionStore) -> None:
        self._engine = engine
        self._channels = channels
        self._sessions = sessions
        engine.task(DELIVERY_TASK, self._run)

    async def hand_over(self, parcel: Parcel) -> bool:
        """Sends a parcel; one that cannot be sent now is kept durably and sent when its channel is back.

        Returns:
            Whether it was sent now.
        """
        if await self._channels.send_now(parcel.dest, lambda transport: self._send(transport, parcel)):
            return True
        if parcel.dest.channel in LASTING:
            await self._engine.start(DELIVERY_TASK, parcel.model_dump(mode="json"), id=f"later:{parcel.key}")
        return False

    async def resume(self, channel: str | None = None) -> None:
        """Goes on with parcels that an earlier process kept, of one channel or of all."""
        for record in reversed(await self._engine.list(task=DELIVERY_TASK, statuses=UNFINISHED, limit=None)):
            if channel in (None, Dest(record.args["dest"]).channel):
                await self._engine.resume(record.id)

    async def _run(self, ctx: Ctx, args: Json) -> Json:
        """The durable task of a parcel that waits for its channel."""
        parcel = Parcel.model_validate(args)

        async def deliver() -> Json:
            await self._channels.send_when_there(parcel.dest, lambda transport: self._send(transport, parcel))
            return True

        return {"delivered": await ctx.step("deliver", deliver)}

    async def _send(self, transport: Transport, parcel: Parcel) -> None:
        if not parcel.file:
            await transport.send_text(parcel.dest.root, parcel.text, key=parcel.key)
            return
        path = resolve_inside(self._sessions.files(parcel.session_id), parcel.file)
        await transport.send_file(parcel.dest.root, path, parcel.caption, key=parcel.key)
