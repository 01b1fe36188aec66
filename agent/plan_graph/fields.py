"""Which part of a result a reference means: the field that the task returns, or the text of it where text is wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.draft import Draft
from agent.plan_graph.values import is_string
from agent.references import GENERIC_FIELDS, NEAR_ENOUGH, Reference, parse_reference, replace_references

_FIELDS = re.compile(r"\{(?P<names>.+)\}\.?")
_INNER = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}")
TEXT_FIELDS = ("text", "content", "body", "value", "result", "summary", "title", "name")
"""Which field of a result is meant when a text input is given the whole of it, in this order."""
TEXT_INPUTS = ("text", "content", "data")
"""Names of inputs that take the text itself."""


def pointed(draft: Draft, step: PlanStep, name: str, value: Any) -> Any:
    """The value with every reference pointing at a part that its task says it returns.

    Args:
        draft: the plan.
        step: the step that reads the value.
        name: its input.
        value: a value with references that are known to exist.
    """
    card = draft.card(step)
    schema = card.properties.get(name, {}) if card else {}
    whole = isinstance(value, str) and parse_reference(value) is not None

    def point(reference: Reference) -> str:
        given = _text_given(draft, reference.step, name)
        if given is not None:
            draft.notes.append(f"{step.id}: {reference} became {given}, the text that was saved there")
            return str(given)
        returns = _returns(draft, reference.step)
        exact = _with_known_field(reference, returns)
        if not exact.path and (not whole or (schema and is_string(schema))):
            exact = _text_part(exact, name, returns)
        if exact != reference:
            draft.notes.append(f"{step.id}: {reference} became {exact}")
        return str(exact)

    return replace_references(value, point)


def _text_given(draft: Draft, step_id: str, name: str) -> Reference | None:
    """Where the text comes from that a step wrote away: it returns none itself."""
    source = next((one for one in draft.steps if one.id == step_id), None)
    card = draft.card(source) if source else None
    if source is None or card is None or card.effects == "read" or name not in TEXT_INPUTS:
        return None
    if set(_fields(card.returns)) & {"text", "content", "body"}:
        return None
    texts = (source.inputs.get(one) for one in TEXT_INPUTS)
    return next((parsed for one in texts if isinstance(one, str) and (parsed := parse_reference(one))), None)


def _returns(draft: Draft, step_id: str) -> Mapping[str, Any]:
    step = next((one for one in draft.steps if one.id == step_id), None) or draft.world.steps.get(step_id)
    if step is None:
        return {}
    card: TaskCard | None = draft.world.cards.get(step.task or "") if step.kind == "task" else None
    return card.returns if card else {"type": "string"}


def _with_known_field(reference: Reference, returns: Mapping[str, Any]) -> Reference:
    if not reference.path:
        return reference
    first = reference.path[0]
    if returns.get("type") in ("string", "number", "integer", "boolean"):
        return Reference(reference.step)
    fields = _fields(returns)
    if not fields or first in fields or isinstance(first, int):
        return reference
    near = get_close_matches(str(first), fields, n=1, cutoff=NEAR_ENOUGH)
    if near:
        return Reference(reference.step, (near[0], *reference.path[1:]))
    return Reference(reference.step, reference.path[1:]) if first in GENERIC_FIELDS else reference


def _text_part(reference: Reference, name: str, returns: Mapping[str, Any]) -> Reference:
    fields = _fields(returns)
    texts = [field for field, schema in fields.items() if schema.get("type", "string") == "string"]
    wanted = next((field for field in (name, *TEXT_FIELDS) if field in texts), None)
    return Reference(reference.step, (wanted,)) if wanted else reference


def _fields(returns: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Fields of a result: its properties, or the names in a description such as "{path, rows: [{id}], text}"."""
    declared = cast("dict[str, dict[str, Any]]", returns.get("properties") or {})
    match = _FIELDS.fullmatch(str(returns.get("description", "")).strip())
    if declared or match is None:
        return declared
    flat = match["names"]
    while flat != (flatter := _INNER.sub("", flat)):
        flat = flatter
    named: dict[str, dict[str, Any]] = {}
    for part in flat.split(","):
        name, colon, _ = part.partition(":")
        named[name.strip()] = {"type": "array"} if colon else {}
    return named
