"""Fetching updates by long polling: every fault is survived, and Telegram's wish for a pause is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramConflictError,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetUpdates
from aiogram.types import Update
from pydantic import ValidationError

from agent.channels.telegram.failures import STORE_ERRORS, described, pause_after, pauses
from agent.errors import ConfigError
from aura_core.ground.logger import get_logger

POLL_SECONDS = 25
GRACE_SECONDS = 15
"""A poll that is not answered so long after its time is dead, and a new one begins."""
LONGEST_PAUSE = 30.0
KINDS = ["message", "callback_query"]
REFUSED = (
    "Telegram refuses the token: TELEGRAM_TOKEN (telegram.token in aura.yaml) is wrong or was revoked. "
    "Get the current one from @BotFather with /token."
)


class Poller:
    """Fetches updates of one bot.

    Args:
        bot: the bot.
        take: stores an update; called in order; the update is confirmed after it returns.
        first_pause: seconds after the first failure; doubled each time, up to half a minute.
    """

    def __init__(self, bot: Bot, take: Callable[[Update], Awaitable[None]], *, first_pause: float = 1.0) -> None:
        self._bot = bot
        self._take = take
        self._first_pause = first_pause
        self._log = get_logger(__name__)

    async def run(self) -> None:
        """Polls until cancelled.

        Raises:
            ConfigError: Telegram does not know the token any more.
        """
        offset: int | None = None
        waits = pauses(self._first_pause, LONGEST_PAUSE)
        while True:
            try:
                for number, update in await self._fetch(offset):
                    if update is not None:
                        await self._take(update)
                    offset = number + 1
            except TelegramUnauthorizedError as error:
                raise ConfigError(REFUSED) from error
            except (AiogramError, OSError, *STORE_ERRORS) as error:
                await self._pause(error, next(waits))  # what was not stored is not confirmed: Telegram gives it again
            else:
                waits = pauses(self._first_pause, LONGEST_PAUSE)

    async def _fetch(self, offset: int | None) -> list[tuple[int, Update | None]]:
        """The next updates by number; None for one that cannot be read."""
        method = GetUpdates(offset=offset, timeout=POLL_SECONDS, allowed_updates=KINDS)
        try:
            updates = await self._bot(method, request_timeout=POLL_SECONDS + GRACE_SECONDS)
        except ClientDecodeError as error:
            if not isinstance(error.data, dict):
                raise
            return self._one_by_one(cast("dict[str, Any]", error.data))
        return [(update.update_id, update) for update in updates]

    def _one_by_one(self, answer: dict[str, Any]) -> list[tuple[int, Update | None]]:
        """Reads what can be read, so that one strange update does not make the bot deaf."""
        found: list[tuple[int, Update | None]] = []
        for item in cast("list[dict[str, Any]]", answer.get("result") or []):
            try:
                found.append((item["update_id"], Update.model_validate(item)))
            except ValidationError as error:
                self._log.error("update cannot be read and is left out", update=item["update_id"], error=str(error))
                found.append((item["update_id"], None))
        return found

    async def _pause(self, error: Exception, pause: float) -> None:
        what, seconds = "poll failed", pause_after(error, pause)
        if isinstance(error, TelegramConflictError):
            what = "another program polls with this bot's token"
        elif isinstance(error, STORE_ERRORS):
            what = "what came cannot be stored; Telegram keeps it"
        self._log.warning(what, error=described(error), pause=seconds)
        await asyncio.sleep(seconds)
