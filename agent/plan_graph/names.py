"""Names in a plan: every step has an id of its own, and every task is one that exists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.identity import same_work
from agent.references import Reference, replace_references

_ID = re.compile(r"[^\W\d][\w-]*")
TINY_DISTANCE = 0.86
"""How alike (0 to 1) an unknown task must be to a known one to be taken for it."""
HINTS = 3
VAGUE_QUESTION = "What exactly do you mean?"


def name_steps(draft: Draft) -> None:
    """Gives every step a valid id of its own, distinct from those of earlier plans unless it is the same work.

    References and dependencies that mean a renamed step follow it, as far as they stand after it.
    """
    taken: set[str] = set()
    renamed: dict[str, str] = {}
    for place, step in enumerate(draft.steps):
        moved = _renamed(step, renamed)
        new = _free_id(moved, place, taken, draft)
        if new != step.id:
            renamed[step.id] = new
            if step.id:
                draft.notes.append(f"{step.id} became {new}: ids must be unique names")
            moved = moved.model_copy(update={"id": new})
        taken.add(new)
        draft.steps[place] = moved


def keep_fields_of_kind(draft: Draft) -> None:
    """Clears what a step of its kind cannot have, so that it has no effect later."""
    for step in list(draft.steps):
        if step.kind == "task":
            draft.change(step, instruction="", question="", options=[])
        elif step.kind == "ask_user":
            question = step.question or step.title or step.instruction or VAGUE_QUESTION
            draft.change(step, task=None, inputs={}, instruction="", question=question, effects="read", untrusted=False)
        else:
            draft.change(step, task=None, question="", options=[], effects="read", untrusted=False)


def resolve_tasks(draft: Draft) -> None:
    """Maps a task's name that is written a little wrong to the one that exists; any other unknown one is a problem."""
    for step in list(draft.steps):
        if step.kind != "task":
            continue
        name = step.task or ""
        known = _nearest(name, draft.world.cards)
        if known is None:
            near = get_close_matches(name, draft.world.cards, n=HINTS, cutoff=0.4)
            hint = f" Nearest: {', '.join(near)}." if near else ""
            draft.problems.append(f"{step.id}: there is no task {name!r}.{hint}")
            continue
        card = draft.world.cards[known]
        note = "" if known == name else f"task {name!r} became {known}"
        draft.change(step, note, task=known, effects=card.effects, untrusted=card.untrusted)


def _nearest(name: str, cards: Mapping[str, TaskCard]) -> str | None:
    if name in cards:
        return name
    plain = name.strip().strip("/").replace(".", "/").casefold()
    by_plain = {ref.casefold(): ref for ref in cards}
    if plain in by_plain:
        return by_plain[plain]
    same_end = [ref for ref in cards if ref.rsplit("/", 1)[-1].casefold() == plain.rsplit("/", 1)[-1]]
    if len(same_end) == 1:
        return same_end[0]
    near = get_close_matches(plain, by_plain, n=2, cutoff=TINY_DISTANCE)
    return by_plain[near[0]] if len(near) == 1 else None


def _renamed(step: PlanStep, renamed: Mapping[str, str]) -> PlanStep:
    if not renamed:
        return step

    def follow(reference: Reference) -> str:
        return str(Reference(renamed.get(reference.step, reference.step), reference.path))

    return step.model_copy(
        update={
            "inputs": replace_references(step.inputs, follow),
            "instruction": replace_references(step.instruction, follow),
            "question": replace_references(step.question, follow),
            "depends_on": [renamed.get(need, need) for need in step.depends_on],
        }
    )


def _free_id(step: PlanStep, place: int, taken: set[str], draft: Draft) -> str:
    wanted = re.sub(r"[^\w-]+", "_", step.id).strip("_-")
    if not _ID.fullmatch(wanted):
        wanted = f"s{wanted}" if wanted and _ID.fullmatch(f"s{wanted}") else f"s{place + 1}"
    blocked = taken | {earlier for earlier, old in draft.world.steps.items() if not same_work(old, step)}
    if wanted not in blocked:
        return wanted
    later = {other.id for other in draft.steps}
    number = 2
    while f"{wanted}_{number}" in blocked | later:
        number += 1
    return f"{wanted}_{number}"
