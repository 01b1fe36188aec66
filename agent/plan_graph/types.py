"""Types: what an input needs and what a result gives, so that a missing look-up is put in front and links are right.

A task says it (`needs`, `gives`). Of a catalogue that says nothing the usual names tell: an input `person_id` needs
what a task about persons finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.edges import leads_to
from agent.plan_graph.grounding import is_grounded
from agent.plan_graph.values import is_placeholder, is_string
from agent.references import Reference, find_references, parse_reference
from agent.wording import terms

_ID = re.compile(r"(?P<thing>\w*[^\W_])_?(?:id|Id|ID)")
_DIGIT = re.compile(r"\d")


def needs_of(card: TaskCard) -> dict[str, str]:
    """The types that inputs of a task need, by name: declared ones, else those that the names tell."""
    return card.needs or {
        name: f"{match['thing'].casefold()}.id" for name in card.properties if (match := _ID.fullmatch(name))
    }


def gives(card: TaskCard, kind: str) -> tuple[str | int, ...] | None:
    """Where in a task's result a type stands; None if it is not there."""
    for path, given in card.gives.items():
        if given == kind:
            return _steps_of(path)
    if card.gives or card.needs or kind in needs_of(card).values():
        return None
    thing = set(terms(kind.rsplit(".", 1)[0]))
    return () if card.effects == "read" and thing and thing <= set(terms(f"{card.task} {card.title}")) else None


def finder_of(kind: str, cards: Iterable[TaskCard], beside: TaskCard) -> TaskCard | None:
    """A task that only reads and gives this type; the one that looks for words is preferred."""
    found = [
        card for card in cards if card.task != beside.task and card.effects == "read" and gives(card, kind) is not None
    ]
    return min(found, key=lambda card: (_query(card) is None, len(card.required)), default=None)


def supply_needs(draft: Draft) -> None:
    """Gives every input that needs a type something of it: the nearest earlier result, else a look-up in front.

    What the person said stays as it is where the task says that it takes their words (it is `grounded`).
    """
    for step_id in [step.id for step in draft.steps]:
        card = draft.card(draft.steps[draft.position(step_id)])
        for name, kind in (needs_of(card) if card else {}).items():
            if card is not None:
                _supply(draft, step_id, card, name, kind)


def _supply(draft: Draft, step_id: str, card: TaskCard, name: str, kind: str) -> None:
    step = draft.steps[draft.position(step_id)]
    value = step.inputs.get(name)
    if value is None and name not in card.required:
        return
    if _is_right(draft, step, card, name, kind):
        return
    giver = _nearest_giver(draft, step, kind)
    if giver is not None:
        _link(draft, step, name, giver)
        return
    finder = None if draft.world.deliberate else finder_of(kind, draft.world.cards.values(), card)
    query = _query(finder) if finder else None
    words = (
        str(value) if isinstance(value, str | int) and not find_references(value) and not is_placeholder(value) else ""
    )
    if finder is None or (finder.required and (query is None or not words or list(finder.required) != [query])):
        return
    path = gives(finder, kind) or ()
    found = PlanStep(
        id=draft.free_id(f"find_{step_id}"),
        task=finder.task,
        inputs={query: words} if query and words else {},
        effects=finder.effects,
        untrusted=finder.untrusted,
    )
    draft.steps.insert(draft.position(step_id), found)
    draft.notes.append(f"{found.id}: added, it finds the {kind} that {step_id} needs")
    _link(draft, step, name, Reference(found.id, path))


def _is_right(draft: Draft, step: PlanStep, card: TaskCard, name: str, kind: str) -> bool:
    value = step.inputs.get(name)
    reference = parse_reference(value) if isinstance(value, str) else None
    if reference is not None:
        source = next((one for one in draft.steps if one.id == reference.step), None)
        known = draft.card(source) if source else None
        if source is None or known is None:
            return source is not None or reference.step in draft.world.done
        return gives(known, kind) is not None and (bool(reference.path) or not gives(known, kind))
    if value is None or is_placeholder(value):
        return False
    schema = card.properties[name]
    if schema.get("grounded"):
        return is_grounded(value, draft.world.known)
    return not is_string(schema) or _DIGIT.search(str(value)) is not None or step.id in draft.world.done


def _nearest_giver(draft: Draft, step: PlanStep, kind: str) -> Reference | None:
    for earlier in reversed(draft.steps[: draft.position(step.id)]):
        card = draft.card(earlier)
        path = gives(card, kind) if card and card.task != step.task else None
        if path is not None and not leads_to(draft.steps, step.id, earlier.id):
            return Reference(earlier.id, path)
    return None


def _link(draft: Draft, step: PlanStep, name: str, reference: Reference) -> None:
    draft.lost.pop((step.id, name), None)
    inputs = {**step.inputs, name: str(reference)}
    needs = [*dict.fromkeys([*step.depends_on, reference.step])]
    draft.change(step, f"{name} is what {reference.step} finds", inputs=inputs, depends_on=needs)


def _query(card: TaskCard) -> str | None:
    """The one input that takes words to look for."""
    names: Sequence[str] = card.required or [*card.properties]
    texts = [name for name in names if is_string(card.properties[name]) and name not in needs_of(card)]
    return texts[0] if texts else None


def _steps_of(path: str) -> tuple[str | int, ...]:
    """`notes[].id` as the path to the first: notes, 0, id."""
    parts: list[str | int] = []
    for part in filter(None, path.split(".")):
        name, bracket, _ = part.partition("[")
        parts += [name] if name else []
        parts += [0] if bracket else []
    return tuple(parts)
