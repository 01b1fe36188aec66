"""The step kind `parallel`: runs branches side by side, each in a fork."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from aura_core.context import RESERVED
from aura_core.engine.signals import JumpSignal, StopTaskException
from aura_core.slots import current_slots

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.engine import ExecutionEngine
    from aura_core.model.steps import ParallelStep

_MISSING: Any = object()


async def execute(engine: ExecutionEngine, step: ParallelStep, context: Context) -> None:
    """Runs the branches; when all have succeeded, the variables they set are here too, later branches last.

    A branch sees nothing of what the others do meanwhile. The first failure, jump or stop ends the others.
    """
    forks = [context.fork() for _ in step.parallel]

    def branch(index: int) -> Callable[[], Awaitable[None]]:
        return lambda: engine.run_block(step.parallel[index], forks[index])

    await side_by_side([branch(index) for index in range(len(forks))])
    before = context.variables.copy()
    for fork in forks:
        for name, value in fork.variables.items():
            if before.get(name, _MISSING) is not value and name not in RESERVED:
                context.variables[name] = value
    context.last = [fork.last for fork in forks]


async def side_by_side(branches: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Runs branches side by side and waits for all.

    Raises:
        JumpSignal: a branch jumps; the others have been cancelled.
        StopTaskException: a branch stops the task.
        Exception: the first failure of a branch.
    """
    if not branches:
        return
    slots = current_slots.get()
    left = len(branches)

    async def run(branch: Callable[[], Awaitable[None]]) -> None:
        nonlocal left
        try:
            await branch()
        finally:
            left -= 1
            if left and slots is not None:
                await slots.end_branch()

    if slots is not None:
        slots.split(left)
    try:
        async with asyncio.TaskGroup() as group:
            for branch in branches:
                group.create_task(run(branch))
    except BaseExceptionGroup as failures:
        if slots is not None:
            await slots.join()
        raise _most_important(failures) from None
    if slots is not None:
        await slots.join()


def _most_important(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """A jump or a stop, if there is one: it is what the author wrote; else the first failure."""
    for failure in failures.exceptions:
        if isinstance(failure, JumpSignal | StopTaskException):
            return failure
    return failures.exceptions[0]
