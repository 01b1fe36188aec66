"""Missing transformations in a plan: the request names one, such as a summary, and the plan goes past it.

Small models fetch and save, and forget to summarise in between. Only tasks that need nothing but a text are put in.
"""

from __future__ import annotations

import re

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.fields import TEXT_INPUTS, pointed
from agent.plan_graph.grounding import without_names
from agent.references import parse_reference

STEM = 6
"""Letters by which a task's name is recognised in a request: "summarise" in "a summary of it"."""


def add_named_transforms(draft: Draft) -> None:
    """Puts a transformation that the request names behind every step that brings a text from outside."""
    request = without_names(draft.world.known.request).casefold()
    for card in list(draft.world.cards.values()):
        name = _stem(card)
        if (
            len(name) == STEM
            and _input(card)
            and re.search(rf"\b{re.escape(name)}", request)
            and not _planned(draft, name)
        ):
            for source in [step for step in draft.steps if step.kind == "task" and step.untrusted]:
                _add(draft, source, card)


def _stem(card: TaskCard) -> str:
    return card.task.rsplit("/", 1)[-1].casefold()[:STEM]


def _input(card: TaskCard) -> str:
    """The one input of a task that makes a text of a text; empty for every other task."""
    transforms = card.effects == "read" and card.returns.get("type") == "string" and len(card.required) == 1
    return card.required[0] if transforms and card.required[0] in TEXT_INPUTS else ""


def _planned(draft: Draft, name: str) -> bool:
    """Whether a step does it already, or a model is told to."""
    return any(name in f"{step.task} {step.instruction} {step.inputs}".casefold() for step in draft.steps) or any(
        step.kind in ("llm", "agent") for step in draft.steps
    )


def _add(draft: Draft, source: PlanStep, card: TaskCard) -> None:
    added = PlanStep(id=draft.free_id(f"{_stem(card)}_{source.id}"), task=card.task, effects=card.effects)
    users = [(step.id, name) for step in draft.steps for name, value in step.inputs.items() if _reads(value, source.id)]
    draft.steps.insert(draft.position(source.id) + 1, added)
    text = pointed(draft, added, _input(card), f"${{{source.id}}}")
    note = f"{card.task} was asked for and not planned"
    draft.change(added, note, inputs={_input(card): text}, depends_on=[source.id])
    for step_id, name in users:
        step = draft.steps[draft.position(step_id)]
        needs = [added.id if need == source.id else need for need in step.depends_on]
        draft.change(step, inputs={**step.inputs, name: f"${{{added.id}}}"}, depends_on=needs)


def _reads(value: object, source: str) -> bool:
    reference = parse_reference(value) if isinstance(value, str) else None
    return reference is not None and reference.step == source and reference.path in ((), ("text",))
