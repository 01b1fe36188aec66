"""Deaths: a step under which the program ends again and again is given up, so that the program can start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.durable.protocol import StepJournal
from agent.errors import AgentError

MOST_DEATHS = 3
"""So often may the program die with a step, in lives that follow each other, before it is not begun once more."""
KEY = "~deaths"


class DeadlyError(AgentError):
    """The program died with a step too often; the message says how often."""


@dataclass(frozen=True, slots=True)
class _Count:
    """What a step that goes on leaves for its next life.

    Attributes:
        deaths: lives that have ended with it since it last got further.
        entries: how far its journal had come when this life began.
    """

    deaths: int
    entries: int


@asynccontextmanager
async def survived(journal: StepJournal, what: str) -> AsyncGenerator[None]:
    """Around work that goes on after its program was ended: kept in mind for the case that it ends this one too.

    Work that has done something since then, or is broken off in good order, has harmed nobody.

    Args:
        journal: of the work.
        what: the work in words.

    Raises:
        DeadlyError: the program has died with it too often; it does not begin.
    """
    before = _Count(**(journal.recall(KEY) or {"deaths": 0, "entries": -1}))
    deaths = before.deaths + 1 if journal.length == before.entries else 1
    if deaths > MOST_DEATHS:
        raise DeadlyError(
            f"Aura ended {deaths} times while {what} was running, so it is not begun again. Does an action of it end "
            f"the process, or need more memory than there is? An action of kind `cpu` has a process of its own."
        )
    await journal.record({KEY: {"deaths": deaths, "entries": journal.length}})
    try:
        yield
    except asyncio.CancelledError:
        await journal.record({KEY: {"deaths": before.deaths, "entries": journal.length}})
        raise
