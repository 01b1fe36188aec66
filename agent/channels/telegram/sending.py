"""Calls of the Bot API that survive its faults: a message at most once per key, an edit until it is there.

`sendMessage` is not idempotent, so after a doubtful failure (the connection broke, 500, 502, or the program was killed
meanwhile) the message is looked for before it is sent again: an edit to the very same content succeeds, or answers
"message is not modified", only on the message in question.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import islice
from typing import Any, TypeVar

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramMigrateToChat, TelegramRetryAfter
from aiogram.methods import (
    EditMessageCaption,
    EditMessageText,
    SendDocument,
    SendMessage,
    TelegramMethod,
)

from agent.channels.telegram.failures import STORE_ERRORS, described, is_unchanged, meaning_of, pauses
from agent.channels.telegram.rate_limiter import RateLimiter
from agent.channels.telegram.records import UNDELIVERABLE, Sending, Sendings
from agent.errors import ChannelAwayError
from aura_core.ground.logger import get_logger

ResultT = TypeVar("ResultT")
MAX_ATTEMPTS = 60
LONGEST_PAUSE = 60.0
LOOKED_AT = 8
"""How many message ids after the last known one may be the lost message."""
REQUEST_SECONDS = 30
UPLOAD_SECONDS = 300
GAVE_UP = "Telegram could not be reached for about an hour."


class Sender:
    """Sends for one bot.

    Args:
        bot: the bot.
        limiter: gives turns.
        sendings: remembers what was sent.
        first_pause: seconds after the first failure; doubled each time, up to a minute.
    """

    def __init__(self, bot: Bot, limiter: RateLimiter, sendings: Sendings, *, first_pause: float = 1.0) -> None:
        self._bot = bot
        self._limiter = limiter
        self._sendings = sendings
        self._first_pause = first_pause
        self._orders: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._log = get_logger(__name__)

    async def once(self, key: str, method: SendMessage | SendDocument) -> int | None:
        """The same as `send`, for what nobody sends again later: None also if it cannot be sent now."""
        try:
            return await self.send(key, method)
        except ChannelAwayError as error:
            self._log.error("message not delivered", key=key, chat=int(method.chat_id), error=str(error))
            return None

    async def send(self, key: str, method: SendMessage | SendDocument) -> int | None:
        """Sends a message unless it was sent before under this key, also by a process that was killed.

        Returns:
            The message's id; None if Telegram will never take it (blocked, chat gone).

        Raises:
            ChannelAwayError: Telegram could not be reached for about an hour, or the channel's memory not be written.
        """
        try:
            return await self._send(key, method)
        except STORE_ERRORS as error:
            raise ChannelAwayError(f"The bot's memory of what it sent cannot be used: {error}") from error

    async def _send(self, key: str, method: SendMessage | SendDocument) -> int | None:
        chat_id = int(method.chat_id)
        async with self._orders[chat_id]:
            before = await self._sendings.get(key)
            if before is not None and before.message_id is not None:
                return _arrived(before)
            sending = before or await self._sendings.begin(key, chat_id)
            message_id = await self._deliver(method, sending.after, doubtful=before is not None)
            ending = self._sendings.end(key, chat_id, UNDELIVERABLE if message_id is None else message_id)
            await asyncio.shield(ending)  # it is noted also if the caller is cancelled just now
            return message_id

    async def message_of(self, key: str) -> int | None:
        """The message that was sent under this key."""
        return _arrived(await self._sendings.get(key))

    async def found(self, key: str, method: SendMessage) -> int | None:
        """The message that was begun under this key; None if it never arrived, or Telegram stays away.

        Args:
            key: of the message.
            method: what it may look like from now on, if a sending that was cut off hides whether it arrived.
        """
        chat_id = int(method.chat_id)
        async with self._orders[chat_id]:
            sending = await self._sendings.get(key)
            if sending is None or sending.message_id is not None:
                return _arrived(sending)
            try:
                message_id = await self._find(method, sending.after)
            except ChannelAwayError as error:
                self._log.warning("search given up", key=key, chat=chat_id, error=str(error))
                return None
            if message_id is not None:
                await asyncio.shield(self._sendings.end(key, chat_id, message_id))
            return message_id

    async def surely(self, method: TelegramMethod[ResultT], chat_id: int) -> ResultT | None:
        """Makes a call that may be repeated, until it is answered; None if it is refused or Telegram stays away."""
        try:
            return await self._repeated(method, chat_id)
        except ChannelAwayError as error:
            self._log.warning("call given up", chat=chat_id, error=str(error))
        except AiogramError as error:
            if not is_unchanged(error):
                self._log.warning("call refused", chat=chat_id, error=described(error))
        return None

    async def perhaps(self, method: TelegramMethod[Any], chat_id: int) -> bool:
        """Makes a call that is merely nice, if there is a turn to spare; True if it is done, or was done before."""
        return self._limiter.spare(chat_id) and await self.perhaps_now(method, chat_id)

    async def perhaps_now(self, method: TelegramMethod[Any], chat_id: int) -> bool:
        """The same for a call that takes no turn: typing, the answer to a tap."""
        if self._limiter.is_held(chat_id):
            return False
        try:
            await self._bot(method, request_timeout=REQUEST_SECONDS)
        except AiogramError as error:
            if isinstance(error, TelegramRetryAfter):
                self._limiter.hold(chat_id, error.retry_after)
            if is_unchanged(error):
                return True
            self._log.info("call dropped", chat=chat_id, error=described(error))
            return False
        return True

    async def _deliver(self, method: SendMessage | SendDocument, after: int, *, doubtful: bool) -> int | None:
        chat_id = int(method.chat_id)
        for pause in islice(pauses(self._first_pause, LONGEST_PAUSE), MAX_ATTEMPTS):
            if doubtful and (found := await self._find(method, after)) is not None:
                return found
            await self._limiter.turn(chat_id)
            try:
                seconds = UPLOAD_SECONDS if isinstance(method, SendDocument) else REQUEST_SECONDS
                return (await self._bot(method, request_timeout=seconds)).message_id
            except AiogramError as error:
                doubtful = meaning_of(error) == "doubtful"
                if meaning_of(error) != "refused":
                    await self._pause(chat_id, pause, error)
                    continue
                milder = _milder(method, error)
                if milder is None:
                    self._log.warning("message refused", chat=chat_id, error=described(error))
                    return None
                method = milder
        raise ChannelAwayError(GAVE_UP)

    async def _find(self, method: SendMessage | SendDocument, after: int) -> int | None:
        """Looks for a message that may have arrived; it can only have one of the next ids that nobody knows."""
        if not after:
            return None
        chat_id = int(method.chat_id)
        for number in await self._sendings.unknown_after(chat_id, after, LOOKED_AT):
            try:
                await self._repeated(_same_content(method, number), chat_id)
            except AiogramError as error:
                if not is_unchanged(error):
                    continue
            return number
        return None

    async def _repeated(self, method: TelegramMethod[ResultT], chat_id: int) -> ResultT:
        for pause in islice(pauses(self._first_pause, LONGEST_PAUSE), MAX_ATTEMPTS):
            await self._limiter.turn(chat_id)
            try:
                return await self._bot(method, request_timeout=REQUEST_SECONDS)
            except AiogramError as error:
                if meaning_of(error) == "refused":
                    raise
                await self._pause(chat_id, pause, error)
        raise ChannelAwayError(GAVE_UP)

    async def _pause(self, chat_id: int, seconds: float, error: AiogramError) -> None:
        """Waits after a failure; as long as Telegram says, nothing is sent to the chat."""
        if isinstance(error, TelegramRetryAfter):
            self._limiter.hold(chat_id, error.retry_after)
            return
        self._log.warning("call failed, trying again", chat=chat_id, error=described(error), pause=seconds)
        await asyncio.sleep(seconds)


def _arrived(sending: Sending | None) -> int | None:
    """The id of a message that is certainly there."""
    return None if sending is None or sending.message_id == UNDELIVERABLE else sending.message_id


def _milder(method: SendMessage | SendDocument, error: AiogramError) -> SendMessage | SendDocument | None:
    """The same message without what Telegram did not like about it; None if there is nothing left to leave out."""
    if isinstance(error, TelegramMigrateToChat):
        return method.model_copy(update={"chat_id": error.migrate_to_chat_id})
    if not isinstance(error, TelegramBadRequest):
        return None
    words = error.message.lower()
    for mark, name in (("entit", "entities"), ("thread", "message_thread_id"), ("repl", "reply_parameters")):
        if mark in words and getattr(method, name, None):
            return method.model_copy(update={name: None})
    return None


def _same_content(method: SendMessage | SendDocument, message_id: int) -> EditMessageText | EditMessageCaption:
    """The edit that changes nothing if the message is the one that `method` sends."""
    if isinstance(method, SendMessage):
        return EditMessageText(
            chat_id=method.chat_id,
            message_id=message_id,
            text=method.text,
            entities=method.entities,
            link_preview_options=method.link_preview_options,
            reply_markup=method.reply_markup,  # pyright: ignore[reportArgumentType] (this bot sends inline keyboards only)
        )
    return EditMessageCaption(chat_id=method.chat_id, message_id=message_id, caption=method.caption)
