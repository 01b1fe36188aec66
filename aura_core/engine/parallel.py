"""The step kind `parallel`: runs branches side by side, each in a fork."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from aura_core.context import RESERVED
from aura_core.engine.recording import along, branch_lines
from aura_core.engine.signals import JumpSignal, StopTaskException
from aura_core.execution.cancellation import may_end
from aura_core.execution.task_scope import task_scope

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import ParallelStep


class Given(dict[str, Any]):
    """The variables of a branch, which remember what the branch gave a value.

    Attributes:
        names: of those variables.
    """

    def __init__(self, variables: Mapping[str, Any]) -> None:
        super().__init__(variables)
        self.names: set[str] = set()

    def __setitem__(self, name: str, value: Any) -> None:
        self.names.add(name)
        super().__setitem__(name, value)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """As a mapping's; a name that was there is not given."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As a mapping's."""
        for name, value in dict(*args, **kwargs).items():
            self[name] = value


async def execute(engine: Interpreter, step: ParallelStep, context: Context) -> None:
    """Runs the branches; when all have succeeded, the variables they set are here too, later branches last.

    A branch sees nothing of what the others do meanwhile. The first failure, jump or stop ends the others.
    """
    forks = [context.fork() for _ in step.parallel]
    given = [Given(fork.variables) for fork in forks]
    for fork, variables in zip(forks, given, strict=True):
        fork.variables = variables
    lines = branch_lines(engine, step) if engine.recorded else None

    def branch(index: int) -> Callable[[], Awaitable[None]]:
        block = partial(engine.run_block, step.parallel[index], forks[index])
        if lines is None:
            return block
        line = lines[index]
        return lambda: along(line, block())

    await side_by_side([branch(index) for index in range(len(forks))])
    for variables in given:
        for name in variables.names - RESERVED:
            if name in variables:
                context.variables[name] = variables[name]
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
    slots = task_scope().slots
    left, ending = len(branches), Ending()

    async def run(branch: Callable[[], Awaitable[None]]) -> None:
        nonlocal left
        try:
            with may_end(ending):
                await branch()
        finally:
            left -= 1
            if left and slots is not None:
                await slots.end_branch()

    if slots is not None:
        slots.split(left)
    try:
        await _all([asyncio.create_task(run(branch)) for branch in branches], ending)
    except Exception:
        if slots is not None:
            await slots.join()
        raise
    if slots is not None:
        await slots.join()


class Ending:
    """Whether branches were asked to end.

    Attributes:
        asked: they were.
    """

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """See `may_end`."""
        return self.asked


async def _all(tasks: Sequence[asyncio.Task[None]], ending: Ending) -> None:
    """Waits for all tasks; the first that fails, and cancellation, end the others before anything is raised.

    Not a TaskGroup: before Python 3.13 a failing one leaves a cancellation request behind in the task around it, and
    every asyncio.timeout there goes wrong.
    """
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        ending.asked = any(not task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    failures = [failure for task in done if not task.cancelled() and (failure := task.exception()) is not None]
    if failures:
        raise _most_important(failures)
    if any(task.cancelled() for task in tasks):
        raise asyncio.CancelledError


def _most_important(failures: Sequence[BaseException]) -> BaseException:
    """A jump or a stop, if there is one: it is what the author wrote; else the first failure."""
    return next((failure for failure in failures if isinstance(failure, JumpSignal | StopTaskException)), failures[0])
