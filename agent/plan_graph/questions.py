"""Questions in a plan: what a step needs and nobody said is asked; what was said already is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.edges import leads_to, reference_ids
from agent.plan_graph.fields import TEXT_INPUTS, pointed
from agent.plan_graph.grounding import PATH_FORMATS, candidates, is_grounded, known_file
from agent.plan_graph.inputs import fit_inputs, renamed
from agent.plan_graph.quotes import passages
from agent.plan_graph.values import choices, is_placeholder, is_string
from agent.references import find_references, parse_reference

FILES_OFFERED = 8
"""Files that a question about one offers as choices."""


def name_inputs(draft: Draft) -> None:
    """Puts every input under a name that its task has."""
    for step in list(draft.steps):
        card = draft.card(step)
        if card is not None:
            inputs, notes = renamed(card, step.inputs)
            draft.notes += [f"{step.id}: {note}" for note in notes]
            draft.change(step, inputs=inputs)


def complete_inputs(draft: Draft) -> None:
    """Makes inputs fit their schemas, refuses invented ones, and turns what is missing into questions."""
    for step in list(draft.steps):
        card = draft.card(step)
        if card is not None:
            _fit(draft, step.id, card)
            _refuse_empty_and_invented(draft, step.id, card)
            _complete(draft, step.id, card)


def drop_superfluous_questions(draft: Draft) -> None:
    """Takes out questions whose answer stands in the request."""
    for step in [one for one in draft.steps if one.kind == "ask_user"]:
        uses = [(other, name) for other in draft.steps for name in _inputs_from(other, step.id)]
        said = {(other.id, name): _said(draft, other, name) for other, name in uses}
        if not said or any(value is None for value in said.values()):
            continue
        for other, name in uses:
            current = draft.steps[draft.position(other.id)]
            inputs = {**current.inputs, name: said[other.id, name]}
            draft.change(current, inputs=inputs)
        _remove_question(draft, step)


def _fit(draft: Draft, step_id: str, card: TaskCard) -> None:
    step = draft.steps[draft.position(step_id)]
    fitted = fit_inputs(card, step.inputs)
    draft.notes += [f"{step_id}: {note}" for note in fitted.notes]
    for name, reason in fitted.wrong.items():
        draft.lost[step_id, name] = reason
        draft.notes.append(f"{step_id}: {name} dropped: {reason}")
    draft.change(step, inputs=fitted.inputs)


def _refuse_empty_and_invented(draft: Draft, step_id: str, card: TaskCard) -> None:
    step = draft.steps[draft.position(step_id)]
    kept: dict[str, Any] = {}
    for name, planned in step.inputs.items():
        schema = card.properties[name]
        value = _meant_file(draft, step_id, name, planned) if schema.get("grounded") else planned
        reason = _why_refused(draft, value, schema)
        if reason:
            draft.lost[step_id, name] = reason
            draft.notes.append(f"{step_id}: {name} dropped: {reason}")
        else:
            kept[name] = value
    draft.change(step, inputs=kept)


def _meant_file(draft: Draft, step_id: str, name: str, value: Any) -> Any:
    """The file that a slightly wrong name means, where the file must be there already."""
    file = known_file(value, draft.world.known)
    if file is None:
        return value
    draft.notes.append(f"{step_id}: {name} {value!r} became {file!r}, the file that is there")
    return file


def _why_refused(draft: Draft, value: Any, schema: dict[str, Any]) -> str:
    """Why a planned value is not used; empty if it is."""
    if find_references(value):
        return ""
    if is_placeholder(value) and not _is_meant(draft, value) and is_string(schema) and not choices(schema):
        return f"{value!r} says nothing" if value else "it is empty"
    if schema.get("grounded") and not is_grounded(value, draft.world.known):
        return f"{value!r} was not said by anybody"
    return ""


def _is_meant(draft: Draft, value: str) -> bool:
    """Whether what looks like a placeholder is what the person wrote: "(2+3)*(4+5)", "[urgent]"."""
    return len(value) > 1 and not value.isalpha() and value in draft.world.known.request


def _complete(draft: Draft, step_id: str, card: TaskCard) -> None:
    for name in card.required:
        step = draft.steps[draft.position(step_id)]
        if name in step.inputs:
            continue
        said = _said(draft, step, name)
        unused = _unused_result_before(draft, step, card, name)
        if said is not None:
            draft.change(step, f"{name} taken from the request: {said!r}", inputs={**step.inputs, name: said})
        elif unused is not None:
            link = {**step.inputs, name: pointed(draft, step, name, f"${{{unused}}}")}
            note = f"{name} is the result of {unused}, which nothing else uses"
            draft.change(step, note, inputs=link, depends_on=[*dict.fromkeys([*step.depends_on, unused])])
        else:
            _ask(draft, step, card, name)


def _said(draft: Draft, step: PlanStep, name: str) -> Any:
    """The one value for this input that stands in the step's quote, or in the request; None if there is a choice."""
    card = draft.card(step)
    schema = card.properties.get(name) if card else None
    if schema and name in TEXT_INPUTS and is_string(schema):
        texts = [text for text in passages(draft.world.known.request) if text in step.quote or step.quote in text]
        return texts[0] if step.quote and len(texts) == 1 else None
    for words in [step.quote, draft.world.known.request]:
        found = candidates(schema, replace(draft.world.known, request=words)) if schema and words else []
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _unused_result_before(draft: Draft, step: PlanStep, card: TaskCard, name: str) -> str | None:
    """The nearest earlier step whose result nobody reads, if this input can take a text."""
    schema = card.properties[name]
    words_of_the_person = schema.get("grounded") and name not in TEXT_INPUTS
    if not is_string(schema) or choices(schema) or schema.get("format") or words_of_the_person:
        return None
    used = set[str]().union(*(reference_ids(other) for other in draft.steps))
    for earlier in reversed(draft.steps[: draft.position(step.id)]):
        produces = earlier.kind in ("ask_user", "llm", "agent") or earlier.effects == "read"
        same = earlier.kind == "task" and earlier.task == step.task
        if produces and not same and earlier.id not in used and not leads_to(draft.steps, step.id, earlier.id):
            return earlier.id
    return None


