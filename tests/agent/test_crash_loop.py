"""A step that was under way when the program died begins again, but not for ever, and takes no other along."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agent.contracts import ExecutorRequest, PlanStep
from agent.run.crash_loop import MOST_CRASHES, CrashLoopError, CrashLoopGuard
from aura_core.durable.protocol import TaskRecord


class Nothing:
    """Records of nothing: no question is open."""

    async def get(self, _id: str) -> TaskRecord | None:
        return None

    async def list(self, **_filter: Any) -> Sequence[TaskRecord]:
        return []

    async def steps(self, _id: str) -> dict[str, Any]:
        return {}

    async def signals(self, _id: str) -> dict[str, Any]:
        return {}


class Journal:
    """What survives the program."""

    resumed = True

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}

    @property
    def length(self) -> int:
        return sum(not key.startswith("~") for key in self.entries)

    def recall(self, key: str) -> Any:
        return self.entries.get(key)

    async def record(self, entries: Mapping[str, Any]) -> None:
        self.entries.update(entries)


STEP = ExecutorRequest(
    run_id="r", session_id="s", step=PlanStep(id="s1", task="lab/die"), idempotency_key="r/s1", profile="owner"
)


async def life(journal: Journal, *done: str) -> None:
    """A life that ends with the work: nothing after its last entry is seen."""
    await CrashLoopGuard(Nothing()).watched(STEP, journal).__aenter__()
    await journal.record(dict.fromkeys(done, 1))


async def test_it_is_given_up_after_as_many_deaths_as_are_borne():
    journal = Journal()
    for _ in range(MOST_CRASHES):
        await life(journal)
    with pytest.raises(CrashLoopError, match=rf"ended {MOST_CRASHES + 1} times while s1 \(lab/die\) was running"):
        await life(journal)


async def test_a_life_in_which_it_got_further_begins_the_count_anew():
    journal = Journal()
    for number in range(5 * MOST_CRASHES):
        await life(journal, f"action {number}")
    for _ in range(MOST_CRASHES):
        await life(journal)
    with pytest.raises(CrashLoopError):
        await life(journal)


async def test_being_broken_off_in_good_order_counts_nothing():
    journal = Journal()
    for _ in range(5 * MOST_CRASHES):
        with pytest.raises(asyncio.CancelledError):
            async with CrashLoopGuard(Nothing()).watched(STEP, journal):
                raise asyncio.CancelledError


async def test_the_first_life_of_a_step_leaves_no_trace():
    journal = Journal()
    journal.resumed = False
    await life(journal)
    assert journal.entries == {}


async def test_an_innocent_step_beside_a_deadly_one_is_begun_in_the_end():
    deadly, innocent = Journal(), Journal()
    finished = False
    for _ in range(4 * MOST_CRASHES):
        suspects = CrashLoopGuard(Nothing())
        died = asyncio.Event()

        async def die(suspects: CrashLoopGuard = suspects, died: asyncio.Event = died) -> None:
            async with suspects.watched(STEP, deadly):
                died.set()
                await asyncio.Event().wait()

        async def work(suspects: CrashLoopGuard = suspects) -> None:
            nonlocal finished
            async with suspects.watched(STEP, innocent):
                await asyncio.sleep(0.01)
                finished = True

        tasks = [asyncio.create_task(die()), asyncio.create_task(work())]
        dead = asyncio.create_task(died.wait())
        await asyncio.wait([tasks[0], dead], return_when=asyncio.FIRST_COMPLETED)
        given_up = tasks[0].done()
        if given_up:
            await tasks[1]
        before = dict(deadly.entries), dict(innocent.entries)
        for task in (*tasks, dead):
            task.cancel()
        await asyncio.gather(*tasks, dead, return_exceptions=True)
        deadly.entries, innocent.entries = before
        if given_up:
            break
    assert isinstance(tasks[0].exception(), CrashLoopError)
    assert finished
