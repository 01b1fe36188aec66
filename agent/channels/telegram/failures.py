"""Failures: what a failed call of the Bot API means, how long to wait after it, and where unexpected errors end."""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Iterator
from typing import Literal

from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiohttp import ClientConnectorError

from aura_core.errors import DurableError, HomeNotWritableError
from aura_core.ground.logger import get_logger

STORE_ERRORS = (HomeNotWritableError, DurableError)
"""What is raised when the bot cannot remember anything: full disk, no right to write, damaged file."""
Meaning = Literal["wait", "undone", "doubtful", "refused"]
TOKEN = re.compile(r"\d+:[\w-]{12,}")


def meaning_of(error: AiogramError) -> Meaning:
    """Says what a failure means.

    Returns:
        wait: Telegram names the seconds (429), nothing was done. undone: nothing was done, try again. doubtful: it may
        have been done although no answer came (a broken connection, 500, 502). refused: trying again is of no use.
    """
    if isinstance(error, TelegramRetryAfter):
        return "wait"
    if isinstance(error, TelegramEntityTooLarge):
        return "refused"
    if isinstance(error, TelegramNetworkError):
        return "undone" if isinstance(error.__cause__, ClientConnectorError) else "doubtful"
    if isinstance(error, TelegramServerError | ClientDecodeError):
        return "doubtful"
    return "undone" if isinstance(error, TelegramConflictError) else "refused"


def described(error: BaseException) -> str:
    """One line about a failure for the log, without the bot's token, which file addresses contain."""
    words = error.message if isinstance(error, TelegramAPIError | ClientDecodeError) else str(error)
    return f"{type(error).__name__}: {TOKEN.sub('<token>', words.partition(chr(10))[0])}"


def is_unchanged(error: AiogramError) -> bool:
    """Whether an edit was refused because the message already looks like that."""
    return isinstance(error, TelegramAPIError) and "message is not modified" in error.message


def pauses(first: float, longest: float) -> Iterator[float]:
    """Seconds between attempts, without end: `first`, then doubled each time, up to `longest`."""
    return (min(first * 2 ** min(number, 10), longest) for number in itertools.count())


def pause_after(error: Exception, pause: float) -> float:
    """Seconds to wait after a failure: those that Telegram names, else `pause`."""
    return float(error.retry_after) if isinstance(error, TelegramRetryAfter) else pause


async def logged(work: Awaitable[None], what: str) -> None:
    """Awaits `work`; an unexpected error becomes a line of the log with its traceback, and the bot goes on.

    Args:
        work: what is done.
        what: names it in the log.
    """
    try:
        await work
    except Exception:  # noqa: BLE001 (the border of one piece of work; it is logged with its traceback)
        get_logger(__name__).exception("unexpected error", what=what)
