"""Burr: a state machine of actions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from burr.core import Application, ApplicationBuilder, State, action, expr

from benchmarks.case import Measure
from benchmarks.stopwatch import per_item, per_second


@action(reads=["n"], writes=["n"])
def _bump(state: State) -> State:
    return state.update(n=state["n"] + 1)


def steps(count: int) -> Measure:
    """A chain of actions."""
    apps: list[Application] = []

    async def work() -> int:
        return apps.pop().run(halt_after=[f"s{count - 1}"])[2]["n"]

    return _each_with_its_own(apps, lambda: _chain(count, _bump), per_item(work, count, count))


def while_loop(count: int) -> Measure:
    """An action that goes back to itself under a condition."""
    apps: list[Application] = []

    def make() -> Application:
        builder = ApplicationBuilder().with_actions(body=_bump, end=_bump)
        builder = builder.with_transitions(("body", "body", expr(f"n < {count}")), ("body", "end"))
        return builder.with_state(n=0).with_entrypoint("body").build()

    async def work() -> int:
        return apps.pop().run(halt_before=["end"])[2]["n"]

    return _each_with_its_own(apps, make, per_item(work, count, count))


def runs(count: int, length: int, seconds: float) -> Measure:
    """So many chains of sleeping actions at once; making the applications is part of running them."""

    @action(reads=["n"], writes=["n"])
    async def rest(state: State) -> State:
        await asyncio.sleep(seconds)
        return state.update(n=state["n"] + 1)

    async def one() -> None:
        await _chain(length, rest).arun(halt_after=[f"s{length - 1}"])

    async def work() -> int:
        return len(await asyncio.gather(*(one() for _ in range(count))))

    return per_second(work, count * length, count)


def _chain(count: int, body: Any) -> Application:
    names = [f"s{number}" for number in range(count)]
    builder = ApplicationBuilder().with_actions(**dict.fromkeys(names, body))
    builder = builder.with_transitions(*pairwise(names))
    return builder.with_state(n=0).with_entrypoint(names[0]).build()


def _each_with_its_own(apps: list[Application], make: Callable[[], Application], measure: Measure) -> Measure:
    """A state machine runs once; a fresh one is made before each round, outside the measurement."""

    async def prepared() -> float:
        apps.append(make())
        return await measure()

    return prepared
