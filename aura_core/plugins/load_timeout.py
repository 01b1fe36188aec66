"""Runs a plain call in a thread of its own, with a time limit: a plan's file may hold an endless loop."""

from __future__ import annotations

import asyncio
import ctypes
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Never, TypeVar

from aura_core.ground.reasons import reason_of

T = TypeVar("T")
GRACE = 1.0
"""Seconds that a call gets to end after it was told to."""


class TooLongError(BaseException):
    """Raised inside the call: no `except Exception` of a plan keeps it going; whoever catches all raises it again."""


class NotDoneError(Exception):
    """A call did not end within its time.

    Attributes:
        places: file and line where it was, the innermost first.
    """

    def __init__(self, places: list[tuple[str, int]]) -> None:
        super().__init__("it did not end in time")
        self.places = places


async def run_patiently(call: Callable[[], T], *, seconds: float, late: Callable[[T], None]) -> T:
    """Runs a plain call beside the event loop.

    Past its time it is told to end, which plain Python does at once; one that waits outside Python is left alone, in
    a thread that does not keep the program from ending. Under a debugger or coverage nothing is told: Python 3.11
    stands still for ever when a traced thread runs while another one has not heard such a word yet.

    Args:
        call: what to run.
        seconds: how long it may take.
        late: given the result if nobody waits for it any more.

    Raises:
        NotDoneError: it did not end in time.
        Exception: whatever the call raises.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Callable[[], T]] = loop.create_future()

    def hand_over(outcome: Callable[[], T]) -> None:
        if not ended.done():
            ended.set_result(outcome)
        else:
            with suppress(BaseException):
                late(outcome())

    def work() -> None:
        with suppress(TooLongError, RuntimeError):  # told to end after it had ended; the loop is closed
            outcome = _outcome_of(call)
            loop.call_soon_threadsafe(hand_over, outcome)

    thread = Thread(target=work, name="aura-load", daemon=True)
    thread.start()
    try:
        await asyncio.wait([ended], timeout=seconds)
        if not ended.done() and sys.gettrace() is None:
            _tell_to_end(thread)
            await asyncio.wait([ended], timeout=GRACE)
        if not ended.done():
            raise NotDoneError(_places(thread))
        return ended.result()()
    except TooLongError as error:
        ended_at = reversed(traceback.extract_tb(error.__traceback__))
        raise NotDoneError([(frame.filename, frame.lineno or 0) for frame in ended_at]) from error
    finally:
        ended.cancel()


def _outcome_of(call: Callable[[], T]) -> Callable[[], T]:
    """What the call gives, or raises, when it is asked for on another thread."""
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
        return lambda error=error: _raise(error)
    return lambda: result


def _raise(error: BaseException) -> Never:
    if isinstance(error, (Exception, TooLongError)):
        raise error
    raise RuntimeError(reason_of(error)) from error


def _tell_to_end(thread: Thread) -> None:
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TooLongError))


def _places(thread: Thread) -> list[tuple[str, int]]:
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] (documented)
    places: list[tuple[str, int]] = []
    while frame is not None:
        places.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return places
