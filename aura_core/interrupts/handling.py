"""Handling: asks conditions and runs handlers, through the Orchestrator of the plan that describes them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from aura_core.engine.failure import explain, task_error
from aura_core.engine.time_limit import within
from aura_core.execution.calls import Unfinished
from aura_core.execution.cancellation import being_ended
from aura_core.execution.system_exit import failure_for
from aura_core.execution.task_scope import beside_the_task, given_up_calls
from aura_core.execution.thread_limit import ThreadLimit
from aura_core.ground.logger import get_logger
from aura_core.interrupts.events import InterruptFired
from aura_core.tasklet import TaskError

if TYPE_CHECKING:
    from typing import Literal

    from aura_core.ground.events import EventBus
    from aura_core.interrupts.watched import Watched
    from aura_core.orchestrator import Orchestrator
    from aura_core.tasklet import RunInfo

CONDITION_SECONDS = 30.0
"""For a condition."""
HANDLER_SECONDS = 600.0
"""For a handler without a `timeout` of its own."""

_log = get_logger(__name__)


class Handling:
    """What all watchers share.

    Args:
        orchestrator: plan name -> its Orchestrator.
        events: told when a handler begins and ends.
    """

    def __init__(self, orchestrator: Callable[[str], Orchestrator], events: EventBus) -> None:
        self._orchestrator = orchestrator
        self._events = events
        self._failing: dict[str, type[Exception]] = {}
        self._threads: WeakKeyDictionary[Callable[..., Any], ThreadLimit] = WeakKeyDictionary()
        self._unfinished: dict[str, Unfinished] = defaultdict(Unfinished)

    async def holds(self, one: Watched, run: RunInfo) -> bool:
        """Whether the condition of an interrupt holds.

        One that fails does not; that is logged once, until it works again or fails with another kind of error. A plain
        function that was given up is not asked again before it has returned, by no task; no places wait for it.

        Args:
            one: the interrupt.
            run: the run behind the check.
        """
        condition = one.interrupt.condition.as_data()
        try:
            orchestrator = self._orchestrator(one.plan)
            action = orchestrator.condition_action(condition)
            threads = self._threads.setdefault(action.function, ThreadLimit()) if action.how == "io" else None
            async with nullcontext() if threads is None else threads.turn():
                check = orchestrator.perform_condition_check(condition, run=run)
                with beside_the_task():
                    held = await within(CONDITION_SECONDS, check, f"the condition of interrupt {one.ref}")
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (told by `_failed`, whatever it is)
            self._failed(one, _own_failure(error, "The condition"))
            return False
        if self._failing.pop(one.ref, None) is not None:
            _log.info("interrupt_condition_works_again", interrupt=one.ref)
        return held

    async def handle_for_all(self, one: Watched, run: RunInfo) -> None:
        """Runs the handler of an interrupt that watches over all tasks; its calls belong to no task.

        Args:
            one: the interrupt.
            run: the run behind the handler.
        """
        with given_up_calls(into=self._unfinished[one.ref]):
            await self.handle(one, run, "")

    async def handle(self, one: Watched, run: RunInfo, task: str) -> None:
        """Runs the handler of an interrupt; one that fails is told and changes nothing else.

        Args:
            one: the interrupt.
            run: the run behind the handler.
            task: full reference of the running task; empty if it watches over all.
        """
        self._tell(one, run, task, "began")
        try:
            error = await self._run(one, run)
        except asyncio.CancelledError:
            ended = TaskError("CancelledError", f"Handler {one.interrupt.task} was ended with its task.")
            self._tell(one, run, task, "failed", ended)
            raise
        if error is not None:
            _log.warning("interrupt_handler_failed", interrupt=one.ref, task=task, reason=error.message)
        self._tell(one, run, task, "done" if error is None else "failed", error)

    async def _run(self, one: Watched, run: RunInfo) -> TaskError | None:
        try:
            orchestrator = self._orchestrator(one.plan)
            handler = orchestrator.runtime.find_task(one.interrupt.task)
            work = orchestrator.execute_task(handler.ref, run=run)
            result = await within(handler.meta.timeout or HANDLER_SECONDS, work, f"handler {handler.ref}")
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (told by `handle`, whatever it is)
            return task_error(_own_failure(error, "The handler"), one.interrupt.task)
        return result.error

    def _failed(self, one: Watched, error: Exception) -> None:
        if self._failing.get(one.ref) is not type(error):
            self._failing[one.ref] = type(error)
            _log.warning("interrupt_condition_failed", interrupt=one.ref, reason=explain(error))

    def _tell(
        self,
        one: Watched,
        run: RunInfo,
        task: str,
        phase: Literal["began", "done", "failed"],
        error: TaskError | None = None,
    ) -> None:
        if not self._events.has_subscribers:
            return
        handler = one.interrupt.task
        full = handler if "/" in handler else f"{one.plan}/{handler}"
        event = InterruptFired(one.ref, full, phase, one.interrupt.mode, task, run.corr_id, run.session_id, error)
        self._events.publish(event)


def _own_failure(error: Exception | asyncio.CancelledError, what: str) -> Exception:
    """What an error that came out of a plan's code counts as.

    Raises:
        CancelledError: that code was asked to end.
    """
    if being_ended():
        raise asyncio.CancelledError from error
    return error if isinstance(error, Exception) else failure_for(error, what)
