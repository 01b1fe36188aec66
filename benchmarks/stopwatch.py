"""Stopwatch: turns a piece of work into a figure per item."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from benchmarks.case import Measure

MICROSECONDS = 1e6
MILLISECONDS = 1e3


class WrongResultError(Exception):
    """A contestant did not do the work that it was timed for."""


def per_item(
    work: Callable[[], Awaitable[Any]], items: int, expected: Any = None, *, scale: float = MICROSECONDS
) -> Measure:
    """A measure of the time for one item of the work.

    Args:
        work: does all items.
        items: how many there are.
        expected: what the work must give; None: anything.
        scale: units in a second.
    """

    async def measure() -> float:
        started = perf_counter()
        result = await work()
        seconds = perf_counter() - started
        check(result, expected)
        return seconds / items * scale

    return measure


def per_call(function: Callable[[], Any], calls: int, expected: Any = None) -> Measure:
    """A measure of the microseconds that one call of a plain function takes; what the loop around it costs is left in.

    Args:
        function: called so many times.
        calls: how many times.
        expected: what it must give; None: anything.
    """

    async def measure() -> float:
        check(function(), expected)
        turns = range(calls)
        started = perf_counter()
        for _ in turns:
            function()
        return (perf_counter() - started) / calls * MICROSECONDS

    return measure


def per_second(work: Callable[[], Awaitable[Any]], items: int, expected: Any = None) -> Measure:
    """A measure of how many items the work does in a second.

    Args:
        work: does all items.
        items: how many there are.
        expected: what the work must give; None: anything.
    """
    seconds = per_item(work, items, expected, scale=1.0)

    async def measure() -> float:
        return 1.0 / await seconds()

    return measure


def check(result: Any, expected: Any) -> None:
    """Refuses a wrong result.

    Raises:
        WrongResultError: it is not what was expected.
    """
    if expected is not None and result != expected:
        raise WrongResultError(f"expected {expected!r}, got {result!r}")
