"""Order in a plan: no cycles, and steps that touch the same thing keep the order in which they were planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.contracts import PlanStep
from agent.plan_graph.draft import Draft
from agent.plan_graph.edges import cycles, order_steps_safely, reference_ids, with_edges


def break_cycles(draft: Draft) -> None:
    """Drops declared dependencies on later steps where they make a cycle; references that do are a problem."""
    for group in cycles(draft.steps):
        for step_id in group:
            place = draft.position(step_id)
            step = draft.steps[place]
            later = [
                need
                for need in step.depends_on
                if need in group and draft.position(need) >= place and need not in reference_ids(step)
            ]
            if later:
                kept = [need for need in step.depends_on if need not in later]
                draft.change(step, f"dependency on {', '.join(later)} dropped: it makes a circle", depends_on=kept)
    draft.problems += [f"steps {', '.join(group)} need each other in a circle" for group in cycles(draft.steps)]


def keep_planned_order(draft: Draft) -> None:
    """Sorts the steps, and adds an edge between two that share a plan or a resource when one of them writes."""
    ordered = order_steps_safely(draft.steps)
    extra = list(_conflicts(draft, ordered))
    draft.steps[:] = with_edges(ordered, extra)
    before = {step.id: step.depends_on for step in ordered}
    for step in draft.steps:
        if added := [need for need in step.depends_on if need not in before[step.id]]:
            draft.notes.append(f"{step.id}: waits for {', '.join(added)}, which changes or reads the same things")


def touched(draft: Draft, step: PlanStep) -> set[str]:
    """What a step shares with others: its plan and the resources of its task."""
    card = draft.card(step)
    return {f"plan:{card.plan}", *(f"resource:{name}" for name in card.resources)} if card else set()


def _conflicts(draft: Draft, ordered: Sequence[PlanStep]) -> Iterator[tuple[str, str]]:
    for place, later in enumerate(ordered):
        for earlier in reversed(ordered[:place]):
            if (earlier.effects, later.effects) != ("read", "read") and touched(draft, earlier) & touched(draft, later):
                yield earlier.id, later.id
