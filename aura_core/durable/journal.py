"""TaskJournal: what the actions inside one unfinished durable task have done, in the store of its engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aura_core.errors import AuraError
from aura_core.storage.json_values import decode, encode

if TYPE_CHECKING:
    from aura_core.durable.live import Live
    from aura_core.durable.store import Store


class TaskJournal:
    """Implements `aura_core.durable.protocol.StepJournal` for one task.

    Args:
        live: the task.
        store: where it is remembered.
    """

    def __init__(self, live: Live, store: Store) -> None:
        self._live = live
        self._store = store

    @property
    def resumed(self) -> bool:
        """Whether an earlier life of the engine began the task."""
        return self._live.resumed

    @property
    def length(self) -> int:
        """How many entries it holds; those whose key begins with `~` count not."""
        return sum(not key.startswith("~") for key in self._live.past.entries)

    def recall(self, key: str) -> Any:
        """The entry under the key, a new copy every time; None if there is none."""
        text = self._live.past.entries.get(key)
        return None if text is None else decode(text)

    async def record(self, entries: Mapping[str, Any]) -> None:
        """Keeps entries in one transaction.

        A store that cannot write breaks the task off: it goes on after a resume, from what was recorded before.
        """
        texts = [(key, encode(entry, f"journal entry {key!r}")) for key, entry in entries.items()]
        self._live.past.entries.update(texts)
        try:
            await self._store.note(self._live.id, texts)
        except AuraError as error:
            self._live.break_off(error)
            await asyncio.get_running_loop().create_future()  # the cancellation ends this wait
