"""What seed 004 names and nothing here calls: kept for whoever wrote against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from agent.contracts import SUCCESS_STATUSES, ExecutorResponse, PlanStep
from agent.plan_graph.frontier import Frontier


def is_success_status(status: str) -> bool:
    """Whether a status counts as success: ok and partial do (seed 004)."""
    return status in SUCCESS_STATUSES


def seed_completed_sets(steps: Sequence[PlanStep], results: Iterable[ExecutorResponse]) -> tuple[set[str], set[str]]:
    """Which steps have already succeeded and which have failed, from earlier results (seed 004).

    Args:
        steps: the plan that goes on. A failure counts only for its own steps: a new plan is not bound by an old one's.
        results: all results so far, oldest first; the last one of a step counts.

    Returns:
        ids that succeeded (of this plan or an earlier one), ids of this plan that failed.
    """
    last = {response.step_id: response for response in results if response.status != "needs_input"}
    completed_ok = {step_id for step_id, response in last.items() if response.ok}
    return completed_ok, {step.id for step in steps if step.id in last} - completed_ok


def next_batch(
    steps: Sequence[PlanStep],
    completed_ok: AbstractSet[str],
    completed_fail: AbstractSet[str],
    session_id: str,  # noqa: ARG001 (seed 004 gives it; the caller's log lines carry it)
    running: AbstractSet[str] = frozenset(),
) -> tuple[list[PlanStep], list[ExecutorResponse]]:
    """What may start now, and what never can (seed 004).

    Looks at the whole plan each time; the loop keeps a `Frontier` instead.

    Args:
        steps: the whole plan.
        completed_ok: ids of steps that succeeded, earlier plans included.
        completed_fail: ids of steps that failed, were cancelled or blocked.
        session_id: the session, as seed 004 has it.
        running: ids of steps that run or wait for a person.

    Returns:
        steps whose needs have all succeeded, in planned order; and a `blocked` response, with the reason, for every
        step that needs a failed, blocked or unknown one.
    """
    return Frontier(steps, completed_ok, completed_fail, running).take()
