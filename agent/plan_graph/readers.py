"""Missing look-ups in a plan: a step that was given a file's name or an address where the text itself belongs.

Small models forget to read a file before they summarise it. The task that reads it is put in front.
"""

from __future__ import annotations

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.fields import TEXT_INPUTS, pointed
from agent.plan_graph.grounding import PATH_FORMATS, URL, ends_like_a_file, named_files
from agent.plan_graph.values import is_string

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