def _ask(draft: Draft, step: PlanStep, card: TaskCard, name: str) -> None:
    schema = card.properties[name]
    question = schema.get("ask") or _question_for(card, name, schema)
    options = [str(choice) for choice in choices(schema)]
    if schema.get("format") in PATH_FORMATS and schema.get("grounded"):
        options = list(draft.world.known.files[:FILES_OFFERED])
    same = next((one for one in draft.steps if one.kind == "ask_user" and one.question == question), None)
    ask_id = same.id if same else draft.free_id(f"ask_{step.id}_{name}")
    inputs = {**step.inputs, name: f"${{{ask_id}}}"}
    needs = [*dict.fromkeys([*step.depends_on, ask_id])]
    draft.change(
        step, f"asks for {name}: {draft.lost.get((step.id, name), 'nobody said it')}", inputs=inputs, depends_on=needs
    )
    if same is None:
        asked = PlanStep(id=ask_id, kind="ask_user", title=question, question=question, options=options)
        draft.steps.insert(draft.position(step.id), asked)


def _question_for(card: TaskCard, name: str, schema: dict[str, Any]) -> str:
    what = (schema.get("title") or schema.get("description") or name.replace("_", " ")).strip().rstrip(".?")
    return f"{card.title or card.task}: {what[:1].lower()}{what[1:]}?"


def _inputs_from(step: PlanStep, source: str) -> list[str]:
    """Names of inputs that are, as a whole, the result of `source`."""
    found: list[str] = []
    for name, value in step.inputs.items():
        reference = parse_reference(value) if isinstance(value, str) else None
        if reference is not None and reference.step == source:
            found.append(name)
    return found


def _remove_question(draft: Draft, question: PlanStep) -> None:
    draft.remove(question.id, f"question dropped, its answer is known or not needed: {question.question}")
    for step in list(draft.steps):
        if question.id in step.depends_on:
            draft.change(step, depends_on=[need for need in step.depends_on if need != question.id])
