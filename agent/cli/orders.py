"""Orders of commands: carried out by this program, or by the one that works on the AURA_HOME already."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from agent.channels.local.caller import CHANNEL, Caller, CommandTransport
from agent.channels.local.client import reached
from agent.channels.local.messages import AskOrder, CancelOrder, Ending, Order, ResumeOrder, RunOrder
from aura_core.errors import AuraError, HomeInUseError
from aura_core.storage.home_lock import HomeLock

if TYPE_CHECKING:
    from pathlib import Path

    from agent.app import App

EndingT = TypeVar("EndingT", bound=Ending)
STARTING_SECONDS = 10.0
"""So long is waited for a program that has the home and cannot be reached: it is starting, ending, or soon done."""
CANCEL_SECONDS = 10.0


@asynccontextmanager
async def carried_out(
    home: Path,
    order: Order,
    ends: type[EndingT],
    caller: Caller,
    opened: Callable[[], AbstractAsyncContextManager[App]],
) -> AsyncGenerator[EndingT]:
    """Has an order carried out, and gives how it ended; what was opened for that is closed after the block.

    Ctrl-C ends what was ordered.

    Args:
        home: AURA_HOME.
        order: what is wanted.
        ends: how such an order ends.
        caller: is told and asked meanwhile.
        opened: opens an app for it, if no program works on this home.

    Raises:
        HomeInUseError: a program works on this home and cannot be reached.
        HostError: that program could not do it.
    """
    given_up = time.monotonic() + STARTING_SECONDS
    while True:
        async with reached(home) as host:
            if host is not None:
                with _terminated_like_stopped(order):
                    ending = await host.carry_out(order, caller)
                yield _checked(ending, ends)
                return
        if _is_free(home, last=time.monotonic() > given_up):
            break
        await asyncio.sleep(0.1)
    async with opened() as app:
        app.add_transport(CommandTransport())
        yield _checked(await _here(app, order, caller), ends)


def _checked(ending: Ending, ends: type[EndingT]) -> EndingT:
    if not isinstance(ending, ends):
        raise TypeError(f"The order ended as {ending.kind}.")
    return ending


def _is_free(home: Path, *, last: bool) -> bool:
    """Whether no program works on a home.

    Raises:
        HomeInUseError: one does, and this was the last try.
    """
    try:
        with HomeLock(home, "aura"):
            return True
    except HomeInUseError:
        if last:
            raise
        return False


async def _here(app: App, order: Order, caller: Caller) -> Ending:
    """Carries an order out in this program; when that is cancelled, its run is."""
    try:
        return await carry_out(app, order, caller)
    except asyncio.CancelledError:
        if run_id := caller.run_id:
            async with asyncio.timeout(CANCEL_SECONDS):
                await app.cancel(run_id)
        raise


async def carry_out(app: App, order: Order, caller: Caller) -> Ending:
    """Does what an order says.

    Args:
        app: the app.
        order: what is wanted.
        caller: is told and asked meanwhile.

    Raises:
        AuraError: it cannot be done; the words are for the person.
    """
    match order:
        case AskOrder():
            from agent.cli.ask import ask_in

            return await ask_in(app, order, caller)
        case RunOrder():
            from agent.cli.task_runs import run_in

            return await run_in(app, order, caller)
        case ResumeOrder():
            from agent.cli.runs import resume_in

            return await resume_in(app, order, caller)
        case CancelOrder():
            from agent.cli.runs import cancel_in

            return await cancel_in(app, order)


async def _for_another(app: App, order: Order, caller: Caller) -> Ending:
    """Does what an order says that came through the socket; see `carry_out`.

    Its caller is told what was lost, also what this program has told where perhaps nobody looks.
    """
    try:
        ending = await carry_out(app, order, caller)
    except AuraError:
        await caller.lost(app.unseen_losses())
        raise
    await caller.lost(app.unseen_losses())
    return ending


@asynccontextmanager
async def reachable(app: App, program: str) -> AsyncGenerator[None]:
    """Lets commands reach this program for the block; their runs that broke off earlier go on.

    Args:
        app: the app, with the lock of its home.
        program: this program's name.
    """
    from agent.channels.local.server import serving

    app.add_transport(CommandTransport())
    async with serving(app.config.home, program, lambda order, caller: _for_another(app, order, caller), app.cancel):
        await app.resume(channel=CHANNEL)
        yield


@contextmanager
def _terminated_like_stopped(order: Order) -> Generator[None]:
    """SIGTERM ends a task in another program too, so that `timeout 60 aura run …` means what it says.

    The command then ends by that signal, as ever. A request is kept, and goes on without its command.
    """
    task = asyncio.current_task()
    if task is None or not isinstance(order, RunOrder):
        yield
        return
    loop, came = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        came.set()
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        if came.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
