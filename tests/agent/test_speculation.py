"""Speculation: taken once, owned to the end, and only for steps that read what is known."""

from __future__ import annotations

import asyncio

import pytest

from agent.contracts import ExecutorResponse, PlanStep, TaskCard
from agent.executor import prefetchable
from agent.steps.speculation import LIMIT, Speculation


async def answer() -> ExecutorResponse:
    return ExecutorResponse(step_id="early", status="ok", output=1)


async def test_a_result_is_taken_once():
    speculation = Speculation()
    assert speculation.start("f", answer)
    assert not speculation.start("f", answer)
    taken = await speculation.take("f")
    assert taken is not None
    assert taken.output == 1
    assert await speculation.take("f") is None


async def test_a_failure_is_as_if_nothing_had_been_started():
    async def fail() -> ExecutorResponse:
        return ExecutorResponse(step_id="early", status="error")

    async def explode() -> ExecutorResponse:
        raise ValueError("no")

    speculation = Speculation()
    speculation.start("f", fail)
    speculation.start("g", explode)
    assert await speculation.take("f") is None
    assert await speculation.take("g") is None


async def test_what_nobody_took_is_ended_at_close():
    ended = asyncio.Event()

    async def slow() -> ExecutorResponse:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return await answer()

    speculation = Speculation()
    speculation.start("f", slow)
    await asyncio.sleep(0)
    await speculation.close()
    assert ended.is_set()


async def test_it_never_runs_more_than_its_limit():
    speculation = Speculation()
    started = [speculation.start(str(number), answer) for number in range(LIMIT + 3)]
    assert started.count(True) == LIMIT
    await speculation.close()


@pytest.mark.parametrize(
    ("inputs", "card", "wanted"),
    [
        ({"name": "a"}, {}, True),
        ({"name": "${s1}"}, {}, False),
        ({}, {}, False),
        ({"name": "a"}, {"effects": "write"}, False),
        ({"name": "a"}, {"resources": ["llm"]}, False),
        ({"name": "https://made.up", "x": 1}, {"grounded": True}, False),
        ({"name": "hello"}, {"grounded": True}, True),
    ],
)
def test_only_steps_that_read_what_is_known_start_early(inputs, card, wanted):
    grounded = card.pop("grounded", False)
    schema = {"type": "object", "properties": {"name": {"type": "string", "grounded": grounded}}, "required": ["name"]}
    step = PlanStep(id="s1", task="files/read", inputs=inputs)
    assert prefetchable(step, TaskCard(task="files/read", inputs=schema, **card), "Say Hello, please") is wanted
