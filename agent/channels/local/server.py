"""The program that works on an AURA_HOME takes orders of commands through its socket and carries them out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from agent.channels.local.address import listening_socket
from agent.channels.local.caller import Caller
from agent.channels.local.messages import (
    ORDERS,
    REPLIES,
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
)
from agent.channels.local.messages import Answer as AnswerMessage
from agent.channels.local.wire import MOST_BYTES, Wire, WireError
from agent.contracts import Contract, Question
from agent.progress import Progress
from aura_core.errors import AuraError
from aura_core.ground.events import EventBus, Subscription
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of, text_of
from aura_core.ground.secrets import mask

CarryOut = Callable[[Order, Caller], Awaitable[Ending]]
Cancel = Callable[[str], Awaitable[object]]
ORDER_SECONDS = 30.0
"""So long a connection may take to say what it wants."""
_log = get_logger("agent.local")


@asynccontextmanager
async def serving(home: Path, program: str, carry_out: CarryOut, cancel: Cancel) -> AsyncGenerator[None]:
    """Lets commands reach this program for the block.

    A home, or a system, that has no sockets is no reason not to work: commands are then told that the home is in use.

    Args:
        home: AURA_HOME; this program holds its lock.
        program: this program's name, e.g. "aura bot".
        carry_out: does what an order says, for its caller.
        cancel: ends the run of an order whose caller wants that.
    """
    async with AsyncExitStack() as stack:
        try:
            bound = stack.enter_context(listening_socket(home))
        except (OSError, AttributeError) as error:  # AttributeError: Python knows no such sockets on this system
            _log.warning("commands cannot reach this program", reason=str(error))
        else:
            desk = Desk(Hello(program=program, pid=os.getpid()), carry_out, cancel)
            listener = await asyncio.start_unix_server(desk.take, sock=bound, limit=MOST_BYTES)
            stack.push_async_callback(desk.close)
            stack.callback(listener.close)
        yield


class Desk:
    """Takes connections, one order each.

    Args:
        hello: says who works here.
        carry_out: does what an order says.
        cancel: ends a run.
    """

    def __init__(self, hello: Hello, carry_out: CarryOut, cancel: Cancel) -> None:
        self._hello = hello
        self._carry_out = carry_out
        self._cancel = cancel
        self._connections: set[asyncio.Task[None]] = set()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes a connection; it is served beside all others."""
        connection = asyncio.create_task(self._serve(Wire(reader, writer)), name="a command")
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def close(self) -> None:
        """Ends all connections; runs that were begun stay, and go on when this or another program goes on with them."""
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, wire: Wire) -> None:
        try:
            order = await self._order(wire)
            if order is not None:
                await self._work(order, wire)
        except ConnectionError as error:
            _log.info("a command is gone", reason=str(error))
        except Exception as error:  # noqa: BLE001 (a bug ends one connection, and never the program)
            _log.error("unexpected error with a command", exc_info=error)
        finally:
            wire.close()

    async def _order(self, wire: Wire) -> Order | None:
        """What a connection wants; None if it does not say so, or not in words that are known here."""
        await wire.send(self._hello)
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                return await wire.receive(ORDERS)
        except TimeoutError:
            _log.info("a connection said nothing")
        except WireError as error:
            text = f"{self._hello} does not understand this command: {error} Is it of another version? Start it again."
            await wire.send(Failed(message=text))
        return None

    async def _work(self, order: Order, wire: Wire) -> None:
        """Carries out an order, for as long as this program works, also when its caller goes away meanwhile."""
        caller = RemoteCaller(wire)
        work = asyncio.ensure_future(self._carry_out(order, caller))
        heard = asyncio.create_task(caller.listen())
        try:
            await asyncio.wait({work, heard}, return_when=asyncio.FIRST_COMPLETED)
            if heard.done() and heard.result():
                await self._stop(work, caller.run_id)
            elif not work.done():
                _log.warning("a command went away; what it asked for goes on", **_named(order, caller.run_id))
            await asyncio.wait({work})
            ending = _end_of(work)
            if caller.gone:
                _log.info("what a command asked for has ended", ending=ending.kind, **_named(order, caller.run_id))
            await _send(wire, ending)
        finally:
            for task in (work, heard):
                task.cancel()
            await asyncio.gather(work, heard, return_exceptions=True)

    async def _stop(self, work: asyncio.Future[Ending], run_id: str) -> None:
        """Ends what the caller does not want any more: the run, and the work ends with it; or work without a run."""
        if run_id:
            await self._cancel(run_id)
        else:
            work.cancel()


