"""What a command does when another program works on the AURA_HOME: it hands its order over and waits for the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from agent.channels.local.address import address_of
from agent.channels.local.caller import Caller
from agent.channels.local.messages import (
    NEWS,
    Answer,
    Asked,
    Began,
    Ending,
    Failed,
    Happened,
    Hello,
    Lost,
    Order,
    RunOrder,
    Said,
    Stop,
)
from agent.channels.local.wire import Wire, WireError
from agent.errors import AgentError
from aura_core.ground.events import EventBus

HELLO_SECONDS = 30.0
"""So long a program may be too busy to say who it is."""
STOP_SECONDS = 10.0
"""So long is waited for what the person stopped to have really ended."""
LONGEST_MESSAGE = 1 << 30
"""Bytes of one message, such as the result of a task."""


class HostError(AgentError):
    """The program that works on the AURA_HOME could not carry out an order; says why, in its words or ours."""


class Host:
    """The program that works on the AURA_HOME, connected for one order.

    Args:
        wire: the connection.
        hello: who it is.
    """

    def __init__(self, wire: Wire, hello: Hello) -> None:
        self._wire = wire
        self._hello = hello
        self._run_id = ""
        self._events = EventBus()

    def __str__(self) -> str:
        """As it is named to a person."""
        return str(self._hello)

    async def carry_out(self, order: Order, caller: Caller) -> Ending:
        """Has an order carried out; when this is cancelled, what was ordered is ended first.

        Args:
            order: what is wanted.
            caller: is told and asked meanwhile.

        Raises:
            HostError: it could not be done, or the program has ended meanwhile.
        """
        try:
            await self._wire.send(order)
            async with AsyncExitStack() as stack:
                return await self._ending(order, caller, stack)
        except ConnectionError as error:
            raise self._has_ended(order) from error
        except asyncio.CancelledError:
            with suppress(TimeoutError, ConnectionError, WireError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._wire.send(Stop())
                    while not isinstance(await self._wire.receive(NEWS), Ending | Failed | None):
                        pass
            raise

    async def _ending(self, order: Order, caller: Caller, stack: AsyncExitStack) -> Ending:
        while True:
            try:
                news = await self._wire.receive(NEWS)
            except WireError as error:
                raise self._is_other(error) from error
            match news:
                case None:
                    raise self._has_ended(order)
                case Failed():
                    raise HostError(news.message)
                case Began():
                    self._run_id = news.run_id
                    await caller.began(news.run_id)
                    await stack.enter_async_context(caller.watching(self._events, news.run_id))
                case Asked():
                    await self._wire.send(Answer(text=await caller.to(news.question)))
                case Happened() | Said() | Lost() | Hello():
                    await self._tell(news, caller)
                case _:
                    return news

    async def _tell(self, news: Happened | Said | Lost | Hello, caller: Caller) -> None:
        match news:
            case Happened():
                self._publish(news)
            case Said():
                await caller.say(news.text, news.style)
            case Lost():
                await caller.lost(news.notices)
            case Hello():
                pass

    def _publish(self, news: Happened) -> None:
        if self._events.has_subscribers:
            with suppress(ValueError):  # progress is a picture: what this version cannot draw is left out
                self._events.publish(news.event())

    def _is_other(self, error: WireError) -> HostError:
        return HostError(f"What {self} says is not understood: {error} Is it of another version? Start it again.")

    def _has_ended(self, order: Order) -> HostError:
        """Why there is no result, and what becomes of what was ordered."""
        if self._run_id:
            return HostError(
                f"{self} ended before this request did. Nothing is lost: {self._run_id} goes on when `aura bot` or "
                f"`aura chat` runs again, or now with `aura runs resume {self._run_id}`."
            )
        if isinstance(order, RunOrder):
            return HostError(f"{self} ended while {order.task} ran there, so the task broke off. Run it again.")
        return HostError(f"{self} ended before it took this up. `aura runs` shows what it took up; say it again.")


@asynccontextmanager
async def reached(home: Path) -> AsyncGenerator[Host | None]:
    """The program that works on this home, for the block; None if none can be reached.

    Args:
        home: AURA_HOME.

    Raises:
        HostError: there is one, but it says nothing.
    """
    path = str(address_of(home))
    wire = await _connected(path)
    try:
        yield None if wire is None else await _introduced(wire, path)
    finally:
        if wire is not None:
            wire.close()


async def _connected(path: str) -> Wire | None:
    try:
        return Wire(*await asyncio.open_unix_connection(path, limit=LONGEST_MESSAGE))
    except (OSError, AttributeError):  # nobody listens; AttributeError: this system has no such sockets
        return None


async def _introduced(wire: Wire, path: str) -> Host | None:
    """The program at the other end; None if it is just ending.

    Raises:
        HostError: it says nothing, or what is not understood.
    """
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            hello = await wire.receive(NEWS)
    except TimeoutError as error:
        raise HostError(f"The program that listens at {path} does not answer; end it, and start it again.") from error
    except WireError as error:
        raise HostError(f"What listens at {path} is not understood: {error}") from error
    return Host(wire, hello) if isinstance(hello, Hello) else None
