"""Work beside the main one whose failure must not end the bot: it is logged, and everything else goes on."""

from __future__ import annotations

from collections.abc import Awaitable

from aura_core.ground.logger import get_logger


async def logged(work: Awaitable[None], what: str) -> None:
    """Awaits `work`; an unexpected error becomes a line of the log with its traceback.

    Args:
        work: what is done.
        what: names it in the log.
    """
    try:
        await work
    except Exception:  # noqa: BLE001 (the border of one piece of work; it is logged with its traceback)
        get_logger(__name__).exception("unexpected error", what=what)
