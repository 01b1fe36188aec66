"""What a failed call of the Bot API means: wait, nothing was done, it may have been done, or it never will be."""

from __future__ import annotations

import re
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
