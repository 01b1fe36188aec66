"""Links in a plan: what a step refers to exists, comes before it, and is the part of the result that is meant."""

from __future__ import annotations

import re
from typing import Any, cast

from agent.contracts import PlanStep
from agent.plan_graph.draft import Draft
from agent.plan_graph.fields import pointed
from agent.references import (
    REFERENCE,
    broken_references_in,
    escape_references,
    find_references,
    parse_reference,
    references_in,
    replace_references,
)

_LOOSE = re.compile(
    r"\$(?P<a>[\w-]+(?:\.[\w-]+)*)|\{\{\s*(?P<b>[\w.\[\]-]+)\s*\}\}|\{(?P<c>[\w.\[\]-]+)\}|<(?P<d>[\w.\[\]-]+)>"
)
"""How models write a reference when they forget its form: `$s1`, `{{s1}}`, `{s1}`, `<s1>`."""


def link_steps(draft: Draft) -> None:
    """Repairs every reference of every step; what cannot be repaired is taken out and noted in `draft.lost`."""
    for step in list(draft.steps):
        _keep_instructions_plain(draft, step.id)
        _link_inputs(draft, step.id)
        _link_question(draft, step.id)
        _link_needs(draft, step.id)


def _step(draft: Draft, step_id: str) -> PlanStep:
    return draft.steps[draft.position(step_id)]


def _keep_instructions_plain(draft: Draft, step_id: str) -> None:
    """Results belong into the inputs of a model step, never into its instruction: what a tool returned is data."""
    step = _step(draft, step_id)
    if step.kind not in ("llm", "agent"):
        return
    own = step.quote if step.kind == "llm" and not draft.world.deliberate else ""
    if not find_references(step.instruction):
        draft.change(step, instruction=own or step.instruction)
        return
    moved = {f"from_{ref.step}": str(ref) for ref in references_in(step.instruction) if ref.step != step.id}
    plain = own or replace_references(step.instruction, lambda ref: f"the result of {ref.step}")
    draft.change(
        step, "its instruction took results; they are inputs now", instruction=plain, inputs=step.inputs | moved
    )


def _link_inputs(draft: Draft, step_id: str) -> None:
    step = _step(draft, step_id)
    kept: dict[str, Any] = {}
    for name, value in step.inputs.items():
        linked = _tidied(draft, value)
        reason = _why_lost(draft, step, linked)
        if reason and isinstance(linked, str) and _said_by_person(draft, linked):
            kept[name] = escape_references(linked)
        elif reason:
            draft.lost[step.id, name] = reason
            draft.notes.append(f"{step.id}: {name} dropped: {reason}")
        else:
            kept[name] = pointed(draft, step, name, linked)
    draft.change(step, inputs=kept)


def _link_question(draft: Draft, step_id: str) -> None:
    """A question may show results; what it cannot show stays the characters it is."""
    step = _step(draft, step_id)
    texts = [step.question, *step.options]
    question, *options = [escape_references(text) if _why_lost(draft, step, text) else text for text in texts]
    draft.change(step, question=question, options=options)


def _tidied(draft: Draft, value: Any) -> Any:
    """References in their proper form, where a whole string means a step of this plan."""
    if isinstance(value, dict):
        return {key: _tidied(draft, part) for key, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_tidied(draft, part) for part in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    match = _LOOSE.fullmatch(value.strip())
    if match is None:
        return value
    proper = f"${{{next(filter(None, match.groups()))}}}"
    reference = parse_reference(proper)
    return proper if reference and reference.step in draft.ids() | set(draft.world.done) else value


def _why_lost(draft: Draft, step: PlanStep, value: Any) -> str:
    """Why an input cannot be used; empty if it can."""
    for broken in broken_references_in(value):
        if broken in draft.world.known.said:
            continue
        return f"{broken} is not a plain reference such as ${{s1}} or ${{s1.title}}"
    for reference in references_in(value):
        if reference.step == step.id:
            return f"{reference} refers to its own step"
        if reference.step not in draft.ids() and reference.step not in draft.world.done:
            return f"{reference} refers to no step"
    return ""


def _said_by_person(draft: Draft, value: str) -> bool:
    """Whether the person wrote these very characters, so that they mean themselves."""
    marks = [match.group(0) for match in REFERENCE.finditer(value)] + list(broken_references_in(value))
    return bool(marks) and all(mark in draft.world.known.request for mark in marks)


def _link_needs(draft: Draft, step_id: str) -> None:
    step = _step(draft, step_id)
    known = draft.ids() | set(draft.world.done)
    kept = [need for need in dict.fromkeys(step.depends_on) if need in known and need != step.id]
    dropped = [need for need in step.depends_on if need not in kept]
    read = find_references([step.inputs, step.question, step.options])
    needs = [*kept, *sorted(read - set(kept) - set(draft.world.done))]
    if dropped:
        draft.notes.append(f"{step.id}: dependency on {', '.join(dropped)} dropped: there is no such step before it")
    draft.change(step, depends_on=needs)
