"""The gate of a running task: held by several, passed by none of its steps, and its clocks stand still with it."""

from __future__ import annotations

import asyncio

import pytest

from aura_core.asynccontext import current_scope
from aura_core.engine.time_limit import within
from aura_core.execution.gate import Gate
from aura_core.execution.task_scope import TaskScope
from aura_core.interrupts.pausing import Pause


class Clock:
    def __init__(self) -> None:
        self.stands = 0

    def pause(self) -> None:
        self.stands += 1

    def resume(self) -> None:
        self.stands -= 1


async def test_a_clock_that_begins_while_the_task_is_held_stands_still_too():
    gate, clock = Gate(), Clock()
    async with Pause((0, "a"), [gate]):
        with gate.clocks.running(clock):
            assert clock.stands == 1
    assert clock.stands == 1


async def test_a_time_limit_inside_a_held_task_stands_still():
    gate = Gate()
    current_scope.set(TaskScope(gate=gate))
    work = asyncio.create_task(within(0.1, gate.passed(), "the step"))
    async with Pause((0, "a"), [gate]):
        await asyncio.sleep(0)
        inside = asyncio.create_task(within(0.1, gate.passed(), "the step"))
        async with Pause((0, "b"), []):
            await asyncio.sleep(0.2)
    await work
    await inside


async def test_a_time_limit_goes_on_after_the_hold_and_counts_what_was_left():
    gate = Gate()
    current_scope.set(TaskScope(gate=gate))
    work = asyncio.create_task(within(0.1, asyncio.Event().wait(), "the step"))
    await asyncio.sleep(0)
    async with Pause((0, "a"), [gate]):
        await asyncio.sleep(0.15)
        assert not work.done()
    with pytest.raises(TimeoutError):
        await work


async def test_a_time_limit_that_rang_before_the_hold_stays_rung():
    gate = Gate()
    current_scope.set(TaskScope(gate=gate))
    ended = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
            await asyncio.sleep(0.05)

    work = asyncio.create_task(within(0.01, stubborn(), "the step"))
    await ended.wait()
    async with Pause((0, "a"), [gate]):
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await work
