"""Own words: what a step is given as the person's words stands in the part of the request that it serves."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.fields import pointed
from agent.plan_graph.grounding import KnownWords, is_grounded
from agent.plan_graph.quotes import literals
from agent.plan_graph.values import is_string


def keep_to_own_words(draft: Draft) -> None:
    """Numbers that belong to another part go; one word serves one input; a text of another part is its result.

    "Work out 365*24 and keep the result as a note": the note is not "365*24", which only the first part says.
    """
    for step in [one for one in draft.steps if one.quote]:
        card = draft.card(step)
        if card is not None:
            _drop_numbers_of_others(draft, step.id, card)
            _part_overlaps(draft, step.id, card)
            _take_results(draft, step.id, card)


def _verbatim(card: TaskCard, step: PlanStep) -> dict[str, Any]:
    return {name: value for name, value in step.inputs.items() if card.properties.get(name, {}).get("verbatim")}


def _drop_numbers_of_others(draft: Draft, step_id: str, card: TaskCard) -> None:
    step = draft.steps[draft.position(step_id)]
    own = KnownWords(step.quote)
    strange = {
        name
        for name, value in _verbatim(card, step).items()
        if isinstance(value, int | float) and name not in card.required and not is_grounded(value, own)
    }
    if strange:
        kept = {name: value for name, value in step.inputs.items() if name not in strange}
        draft.change(step, f"{', '.join(sorted(strange))} dropped: {step.quote!r} says no such number", inputs=kept)


def _part_overlaps(draft: Draft, step_id: str, card: TaskCard) -> None:
    """Takes words that serve a second input out of the longer one: "tomorrow call Ann", when: "tomorrow".

    An optional input goes whole: what it says is in the other one.
    """
    step = draft.steps[draft.position(step_id)]
    texts = {name: value for name, value in _verbatim(card, step).items() if isinstance(value, str) and value}
    for name, other in permutations(texts, 2):
        value, words = texts[name], texts[other]
        if name not in step.inputs or other not in step.inputs or words not in value or "${" in value:
            continue
        if words == value and name in card.required:
            continue
        rest = value.replace(words, " ", 1).strip(" ,;:，；：、") if name in card.required else ""
        inputs = {**step.inputs, name: " ".join(rest.split())}
        if not rest:
            del inputs[name]
            draft.lost[step_id, name] = f"{words!r} is what its {other} is"
        step = draft.change(step, f"{name}: {words!r} is what its {other} is", inputs=inputs)


def _take_results(draft: Draft, step_id: str, card: TaskCard) -> None:
    """A text that only earlier parts of the request say means what came out of them."""
    step = draft.steps[draft.position(step_id)]
    earlier = draft.steps[: draft.position(step_id)]
    for name, value in _verbatim(card, step).items():
        if not isinstance(value, str) or not value or "${" in value or not is_string(card.properties[name]):
            continue
        if is_grounded(value, KnownWords(step.quote)) or not is_grounded(value, KnownWords(draft.world.known.request)):
            continue
        sources = [one.id for one in earlier if one.effects == "read" and value in [one.quote, *literals(one)]]
        sources = sources or [one.id for one in earlier if one.effects == "read" and value in one.quote][-1:]
        if sources:
            results = "\n".join(str(pointed(draft, step, name, f"${{{source}}}")) for source in sources)
            step = draft.change(
                step,
                f"{name} {value!r} is what {', '.join(sources)} began with; it takes the result",
                inputs={**step.inputs, name: results},
                depends_on=[*dict.fromkeys([*step.depends_on, *sources])],
            )
