"""Exits: what a plan's code raises to end the program is a failure of that code; a person's Ctrl-C is not its doing."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager

from aura_core.errors import CoreError
from aura_core.execution.cancellation import being_ended, cancel_requests
from aura_core.ground.reasons import reason_of

_RUNNER = asyncio.Runner.run.__code__.co_filename


@contextmanager
def contained(what: str) -> Generator[None]:
    """Around a plan's code: what it raises to end the program, or to cancel what nobody ended, is a failure of it.

    Args:
        what: that code, as the beginning of a sentence.

    Raises:
        CoreError: it did such a thing.
    """
    requests = cancel_requests()
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if being_ended() or is_from_outside(error, requests):
            raise
        raise failure_for(error, what) from error


def failure_for(error: BaseException, what: str) -> CoreError:
    """The failure that stands for what a plan's code raised to end the program."""
    return CoreError(f"{what} {exit_text(error)}; that ends it and no more.")


def is_from_outside(error: BaseException, requests: int = 0) -> bool:
    """Whether an exception that came out of a plan's code must go on: it was not that code that raised it.

    Args:
        error: what came out.
        requests: how often the current asyncio task was asked to end before the code was called.
    """
    if isinstance(error, asyncio.CancelledError):
        return cancel_requests() > requests
    if isinstance(error, GeneratorExit):
        return not _in_a_task()
    return isinstance(error, KeyboardInterrupt) and is_ctrl_c(error)


def _in_a_task() -> bool:
    """Whether an asyncio task runs here: a coroutine that is closed from outside, with GeneratorExit, runs in none."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def is_ctrl_c(error: KeyboardInterrupt) -> bool:
    """Whether a person's Ctrl-C raised it, and not the code that it came out of.

    Signals are handled in the main thread. The handler of asyncio, which stands while a command of Aura runs, leaves
    its frame behind. Python's own leaves nothing: where that one stands, what might be a person's counts as that.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        return True
    trace, file = error.__traceback__, ""
    while trace is not None:
        trace, file = trace.tb_next, trace.tb_frame.f_code.co_filename
    return file == _RUNNER


def exit_text(error: BaseException) -> str:
    """What a plan's code did, for a message: `called sys.exit(3)`, `raised KeyboardInterrupt`."""
    if isinstance(error, SystemExit):
        return f"called sys.exit({error.code!r})" if isinstance(error.code, (int, str)) else "called sys.exit()"
    return f"raised {reason_of(error)}"
