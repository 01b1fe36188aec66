"""The lines of a recorded task: what is told apart, what is kept in memory, and what there is without a record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from aura_core.asynccontext import now
from aura_core.engine.recording import along, begin, here
from aura_core.ground.journal import fingerprint, kept
from aura_core.ground.replay_key import MOST_NOTED, JournalBuffer, Trail

MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)


class Notebook:
    """A journal in memory."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.writes = 0

    def recall(self, key: str) -> Any:
        return self.entries.get(key)

    async def record(self, entries: Mapping[str, Any]) -> None:
        self.entries |= entries
        self.writes += 1


async def test_notes_are_written_when_there_are_many_even_if_nothing_depends_on_them():
    notebook = Notebook()
    buffer = JournalBuffer(notebook)
    for number in range(MOST_NOTED - 1):
        buffer.note(str(number), number)
        await buffer.flush_if_full()
    assert notebook.writes == 0
    buffer.note("the last", 1)
    await buffer.flush_if_full()
    await buffer.flush()
    assert (notebook.writes, len(notebook.entries)) == (1, MOST_NOTED)


async def test_where_nothing_is_recorded_there_is_no_line_and_the_clock_is_the_real_one():
    begin(None, "")
    with pytest.raises(LookupError):
        here()
    assert abs((now() - datetime.now().astimezone()).total_seconds()) < 60


async def test_the_clock_of_a_repeated_line_says_what_it_said_before():
    notebook = Notebook()
    begin(notebook, "t")
    now()
    await here().journal.flush()
    notebook.entries = {key: {"result": kept(MIDNIGHT)} for key in notebook.entries}
    begin(notebook, "t")
    assert now() == MIDNIGHT
    assert now() > MIDNIGHT


async def test_work_along_a_line_leaves_the_line_of_others_alone():
    notebook = Notebook()
    begin(notebook, "t")
    outer = here()

    async def inner() -> Trail:
        await asyncio.sleep(0)
        return here()

    line = outer.inside("x")
    assert await along(line, inner()) is line
    assert here() is outer


def test_values_that_cannot_be_kept_are_told_apart_by_their_kind():
    assert fingerprint(object()) == fingerprint(object())
    assert fingerprint(object()) != fingerprint(fingerprint)
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(1) != fingerprint("1")
