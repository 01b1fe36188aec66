"""Forgetting: ended firings and one-time jobs that ran go after a week, also while a scheduler runs for months."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aura_core.errors import ScheduleStoreError
from aura_core.ground.logger import get_logger
from aura_core.scheduler.book import JobBook

KEPT = timedelta(days=7)
"""How long ended firings are remembered, so that no change of the clock runs one twice."""
DAY = timedelta(days=1)


class Forgetting:
    """Forgets what `JobStore.prune` means, at the start and once a day of the book's clock.

    Args:
        book: the jobs, and the clock.
    """

    def __init__(self, book: JobBook) -> None:
        self._book = book
        self._at = book.now()

    async def at_once(self) -> None:
        """Forgets what is older than a week.

        Raises:
            ScheduleStoreError: the file cannot be used.
        """
        self._at = self._book.now()
        await asyncio.to_thread(self._book.store.prune, self._at - KEPT)

    async def daily(self) -> None:
        """Forgets if the last time, done or failed, is a day away; a clock that was put back counts as well."""
        if abs(self._book.now() - self._at) < DAY:
            return
        try:
            await self.at_once()
        except ScheduleStoreError as error:
            get_logger(__name__).error("firings_not_forgotten", reason=str(error))
