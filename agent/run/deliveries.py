"""Deliveries: an answer or a file reaches the person, at once or, when the channel is away, as soon as it is back."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent.contracts import Contract, Transport
from agent.sessions import SessionStore
from agent.transports import LASTING, Channels, channel_of
from aura_core.data.files import resolve_inside
from aura_core.durable.protocol import Ctx, Engine, Json

DELIVERY_TASK = "delivery"
UNFINISHED = ("pending", "waiting")


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
    dest: dict[str, Any] = Field(default_factory=dict)
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
        if channel_of(parcel.dest) in LASTING:
            await self._engine.start(DELIVERY_TASK, parcel.model_dump(mode="json"), id=f"later:{parcel.key}")
        return False

    async def resume(self, channel: str | None = None) -> None:
        """Goes on with parcels that an earlier process kept, of one channel or of all."""
        for record in reversed(await self._engine.list(task=DELIVERY_TASK, statuses=UNFINISHED, limit=1000)):
            if channel in (None, channel_of(record.args["dest"])):
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
            await transport.send_text(parcel.dest, parcel.text, key=parcel.key)
            return
        path = resolve_inside(self._sessions.files(parcel.session_id), parcel.file)
        await transport.send_file(parcel.dest, path, parcel.caption, key=parcel.key)
