"""The current plan: set for a block, restored however it ends, apart in concurrent runs."""

from __future__ import annotations

import asyncio

import pytest

from aura_core.asynccontext import current_plan_name, plan_context


async def test_the_plan_is_set_for_the_block_and_restored():
    assert current_plan_name.get() is None
    async with plan_context("a"):
        assert current_plan_name.get() == "a"
        async with plan_context("a"), plan_context("b"):
            assert current_plan_name.get() == "b"
        assert current_plan_name.get() == "a"
        with pytest.raises(ZeroDivisionError):
            async with plan_context("c"):
                raise ZeroDivisionError
        assert current_plan_name.get() == "a"
    assert current_plan_name.get() is None


async def test_concurrent_runs_do_not_see_each_others_plan():
    async def run(plan: str) -> list[str | None]:
        seen: list[str | None] = []
        for _ in range(5):
            async with plan_context(plan):
                await asyncio.sleep(0)
                seen.append(current_plan_name.get())
            seen.append(current_plan_name.get())
        return seen

    results = await asyncio.gather(*(run(plan) for plan in "abc"))
    assert results == [[plan, None] * 5 for plan in "abc"]


async def test_cancellation_restores_the_plan():
    async with plan_context("outer"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), plan_context("inner"):
                await asyncio.sleep(60)
        assert current_plan_name.get() == "outer"