def _named(order: Order, run_id: str) -> dict[str, str]:
    """An order in the log: no words of the person."""
    name = order.task if isinstance(order, RunOrder) else run_id
    return {"order": order.kind, "name": name}


async def _send(wire: Wire, ending: Ending | Failed) -> None:
    """Sends how an order ended; a task may give what no JSON can say.

    Raises:
        ConnectionError: the caller is gone.
    """
    try:
        await wire.send(ending)
    except (TypeError, ValueError, RecursionError) as error:
        await wire.send(Failed(message=f"It has ended, but what it gave cannot be handed over: {reason_of(error)}."))


def _end_of(work: asyncio.Future[Ending]) -> Ending | Failed:
    """The last message of an order."""
    if work.cancelled():
        return Failed(message="Stopped.")
    error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, AuraError):
        return Failed(message=text_of(error) or type(error).__name__)
    _log.error("unexpected error with a command", exc_info=error)
    where = "The details are in the log, logs/aura.log in AURA_HOME."
    return Failed(message=f"Something unexpected happened: {reason_of(error)}\n{where}")


class RemoteCaller:
    """A caller beyond the socket; one that has gone away is told nothing, and answers nothing.

    Args:
        wire: the connection.

    Attributes:
        run_id: the run that its order began or goes on with; empty if there is none.
        gone: it listens no more.
    """

    def __init__(self, wire: Wire) -> None:
        self.run_id = ""
        self._wire = wire
        self.gone = False
        self._asked: asyncio.Future[str | None] | None = None

    async def listen(self) -> bool:
        """Takes answers; returns True when the caller wants the work to be ended, False when it has gone away."""
        try:
            while (reply := await self._wire.receive(REPLIES)) is not None:
                if not isinstance(reply, AnswerMessage):
                    return True
                self._answered(reply.text)
        except WireError as error:
            _log.warning("a command says what is not understood", reason=str(error))
        finally:
            self.gone = True
            self._answered(None)
        return False

    async def began(self, run_id: str) -> None:
        """See `Caller`."""
        self.run_id = run_id
        await self._tell(Began(run_id=run_id))

    async def say(self, text: str, style: str = "") -> None:
        """See `Caller`."""
        await self._tell(Said(text=mask(text), style=style))

    async def lost(self, notices: list[str]) -> None:
        """See `Caller`; the command itself notes what was seen."""
        if notices:
            await self._tell(Lost(notices=notices))

    async def to(self, question: Question) -> str | None:
        """See `Caller`."""
        if self.gone:
            return None
        self._asked = asyncio.get_running_loop().create_future()
        await self._tell(Asked(question=question))
        return await self._asked

    @asynccontextmanager
    async def watching(self, events: EventBus, run_id: str) -> AsyncGenerator[None]:
        """See `Caller`."""
        with events.subscribe(Progress, lambda event: event.run_id == run_id) as moves:
            forwarding = asyncio.create_task(self._forward(moves))
            try:
                yield
            finally:
                forwarding.cancel()
                await asyncio.gather(forwarding, return_exceptions=True)
            for event in moves.pending():
                await self._tell(Happened.of(event))

    async def _forward(self, moves: Subscription[Progress]) -> None:
        async for event in moves:
            await self._tell(Happened.of(event))

    def _answered(self, text: str | None) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(text)

    async def _tell(self, message: Contract) -> None:
        if not self.gone:
            with suppress(ConnectionError):
                await self._wire.send(message)
