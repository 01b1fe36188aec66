"""Transitions: from the state a plan is in to the one a task wants, with new ways when transitions fail (seed 001)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aura_core.engine.failure import explain
from aura_core.errors import StatePlanningError
from aura_core.execution.cancellation import being_ended
from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from aura_core.language.states import StateMap, Transition
    from aura_core.state_planner.limits import PlanningLimits
    from aura_core.state_planner.routes import Routes
    from aura_core.state_planner.sensing import RunTask, Sensing

_log = get_logger(__name__)


class Transitions:
    """One attempt to reach a state.

    Args:
        task: full reference of the task that wants it.
        plan: the plan whose state it is.
        states: the plan's states.
        routes: the ways between them.
        sensing: finds out where the plan is.
        travel: runs a transition task.
        limits: how often it tries.
    """

    def __init__(
        self,
        task: str,
        plan: str,
        *,
        states: StateMap,
        routes: Routes,
        sensing: Sensing,
        travel: RunTask,
        limits: PlanningLimits,
    ) -> None:
        self._task = task
        self._plan = plan
        self._states = states
        self._routes = routes
        self._sensing = sensing
        self._travel = travel
        self._limits = limits
        self._tried: Counter[str] = Counter()

    async def reach(self, target: str) -> None:
        """Reaches a state: looks where the plan is, takes the cheapest way, looks again after a failure.

        Raises:
            StatePlanningError: there is no way, or the last one failed too.
        """
        for _ in range(self._limits.replans + 1):
            current = await self._look(target)
            if current == target:
                return
            way = self._routes.cheapest(current, target)
            if way is None:
                raise self._failure(current, target, no_way=True)
            if await self._follow(way):
                return
        current = await self._look(target)
        if current != target:
            raise self._failure(current, target, no_way=False)

    async def _look(self, target: str) -> str | None:
        """The state the plan is in; one that is in none is looked at again, for it may be on its way."""
        order = self._routes.nearest_first(target)
        for look in range(self._limits.looks):
            if look:
                await asyncio.sleep(self._limits.look_delay)
            current = await self._sensing.current(order)
            if current is not None or self._routes.cheapest(None, target) is not None:
                return current
        return None

    async def _follow(self, way: Sequence[int]) -> bool:
        """Runs transitions one after the other; False as soon as one does not lead where it should."""
        for index in way:
            transition = self._states.transitions[index]
            _log.info("state_transition", plan=self._plan, transition=str(transition), wanted_by=self._task)
            failure = await self._run(transition)
            if failure:
                _log.warning("state_transition_failed", plan=self._plan, transition=str(transition), reason=failure)
                self._routes.failed(index)
                self._tried[f"{transition} ({failure})"] += 1
                return False
        return True

    async def _run(self, transition: Transition) -> str:
        """Runs one transition and verifies it; what went wrong, empty if nothing did."""
        try:
            result = await self._travel(transition.task)
        except Exception as error:
            if being_ended():
                raise asyncio.CancelledError from error
            return explain(error)
        if result.error is not None:
            return result.error.message
        if await self._sensing.arrives(transition.to):
            return ""
        return f"it ended well, but {transition.to!r} was not reached"

    def _failure(self, current: str | None, target: str, *, no_way: bool) -> StatePlanningError:
        here = "no state that its checks know" if current is None else f"the state {current!r}"
        if not no_way:
            advice = "see to these transitions, or bring it there by hand, then try again"
        elif current is None:
            advice = 'bring it into a state that a check knows, or add a transition `from: "*"` to states.yaml'
        else:
            advice = f"add a transition from {current!r} towards {target!r} to states.yaml, or bring it there by hand"
        ways = [way if times == 1 else f"{way}, {times} times" for way, times in self._tried.items()]
        tried = "; ".join(ways) or "nothing, for no transition leads there"
        return StatePlanningError(
            f"Task {self._task} was not started: it requires the state {target!r} of plan {self._plan}, "
            f"which is in {here}. Tried: {tried}. What to do: {advice}."
        )
