"""InterruptService: which interrupts watch over which running task (seed 000 names it)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import Context
from math import inf
from typing import TYPE_CHECKING, Any

from aura_core.errors import NotFoundError
from aura_core.ground.logger import get_logger
from aura_core.interrupts.guard import Guard
from aura_core.interrupts.handling import Handling
from aura_core.interrupts.pausing import Pause
from aura_core.interrupts.watched import Watched
from aura_core.interrupts.watcher import Watcher
from aura_core.tasklet import RunInfo

if TYPE_CHECKING:
    from aura_core.execution.slots import Slots
    from aura_core.ground.events import EventBus
    from aura_core.language.plan import PlanDefinition
    from aura_core.language.task import TaskDefinition
    from aura_core.orchestrator import Orchestrator


CLOSE_SECONDS = 5.0
"""For whatever still runs when everything is closed; what ignores that it was cancelled is not waited for longer."""

_log = get_logger(__name__)


class InterruptService:
    """Watches over running tasks: those with `activates_interrupts`, and all of them for interrupts of global scope.

    Its only way to check a condition is `Orchestrator.perform_condition_check`.

    Args:
        plans: the plans as they are now, by name; another mapping after they have changed.
        orchestrator: plan name -> its Orchestrator, as the running task began with it.
        events: told when a handler begins and ends.
    """

    def __init__(
        self,
        plans: Callable[[], Mapping[str, PlanDefinition]],
        orchestrator: Callable[[str], Orchestrator],
        events: EventBus,
    ) -> None:
        self._plans = plans
        self._orchestrator = orchestrator
        self._handling = Handling(orchestrator, events)
        self._seen: Mapping[str, PlanDefinition] = {}
        self._global: Sequence[Watched] = ()
        self._guards: set[Guard] = set()
        self._pauses: set[Pause] = set()
        self._due: dict[str, float] = {}
        self._changed: set[str] = set()
        self._watcher: Watcher | None = None
        self._ending: dict[asyncio.Task[None], Watcher] = {}

    def guard(self, task: TaskDefinition, run: RunInfo, slots: Slots) -> Guard | None:
        """What is to be entered around the steps of a task; None if nothing watches over it.

        Args:
            task: the task.
            run: the run behind it.
            slots: the places it holds.
        """
        activated, over_all = task.meta.activates_interrupts, self._over_all()
        if not activated and not over_all:
            return None
        found = [self._activated(*_full_name(name, task.plan)) for name in dict.fromkeys(activated)]
        watched = [one for one in found if one is not None and one.interrupt.scope == "task"]
        if not watched and not over_all:
            return None
        return Guard(task.ref, run, slots, watched=watched, handling=self._handling, overseer=self)

    def joined(self, guard: Guard) -> None:
        """A task begins to run: what watches over all begins with the first one, and may hold it already."""
        self._guards.add(guard)
        for pause in self._pauses:
            pause.cover(guard.gate)
        if self._watcher is None and self._global:
            self._watcher = Watcher(
                self._over_all,
                check=lambda one: self._handling.holds(one, _run_of_nobody()),
                handle=self._handle,
                asleep=lambda: False,
                due=self._due,
            )
            self._watcher.start(_apart)

    def left(self, guard: Guard) -> None:
        """A task has ended: with the last one, what watches over all ends; a handler that has begun goes on."""
        self._guards.discard(guard)
        for pause in list(self._pauses):
            pause.uncover(guard.gate)
        if not self._guards and self._watcher is not None:
            watcher, self._watcher = self._watcher, None
            self._end(watcher, finish=True)

    async def close(self) -> None:
        """Ends handlers of global scope that still run, and whatever watches over tasks that were let go.

        What does not end in `CLOSE_SECONDS` is let go too, and told.
        """
        watchers = {self._watcher, *self._ending.values(), *(guard.watcher for guard in self._guards)}
        self._watcher = None
        for watcher in watchers:
            if watcher is not None:
                self._end(watcher, finish=False)
        if not self._ending:
            return
        _, deaf = await asyncio.wait(self._ending, timeout=CLOSE_SECONDS)
        if deaf:
            running = sorted(ref for ref, due in self._due.items() if due == inf)
            _log.error("interrupts_ignore_cancellation", interrupts=running)

    def _end(self, watcher: Watcher, *, finish: bool) -> None:
        ending = _apart(watcher.stop(finish=finish))
        self._ending[ending] = watcher
        ending.add_done_callback(self._ending.pop)

    def _over_all(self) -> Sequence[Watched]:
        """The interrupts of global scope as the plans have them now, also after an edit."""
        plans = self._plans()
        if plans is not self._seen:
            self._take_in(plans)
        for ref in [ref for ref in self._changed if self._due.get(ref) != inf]:
            self._changed.discard(ref)
            self._due.pop(ref, None)
        return self._global

    def _take_in(self, plans: Mapping[str, PlanDefinition]) -> None:
        """Those that are new or changed are looked at at once, or after the handler that runs; others rest."""
        before = {one.ref: one.interrupt for one in self._global}
        self._seen = plans
        self._global = [
            Watched(plan.name, name, interrupt)
            for plan in plans.values()
            if plan.interrupts is not None
            for name, interrupt in plan.interrupts.interrupts.items()
            if interrupt.scope == "global"
        ]
        for one in self._global:
            if one.interrupt != before.get(one.ref):
                self._changed.add(one.ref)

    def _activated(self, plan: str, name: str) -> Watched | None:
        """An interrupt as the plan had it when the running task began."""
        try:
            interrupts = self._orchestrator(plan).runtime.interrupts
        except NotFoundError:
            return None
        interrupt = None if interrupts is None else interrupts.interrupts.get(name)
        return None if interrupt is None else Watched(plan, name, interrupt)

    async def _handle(self, one: Watched, begun: Callable[[], None]) -> None:
        """Runs the handler of an interrupt that watches over all tasks; it takes no slots, for all of them rest."""
        run = _run_of_nobody()
        if one.interrupt.mode == "beside":
            begun()
            await self._handling.handle_for_all(one, run)
            return
        pause = Pause(one.order, [guard.gate for guard in self._guards])
        self._pauses.add(pause)
        try:
            async with pause:
                if not pause.waited or await self._handling.holds(one, run):
                    begun()
                    await self._handling.handle_for_all(one, run)
        finally:
            self._pauses.discard(pause)


def _full_name(name: str, plan: str) -> tuple[str, str]:
    owner, slash, rest = name.partition("/")
    return (owner, rest) if slash else (plan, name)


def _run_of_nobody() -> RunInfo:
    return RunInfo(corr_id=f"interrupt-{uuid.uuid4().hex[:12]}", source="interrupt")


def _apart(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """An asyncio task that belongs to no running task: its slots, its gate and its plan are not those of the first."""
    return asyncio.create_task(work, context=Context())
