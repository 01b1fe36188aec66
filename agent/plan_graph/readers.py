"""Missing look-ups in a plan: a step that was given a file's name or an address where the text itself belongs.

Small models forget to read a file before they summarise it. The task that reads it is put in front.
"""

from __future__ import annotations

from itertools import pairwise

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.edges import leads_to, needed_ids
from agent.plan_graph.fields import TEXT_INPUTS, pointed
from agent.plan_graph.grounding import PATH_FORMATS, URL, KnownWords, candidates, ends_like_a_file, named_files
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
    """Reads the files and addresses that a step's quote names, where the step judges texts and was given none."""
    for step in list(draft.steps):
        name = _lacking_text(draft, step)
        if name is None:
            continue
        named = [*named_files(step.quote), *candidates({"format": "uri"}, KnownWords(step.quote))]
        written = [value for one in draft.steps if one.effects != "read" for value in literals(one)]
        sources = [_reader_for(draft, step, value) for value in named if value not in written]
        references = [f"${{{source}}}" for source in sources if source]
        if references:
            _give_texts(draft, step.id, name, references)


def use_what_is_read(draft: Draft) -> None:
    """Gives a text that is read and that nothing uses to the next step, if that judges texts and was given none.

    "Read letter.txt and write a polite reply": small models forget what the reply is to.
    """
    for source, step in pairwise(draft.steps.copy()):
        used = set[str]().union(*(needed_ids(one) for one in draft.steps))
        if source.kind != "task" or not source.untrusted or source.id in used:
            continue
        card = draft.card(step)
        names = [name for name in TEXT_INPUTS if card and card.effects == "read" and name in card.properties]
        if step.kind in ("llm", "agent") and not find_references(step.inputs):
            _give_texts(draft, step.id, TEXT_INPUTS[0], [f"${{{source.id}}}"])
        elif names and not any(name in step.inputs for name in names):
            _give_texts(draft, step.id, names[0], [f"${{{source.id}}}"])


def _lacking_text(draft: Draft, step: PlanStep) -> str | None:
    """The input that should have a text and has none; None if the step judges no texts, or has one."""
    card = draft.card(step)
    if step.kind in ("llm", "agent"):
        return None if find_references(step.inputs) else TEXT_INPUTS[0]
    names = [name for name in TEXT_INPUTS if card and card.effects == "read" and name in card.required]
    return names[0] if names and names[0] not in step.inputs else None


def _reader_for(draft: Draft, step: PlanStep, value: str) -> str:
    """The id of the step that reads a file or an address, a new one in front if there is none; empty if nothing can."""
    reader, target = _reader_of(draft, value)
    if reader is None:
        return ""
    there = next((one for one in draft.steps if one.task == reader.task and one.inputs.get(target) == value), None)
    if there is not None:
        return "" if leads_to(draft.steps, step.id, there.id) else there.id
    source = draft.free_id(f"read_{step.id}")
    added = PlanStep(
        id=source, task=reader.task, inputs={target: value}, effects=reader.effects, untrusted=reader.untrusted
    )
    draft.steps.insert(draft.position(step.id), added)
    draft.notes.append(f"{source}: added, it reads {value}, which {step.id} is about")
    return source


def _give_texts(draft: Draft, step_id: str, name: str, references: list[str]) -> None:
    """Gives a step its texts; a task that takes one text and would get several becomes a model's step."""
    step = draft.steps[draft.position(step_id)]
    sources = sorted(find_references(references))
    needs = [*dict.fromkeys([*step.depends_on, *sources])]
    draft.lost.pop((step_id, name), None)
    if step.kind == "task" and len(references) == 1:
        inputs = {**step.inputs, name: pointed(draft, step, name, references[0])}
        draft.change(step, inputs=inputs, depends_on=needs)
        return
    if step.kind == "task":
        step = draft.change(step, kind="llm", task=None, instruction=step.quote, inputs={})
    texts = {f"from_{source}": f"${{{source}}}" for source in sources}
    draft.change(step, inputs={**step.inputs, **texts}, depends_on=needs)


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
