"""Missing look-ups in a plan: a step that was given a file's name or an address where the text itself belongs.

Small models forget to read a file before they summarise it. The task that reads it is put in front.
"""

from __future__ import annotations

from typing import Any

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.fields import TEXT_INPUTS, pointed
from agent.plan_graph.grounding import PATH_FORMATS, URL, candidates, ends_like_a_file, named_files
from agent.plan_graph.quotes import literals
from agent.plan_graph.values import is_string
from agent.references import find_references

ADDRESS_FORMATS = ("uri", "url")


def read_first(draft: Draft) -> None:
    """Puts a reading step in front of every read-only step whose text input holds only a name or an address."""
    for step in list(draft.steps):
        card = draft.card(step)
        if card is None or card.effects != "read":
            continue
        for name in TEXT_INPUTS:
            schema = card.properties.get(name, {"type": "null"})
            value = step.inputs.get(name)
            if isinstance(value, str) and is_string(schema) and "format" not in schema:
                _read(draft, step.id, name, value.strip())


def read_named(draft: Draft) -> None:
    """Reads what the request names and no step was given: files that are there, and addresses.

    It is read for the step whose quote names it, if that is one that judges texts.
    """
    given = "\n".join(text for step in draft.steps for text in literals(step))
    request = draft.world.known.request
    there = [name for name in named_files(request) if name in draft.world.known.files]
    for name in [*there, *candidates({"format": "uri"}, draft.world.known)]:
        if name in given:
            continue
        owner = next((step for step in draft.steps if name in step.quote and _judges(draft, step)), None)
        reader, target = _reader_of(draft, name)
        if owner is not None and reader is not None:
            _read_for(draft, owner.id, reader, {target: name})


def _judges(draft: Draft, step: PlanStep) -> bool:
    """Whether a step makes something of texts: a model's step, or a task that takes one."""
    card = draft.card(step)
    return step.kind in ("llm", "agent") or bool(card and card.effects == "read" and set(TEXT_INPUTS) & {*card.required})


def _read_for(draft: Draft, step_id: str, reader: TaskCard, inputs: dict[str, Any]) -> None:
    """Puts a reading step in front; a task that takes one text and would get several becomes a model's step."""
    step = draft.steps[draft.position(step_id)]
    source = draft.free_id(f"read_{step_id}")
    added = PlanStep(id=source, task=reader.task, inputs=inputs, effects=reader.effects, untrusted=reader.untrusted)
    draft.steps.insert(draft.position(step_id), added)
    note = f"{source} reads what it speaks of"
    needs = [*dict.fromkeys([*step.depends_on, source])]
    if step.kind == "task":
        name = next(name for name in TEXT_INPUTS if name in (draft.card(step) or reader).required)
        taken = find_references(step.inputs.get(name)) - {step.id}
        if not taken:
            inputs = {**step.inputs, name: pointed(draft, step, name, f"${{{source}}}")}
            draft.lost.pop((step.id, name), None)
            draft.change(step, note, inputs=inputs, depends_on=needs)
            return
        step = draft.change(step, kind="llm", task=None, instruction=step.quote, inputs={name: step.inputs[name]})
    draft.change(step, note, inputs={**step.inputs, f"from_{source}": f"${{{source}}}"}, depends_on=needs)


def read_with_the_right_task(draft: Draft) -> None:
    """Gives a step that shall read a file an address, or the other way round, the task that can do it."""
    for step in list(draft.steps):
        card = draft.card(step)
        target = _read_input(card) if card else ""
        value = step.inputs.get(target)
        if card is None or not isinstance(value, str):
            continue
        reader, other = _reader_of(draft, value.strip())
        if reader is not None and reader.properties[other].get("format") != card.properties[target].get("format"):
            fields: dict[str, object] = {"task": reader.task, "effects": reader.effects, "untrusted": reader.untrusted}
            draft.change(step, f"{card.task} cannot read {value!r}; {reader.task} can", **fields, inputs={other: value})


def _read_input(card: TaskCard) -> str:
    """The one input of a task that reads something by its name or address and gives its text; else empty."""
    names = list(card.required)
    reads = len(names) == 1 and card.effects == "read" and "text" in str(card.returns)
    return names[0] if reads and card.properties[names[0]].get("format") in (*PATH_FORMATS, *ADDRESS_FORMATS) else ""


def _read(draft: Draft, step_id: str, name: str, value: str) -> None:
    reader, target = _reader_of(draft, value)
    if reader is None:
        return
    there = next((one for one in draft.steps if one.task == reader.task and one.inputs.get(target) == value), None)
    source = there.id if there else draft.free_id(f"read_{step_id}")
    if there is None:
        added = PlanStep(
            id=source,
            task=reader.task,
            inputs={target: value},
            effects=reader.effects,
            untrusted=reader.untrusted,
        )
        draft.steps.insert(draft.position(step_id), added)
    step = draft.steps[draft.position(step_id)]
    inputs = {**step.inputs, name: pointed(draft, step, name, f"${{{source}}}")}
    needs = list(dict.fromkeys([*step.depends_on, source]))
    draft.change(step, f"{name} {value!r} is not text; {source} reads it", inputs=inputs, depends_on=needs)


def _reader_of(draft: Draft, value: str) -> tuple[TaskCard | None, str]:
    """The task that turns such a value into its text, and the input that takes it."""
    formats: tuple[str, ...] = ()
    if value in draft.world.known.files or (named_files(value) == [value] and ends_like_a_file(value)):
        formats = PATH_FORMATS
    elif URL.fullmatch(value) and "//" in value:
        formats = ADDRESS_FORMATS
    for card in draft.world.cards.values():
        name = _read_input(card)
        if name and card.properties[name].get("format") in formats:
            return card, name
    return None, ""
