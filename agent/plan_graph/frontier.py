"""Frontier: which steps may start, kept up to date as steps end, so that each edge of a plan is looked at once."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from agent.contracts import ExecutorResponse, PlanStep
from agent.plan_graph.edges import needed_ids, order_steps_safely


class Frontier:
    """The edge between what is done of a plan and what is not: the one rule of what may start (seed 004).

    Looking anew after every step would cost the whole plan each time; a Frontier is told what ended and counts.
    What it says depends only on what it was told, so a replay says the same.

    Args:
        steps: the whole plan; ids are unique.
        completed_ok: ids of steps that succeeded, earlier plans included.
        completed_fail: ids of steps that failed, were cancelled or blocked.
        running: ids of steps that run or wait for a person, also of earlier plans.
    """

    def __init__(
        self,
        steps: Sequence[PlanStep],
        completed_ok: AbstractSet[str] = frozenset(),
        completed_fail: AbstractSet[str] = frozenset(),
        running: AbstractSet[str] = frozenset(),
    ) -> None:
        needs = {step.id: needed_ids(step) for step in steps}
        self._steps = list(steps) if _in_order(steps, needs) else order_steps_safely(steps)
        self._place = {step.id: place for place, step in enumerate(self._steps)}
        self._known = self._place.keys() | running
        self._lost = set(completed_fail)
        self._missing: dict[str, set[str]] = {}
        self._needed_by: dict[str, list[str]] = {}
        self._ready: list[int] = []
        self._doubtful: list[int] = []
        for step in self._steps:
            if not (step.id in completed_ok or step.id in self._lost or step.id in running):
                self._add(step.id, needs[step.id] - completed_ok)

    def take(self) -> tuple[list[PlanStep], list[ExecutorResponse]]:
        """What may start now, and what never can; each is said once.

        Returns:
            steps whose needs have all succeeded, in safe order; and a `blocked` response, with the reason, for every
            step that needs a failed, blocked or unknown one. Blocked steps need not be reported back.
        """
        blocked: list[ExecutorResponse] = []
        while self._doubtful:
            step = self._steps[heapq.heappop(self._doubtful)]
            if step.id not in self._missing:
                continue
            cause = min(need for need in self._missing[step.id] if self._is_lost(need))
            blocked.append(self._blocked(step, cause))
            self.failed(step.id)
        ready = [self._steps[place] for place in sorted(self._ready)]
        self._ready.clear()
        return ready, blocked

    def ended(self, step_id: str, response: ExecutorResponse) -> None:
        """Takes in how a step ended; one that needs input may start again."""
        if response.ok:
            self.succeeded(step_id)
        elif response.status != "needs_input":
            self.failed(step_id)
        elif step_id in self._place:
            self._ready.append(self._place[step_id])

    def succeeded(self, step_id: str) -> None:
        """Counts a success: what needed only this may start."""
        self._missing.pop(step_id, None)
        for name in self._needed_by.pop(step_id, ()):
            missing = self._missing.get(name)
            if missing is None:
                continue
            missing.discard(step_id)
            if not missing:
                del self._missing[name]
                self._ready.append(self._place[name])

    def failed(self, step_id: str) -> None:
        """Counts a failure: what needs this, directly or through others, can never start."""
        self._missing.pop(step_id, None)
        self._lost.add(step_id)
        for name in self._needed_by.pop(step_id, ()):
            heapq.heappush(self._doubtful, self._place[name])

    def _add(self, step_id: str, missing: set[str]) -> None:
        if not missing:
            self._ready.append(self._place[step_id])
            return
        self._missing[step_id] = missing
        for need in missing:
            self._needed_by.setdefault(need, []).append(step_id)
        if not (missing <= self._known and self._lost.isdisjoint(missing)):
            heapq.heappush(self._doubtful, self._place[step_id])

    def _is_lost(self, step_id: str) -> bool:
        return step_id in self._lost or step_id not in self._known

    def _blocked(self, step: PlanStep, cause: str) -> ExecutorResponse:
        place = self._place.get(cause)
        title = "" if place is None else self._steps[place].title or cause
        reason = f"Not done, because there is no step {cause!r}."
        if title:
            reason = f"Not done, because “{title}” did not succeed."
        return ExecutorResponse(step_id=step.id, status="blocked", error=reason, summary=reason)


def _in_order(steps: Iterable[PlanStep], needs: Mapping[str, AbstractSet[str]]) -> bool:
    """Whether every step already stands after all that it needs: then there is nothing to sort."""
    seen: set[str] = set()
    for step in steps:
        if not (needs[step.id] <= seen or needs.keys().isdisjoint(needs[step.id] - seen)):
            return False
        seen.add(step.id)
    return True


def apply_step_result(
    step: PlanStep, response: ExecutorResponse, completed_ok: set[str], completed_fail: set[str]
) -> None:
    """Puts a step into the set that its result says; `needs_input` into none (seed 004)."""
    if response.status == "needs_input":
        return
    into, out_of = (completed_ok, completed_fail) if response.ok else (completed_fail, completed_ok)
    into.add(step.id)
    out_of.discard(step.id)
