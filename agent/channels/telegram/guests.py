"""Strangers at the door: told once a day how its owner lets them in, and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiogram.types import Message

from agent.channels.telegram.destination import Destination
from agent.channels.telegram.sending import Sender
from agent.channels.telegram.store import Store
from agent.channels.telegram.text import Part
from agent.channels.telegram.transport import message as message_to

if TYPE_CHECKING:
    from agent.app import App

GUEST_PROFILE = "guest"
DAY_SECONDS = 86_400


class Guests:
    """Knows who is a stranger, and who was told so.

    Args:
        app: knows the profiles.
        sender: sends the one message.
        store: remembers whom it was sent to.
    """

    def __init__(self, app: App, sender: Sender, store: Store) -> None:
        self._app = app
        self._sender = sender
        self._store = store

    def is_guest(self, person: str) -> bool:
        """Whether nobody let this person in."""
        return self._app.profile_of(person).name == GUEST_PROFILE

    async def greet(self, message: Message) -> None:
        """Says how to get in, at most once a day per person."""
        user_id, now = message.chat.id, time.time()
        row = self._store.row("SELECT told_at FROM guests WHERE user_id = ?", user_id)
        if row is not None and now - row["told_at"] < DAY_SECONDS:
            return
        self._store.run("INSERT OR REPLACE INTO guests VALUES (?, ?)", user_id, now)
        text = (
            "Hello! This is somebody's private assistant, and it does not know you yet. "
            f"Your Telegram id is {user_id}. Its owner lets you in with AURA_TELEGRAM_OWNERS=[{user_id}] in the "
            "environment, or with telegram.owners in aura.yaml, and a restart of the bot."
        )
        await self._sender.once(f"guest:{user_id}:{int(now)}", message_to(Destination(user_id), Part(text)))
