"""Addresses: where a person's chat is, as the channel itself would write it, for who wants to reach them unasked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

TELEGRAM, TERMINAL = "telegram", "terminal"
TERMINAL_SESSION = "terminal"
"""The session of `aura chat`, unless it is told another."""
TELEGRAM_SESSION = "telegram-"
"""What the name of a Telegram chat's session begins with; the chat's number follows."""
_CHAT = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is reached.

    Attributes:
        person: as `channel:id`; empty where whoever sits there is meant.
        session_id: the conversation there.
        dest: for the channel; its name is under `channel`.
    """

    person: str
    session_id: str
    dest: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def channel(self) -> str:
        """The name of the channel."""
        return str(self.dest["channel"])


def telegram_session(chat_id: int) -> str:
    """The session of a Telegram chat."""
    return f"{TELEGRAM_SESSION}{chat_id}"


def address_of(name: str) -> Address | None:
    """The address that `channel:id` means; None if it is none.

    Args:
        name: `telegram:ID` of a person or a group, or `terminal`.
    """
    channel, _, number = name.partition(":")
    if channel == TERMINAL:
        return Address("", TERMINAL_SESSION, {"channel": TERMINAL})
    if channel == TELEGRAM and _CHAT.fullmatch(number):
        chat, kind = int(number), {"chat_type": "private"} if not number.startswith("-") else {}
        return Address(name, telegram_session(chat), {"channel": TELEGRAM, "chat_id": chat, **kind})
    return None
