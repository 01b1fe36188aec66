"""What the catalogue says of the steps of a plan, written onto them by code, whatever the planner wrote there."""

from __future__ import annotations

from collections.abc import Mapping

from agent.contracts import Plan, PlanStep, TaskCard


def described(plan: Plan, cards: Mapping[str, TaskCard]) -> Plan:
    """The plan, each step with what its task does, sends and is called.

    Args:
        plan: a plan.
        cards: every task that the profile may use, by `plan/name`.
    """
    asks = {spec["ask"] for card in cards.values() for spec in card.properties.values() if spec.get("ask")}
    return plan.model_copy(update={"steps": [_described(step, cards, asks) for step in plan.steps]})


def _described(step: PlanStep, cards: Mapping[str, TaskCard], asks: set[str]) -> PlanStep:
    card = cards.get(step.task or "") if step.kind == "task" else None
    if card is None:
        return step.model_copy(update={"authored": step.kind == "ask_user" and step.question in asks})
    return step.model_copy(
        update={
            "effects": card.effects,
            "untrusted": card.untrusted,
            "offered_as": card.title or card.task,
            "leaves": card.leaves,
            "grounded": grounded_inputs(card),
        }
    )


def grounded_inputs(card: TaskCard) -> list[str]:
    """Names of a task's inputs that no model may make up."""
    return [name for name, spec in card.properties.items() if spec.get("grounded")]
