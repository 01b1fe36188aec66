"""What was sent under which key, and which messages exist: seed 004's record_message, kept over restarts."""

from __future__ import annotations

import time
from dataclasses import dataclass

from agent.channels.telegram.store import Store

SUPERGROUPS_BELOW = -(10**12)
UNDELIVERABLE = -1


@dataclass(frozen=True, slots=True)
class Sending:
    """One message that was begun.

    Attributes:
        after: the newest message id that was known then.
        message_id: the message; None while it is not known whether it arrived; -1 if Telegram will not take it.
    """

    after: int
    message_id: int | None


class Sendings:
    """Remembers sendings and messages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> Sending | None:
        """The sending of that key, if it was begun."""
        row = self._store.row("SELECT after, message_id FROM sendings WHERE key = ?", key)
        return Sending(row["after"], row["message_id"]) if row else None

    def begin(self, key: str, chat_id: int) -> Sending:
        """Remembers that a message is about to be sent."""
        sending = Sending(self.newest(chat_id), None)
        self._store.run(
            "INSERT INTO sendings (key, chat_id, after, at) VALUES (?, ?, ?, ?)",
            key,
            chat_id,
            sending.after,
            time.time(),
        )
        return sending

    def end(self, key: str, chat_id: int, message_id: int) -> None:
        """Remembers how it ended."""
        self._store.run("UPDATE sendings SET message_id = ? WHERE key = ?", message_id, key)
        if message_id != UNDELIVERABLE:
            self.record_message(chat_id, message_id)

    def record_message(self, chat_id: int, message_id: int) -> None:
        """Remembers that a message exists (seed 004)."""
        self._store.run("INSERT OR IGNORE INTO messages VALUES (?, ?, ?)", chat_id, message_id, time.time())

    def newest(self, chat_id: int) -> int:
        """The newest message id known in the chat's numbering; 0 if none is."""
        low, high = _numbering(chat_id)
        row = self._store.row("SELECT MAX(message_id) AS id FROM messages WHERE chat_id BETWEEN ? AND ?", low, high)
        return (row["id"] or 0) if row else 0

    def unknown_after(self, chat_id: int, after: int, count: int) -> list[int]:
        """The next `count` message ids after `after` that no known message has."""
        low, high = _numbering(chat_id)
        rows = self._store.rows(
            "SELECT message_id FROM messages WHERE chat_id BETWEEN ? AND ? AND message_id > ?", low, high, after
        )
        known = {row["message_id"] for row in rows}
        return [number for number in range(after + 1, after + 1 + count) if number not in known]


def _numbering(chat_id: int) -> tuple[int, int]:
    """The chats that share one numbering of messages: a supergroup has its own, all others count together."""
    return (chat_id, chat_id) if chat_id < SUPERGROUPS_BELOW else (SUPERGROUPS_BELOW, 2**62)
