"""Listings: a step that is given nothing, and words that speak of another such task as well, are two steps."""

from __future__ import annotations

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.wording import rank, terms

NEARLY = 0.8
"""How much of what words have in common with one task they must have with another, to be about both."""


def add_listings(draft: Draft) -> None:
    """Adds what "show my notes and my reminders" asks for beside the notes: tasks that only read and need nothing."""
    planned = {step.task for step in draft.steps}
    for step in draft.steps.copy():
        card = draft.card(step)
        if card is None or step.inputs or not step.quote or not _is_listing(card):
            continue
        others = [other for other in draft.world.cards.values() if other.task not in planned and _is_listing(other)]
        own, *scores = rank([_described(one) for one in (card, *others)], step.quote)
        new = set(terms(step.quote)) - set(terms(_described(card)))
        for other, score in zip(others, scores, strict=True):
            if own > 0 and score >= NEARLY * own and new & set(terms(_described(other))):
                name = draft.free_id(f"{step.id}_too")
                added = PlanStep(id=name, task=other.task, quote=step.quote, untrusted=other.untrusted)
                draft.steps.insert(draft.position(step.id) + 1, added)
                draft.notes.append(f"{name}: added, {step.quote!r} speaks of {other.task} as well")


def _is_listing(card: TaskCard) -> bool:
    return card.effects == "read" and not card.properties


def _described(card: TaskCard) -> str:
    return f"{card.task} {card.title}"
