"""Where something goes: a chat and, in a forum, its topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiogram.types import Message

from agent.addresses import TELEGRAM, TELEGRAM_SESSION, telegram_session

CHANNEL = TELEGRAM
GENERAL_TOPIC = 1


@dataclass(frozen=True, slots=True)
class Destination:
    """A chat and the topic in it.

    Attributes:
        chat_id: the chat.
        thread_id: the topic; None outside forums and in the general one, which Telegram refuses by number.
    """

    chat_id: int
    thread_id: int | None = None

    @classmethod
    def of(cls, dest: dict[str, Any]) -> Destination:
        """Reads the destination of a run."""
        return cls(int(dest["chat_id"]), dest.get("thread_id"))

    @classmethod
    def of_session(cls, session_id: str) -> Destination | None:
        """The chat whose session this is; None for sessions of other channels."""
        number = session_id.removeprefix(TELEGRAM_SESSION)
        if number == session_id or not number.removeprefix("-").isdecimal():
            return None
        return cls(int(number))


def session_of(chat_id: int) -> str:
    """The session of a chat."""
    return telegram_session(chat_id)


def person_of(user_id: int) -> str:
    """A Telegram user as the profiles name people."""
    return f"{CHANNEL}:{user_id}"


def destination_of(message: Message) -> dict[str, Any]:
    """The `dest` of a run that a message begins."""
    dest: dict[str, Any] = {
        "channel": CHANNEL,
        "chat_id": message.chat.id,
        "chat_type": message.chat.type,
        "message_id": message.message_id,
    }
    if message.is_topic_message and message.message_thread_id not in (None, GENERAL_TOPIC):
        dest["thread_id"] = message.message_thread_id
    return dest
