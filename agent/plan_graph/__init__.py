"""Plans as graphs: what may run next, and one module per rule that repairs what a model planned (seed 004)."""

from agent.plan_graph.graph import (
    Frontier,
    PlanWorld,
    Repaired,
    apply_step_result,
    escape_references,
    find_references,
    fingerprint,
    fit_inputs,
    is_success_status,
    needed_ids,
    next_batch,
    order_steps_safely,
    reference_ids,
    repair_plan,
    resolve_references,
    seed_completed_sets,
)

__all__ = [
    "Frontier",
    "PlanWorld",
    "Repaired",
    "apply_step_result",
    "escape_references",
    "find_references",
    "fingerprint",
    "fit_inputs",
    "is_success_status",
    "needed_ids",
    "next_batch",
    "order_steps_safely",
    "reference_ids",
    "repair_plan",
    "resolve_references",
    "seed_completed_sets",
]
