"""Updates that arrived: stored before they are confirmed to Telegram, handled once, also over restarts."""

from __future__ import annotations

from aiogram.types import Update

from agent.channels.telegram.store import Store


class Inbox:
    """Remembers updates."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, update: Update) -> bool:
        """Stores an update; False if it was there before."""
        body = update.model_dump_json(exclude_none=True)
        return (
            self._store.run("INSERT OR IGNORE INTO inbox (update_id, body) VALUES (?, ?)", update.update_id, body) > 0
        )

    def done(self, update_id: int) -> None:
        """The update was handled; only its number is kept."""
        self._store.run("UPDATE inbox SET done = 1, body = '' WHERE update_id = ?", update_id)

    def unhandled(self) -> list[Update]:
        """Updates that a killed process left behind, oldest first."""
        rows = self._store.rows("SELECT body FROM inbox WHERE NOT done ORDER BY update_id")
        return [Update.model_validate_json(row["body"]) for row in rows]
