"""Places: calls side by side up to a bound, and work of the lowest priority only while nobody calls."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.places import Places


async def settle(turns: int = 20) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


@given(
    at_once=st.integers(1, 3),
    work=st.lists(st.tuples(st.sampled_from(["call", "alone"]), st.integers(0, 6), st.integers(0, 4)), max_size=12),
)
async def test_calls_keep_to_their_bound_and_never_run_beside_work_that_is_alone(at_once, work):
    places, running, most = Places(at_once), {"call": 0, "alone": 0}, 0

    async def one(kind: str, begins: int, turns: int) -> None:
        nonlocal most
        await settle(begins)
        async with places.call() if kind == "call" else places.alone():
            running[kind] += 1
            most = max(most, running["call"])
            for _ in range(turns):
                assert running["alone"] <= 1
                assert not (running["alone"] and running["call"])
                await asyncio.sleep(0)
            running[kind] -= 1

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for item in work:
            group.create_task(one(*item))
    assert most <= at_once


async def test_work_of_the_lowest_priority_waits_until_every_call_is_over():
    places, order = Places(1), []

    async def call(name: str) -> None:
        async with places.call():
            await settle()
            order.append(name)

    async def alone() -> None:
        async with places.alone():
            order.append("alone")

    async with asyncio.TaskGroup() as group:
        group.create_task(call("first"))
        await settle(2)
        group.create_task(alone())
        await settle(2)
        group.create_task(call("second"))
        group.create_task(call("third"))
    assert order == ["first", "second", "third", "alone"]


async def test_a_call_that_comes_in_the_middle_waits_for_one_piece_and_not_for_the_next():
    places, order = Places(2), []

    async def pieces() -> None:
        for number in range(3):
            async with places.alone():
                await settle()
                order.append(f"piece {number}")

    async with asyncio.TaskGroup() as group:
        group.create_task(pieces())
        await settle(3)
        async with places.call():
            order.append("call")
    assert order == ["piece 0", "call", "piece 1", "piece 2"]


@pytest.mark.parametrize("kind", ["call", "alone"])
async def test_who_is_cancelled_while_waiting_leaves_no_place_taken(kind):
    places = Places(1)
    async with places.call():
        waiting = asyncio.create_task((places.call() if kind == "call" else places.alone()).__aenter__())
        await settle()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        async with places.alone():
            pass
        async with places.call():
            pass
