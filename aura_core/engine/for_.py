"""The step kind `for`: runs its body for every item, one after the other or side by side."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from aura_core.engine.parallel import side_by_side
from aura_core.engine.recording import along, here, step_label
from aura_core.errors import ExpressionError
from aura_core.ground.replay_key import Turns

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.ground.replay_key import Trail
    from aura_core.language.steps import ForStep

BREATH = 127
MOST_ITEMS = 1_000_000
"""Of an iterator, which cannot say how many it has."""
_MISSING: Any = object()


async def execute(engine: Interpreter, step: ForStep, context: Context) -> None:
    """Runs `do` for every item; `collect` takes the bodies' results in the order of the items."""
    value: Any = step.for_.render(context.variables)
    if isinstance(value, Iterator):
        value = await engine.runtime.injector.call_service(unrolled, value=value)
    items = items_of(value)
    loop = here().inside(step_label(engine, step)) if engine.recorded else None
    if step.parallel is not None:
        results = await _side_by_side(engine, step, context, items, loop)
    else:
        turns = None if loop is None else Turns(loop)
        results = await along(turns, _one_after_the_other(engine, step, context, items, turns))
    if step.collect is not None:
        context.variables[step.collect] = results


def items_of(value: Any) -> Sequence[Any]:
    """The items of what `for` was given: a list's, a mapping's as `{key, value}`, or the numbers below a number.

    Raises:
        ExpressionError: it is none of these.
    """
    if isinstance(value, list | tuple | range):
        return cast("Sequence[Any]", value)
    if isinstance(value, bool | str | bytes) or value is None:
        raise ExpressionError(f"`for` needs a list, a mapping or a number, but got {value!r}.")
    if isinstance(value, int | float):
        if value > sys.maxsize:
            raise ExpressionError(f"`for` counts to {sys.maxsize} at most.")
        if value < 0 or (isinstance(value, float) and not value.is_integer()):
            raise ExpressionError(f"`for` counts to a whole number from 0 on, but got {value!r}.")
        return range(int(value))
    if isinstance(value, Mapping):
        return [{"key": key, "value": item} for key, item in cast("Mapping[Any, Any]", value).items()]
    if isinstance(value, AbstractSet | Sequence):
        return list(cast("Iterable[Any]", value))
    raise ExpressionError(f"`for` needs a list, a mapping or a number, but got {type(value).__name__}.")


def unrolled(value: Iterator[Any]) -> list[Any]:
    """The items of an iterator or generator that an action returned; each may take its time, and keeps nobody waiting.

    Raises:
        ExpressionError: it does not end.
    """
    items = list(islice(value, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise ExpressionError(f"`for` was given an iterator of more than {MOST_ITEMS:,} items; does it end?")
    return items


async def _one_after_the_other(
    engine: Interpreter, step: ForStep, context: Context, items: Sequence[Any], turns: Turns | None
) -> list[Any]:
    scope, name, body, collect, last = context.variables, step.as_, step.do, step.collect, len(items) - 1
    outer = {key: scope.get(key, _MISSING) for key in ("loop", name)}
    results: list[Any] = []
    try:
        for index, item in enumerate(items):
            if turns is not None:
                turns.begin(item)
            scope["loop"] = _loop(index, last)
            scope[name] = item
            if collect is None:
                await engine.run_block(body, context)
            else:
                results.append(await _body_result(engine, step, context))
            engine.turns += 1
            if not engine.turns & BREATH:
                await asyncio.sleep(0)
    finally:
        for key, value in outer.items():
            if value is _MISSING:
                scope.pop(key, None)
            else:
                scope[key] = value
    return results


async def _side_by_side(
    engine: Interpreter, step: ForStep, context: Context, items: Sequence[Any], loop: Trail | None
) -> list[Any]:
    results: list[Any] = [None] * len(items) if step.collect is not None else []
    last = len(items) - 1
    work = iter(enumerate(items))

    async def worker(turns: Turns | None) -> None:
        for index, item in work:
            if turns is not None:
                turns.begin(item)
            fork = context.fork()
            fork.variables["loop"] = _loop(index, last)
            fork.variables[step.as_] = item
            result = await _body_result(engine, step, fork)
            if step.collect is not None:
                results[index] = result
            await asyncio.sleep(0)

    def branch() -> Awaitable[None]:
        turns = None if loop is None else Turns(loop)
        return along(turns, worker(turns))

    await side_by_side([branch] * min(step.parallel or 1, len(items)))
    return results


async def _body_result(engine: Interpreter, step: ForStep, context: Context) -> Any:
    """What the body gave the `collect` variable, if it set it; else the result of its last step that has one."""
    context.variables.pop(step.collect or "", None)
    context.last = None
    await engine.run_block(step.do, context)
    given = context.variables.get(step.collect or "", _MISSING)
    return context.last if given is _MISSING else given


def _loop(index: int, last: int) -> dict[str, Any]:
    return {"index": index + 1, "index0": index, "first": index == 0, "last": index == last, "length": last + 1}
