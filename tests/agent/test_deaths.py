"""A step that was under way when the program died begins again, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agent.running.deaths import MOST_DEATHS, DeadlyError, survived


class Journal:
    """What survives the program."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}

    @property
    def length(self) -> int:
        return sum(not key.startswith("~") for key in self.entries)

    def recall(self, key: str) -> Any:
        return self.entries.get(key)

    async def record(self, entries: Mapping[str, Any]) -> None:
        self.entries.update(entries)


async def life(journal: Journal, *done: str) -> None:
    """A life that ends with the work: nothing after its last entry is seen."""
    block = survived(journal, "the step")
    await block.__aenter__()
    await journal.record(dict.fromkeys(done, 1))


async def test_it_is_given_up_after_as_many_deaths_as_are_borne():
    journal = Journal()
    for _ in range(MOST_DEATHS):
        await life(journal)
    with pytest.raises(DeadlyError, match=f"ended {MOST_DEATHS + 1} times while the step was running"):
        await life(journal)


async def test_a_life_in_which_it_got_further_begins_the_count_anew():
    journal = Journal()
    for number in range(5 * MOST_DEATHS):
        await life(journal, f"action {number}")
    for _ in range(MOST_DEATHS):
        await life(journal)
    with pytest.raises(DeadlyError):
        await life(journal)


async def test_being_broken_off_in_good_order_counts_nothing():
    journal = Journal()
    for _ in range(5 * MOST_DEATHS):
        with pytest.raises(asyncio.CancelledError):
            async with survived(journal, "the step"):
                raise asyncio.CancelledError
