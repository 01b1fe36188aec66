"""What the planner's model reads: the catalogue line by line, examples, and the schema of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from agent.contracts import Exchange, PlanExample, TaskCard
from agent.llm.structured import COMPACT
from agent.plan_graph.quotes import quote_pattern
from agent.plan_graph.values import choices

MODEL_KINDS = ("llm", "ask_user", "skip", "agent")
REFERENCE = r"^\$\{(before|s[0-9]{1,2})(\.[A-Za-z_]+|\[[0-9]{1,2}\]){0,4}\}$"
NUMBER = re.compile(r"(?<![A-Za-z\d.,])-?(?:0|[1-9]\d{0,8})(?:\.\d+)?(?![.,]?\d)")
_PLAIN = ("string", "integer", "number", "boolean")


def catalogue_line(card: TaskCard, *, full: bool) -> str:
    """One task as the planner reads it, such as `files/write(path, text, replace?: boolean) Save a text`.

    Args:
        card: the task.
        full: with the inputs' descriptions, for models that read quickly.
    """
    names = [_input(name, schema, required=name in card.required) for name, schema in card.properties.items()]
    line = f"{card.task}({', '.join(names)}) {card.description or card.title}".strip()
    if not full:
        return line
    details = [
        f"{name}: {schema['description']}" for name, schema in card.properties.items() if "description" in schema
    ]
    returns = card.returns.get("description")
    return " ".join([line, *(f"[{detail}]" for detail in details), *([f"Returns {returns}"] if returns else [])])


def example_lines(examples: Sequence[PlanExample]) -> list[tuple[str, str, Exchange | None]]:
    """Examples as (request, plan as JSON, what was said before), in the very form that a model writes and reads."""
    return [(one.say, _written(one), one.before) for one in examples]


def _written(example: PlanExample) -> str:
    steps = [{"for": step.words, "task": step.task, "inputs": step.inputs} for step in example.steps]
    return json.dumps({"steps": steps}, ensure_ascii=False, separators=COMPACT)


def plan_schema(
    cards: Sequence[TaskCard],
    known: Sequence[str],
    parts: Sequence[str],
    *,
    max_steps: int,
    small: bool,
    without: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """JSON Schema of a plan.

    A step without an id has that of its place, see `stream.step_from`.

    Args:
        cards: the tasks that may be named.
        known: the person's words, and what was said just before; a small model is held to them in inputs that are
            the person's words.
        parts: the words that are still to be planned; a small model's quotes are held to them.
        max_steps: upper bound of steps.
        small: for the embedded model, which writes no field that it can do without; larger ones may write all.
        without: parts that are left out, to measure them.
    """
    pattern = quote_pattern(parts) if small and "quotes" not in without else None
    quote: dict[str, Any] = {"type": "string", "pattern": pattern} if pattern else {"type": "string"}
    said = list(dict.fromkeys(NUMBER.findall(" ".join(known))))
    held = quote_pattern(known) if pattern else None
    words: dict[str, Any] = {"type": "string", "pattern": held} if held else {"type": "string"}
    definitions = {"quote": quote, "words": words, "reference": {"type": "string", "pattern": REFERENCE}}
    if small and "typed-schema" not in without:
        given = [_inputs(card, held=bool(pattern), reply=len(known) > 1, said=said) for card in cards]
        models = [_step([kind], inputs) for kind, inputs in _MODEL_INPUTS.items()]
        step = {"anyOf": [*models, *(_step([card.task], one) for card, one in zip(cards, given, strict=True))]}
    else:
        step = _loose_step(cards, small=small)
    return {
        "type": "object",
        "properties": {"steps": {"type": "array", "items": step, "minItems": 1, "maxItems": max_steps}},
        "required": ["steps"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


_MODEL_INPUTS: dict[str, dict[str, Any]] = {
    "llm": _object({"instruction": {"type": "string"}}),
    "ask_user": _object({"question": {"type": "string"}}),
    "skip": _object({}),
}


def _step(tasks: list[str], inputs: dict[str, Any]) -> dict[str, Any]:
    properties = {"for": {"$ref": "#/$defs/quote"}, "task": {"type": "string", "enum": tasks}, "inputs": inputs}
    return {**_object(properties), "required": ["for", "task", "inputs"]}


def _loose_step(cards: Sequence[TaskCard], *, small: bool) -> dict[str, Any]:
    """A step of any task, whose inputs code makes fit; a large model may write every field."""
    kinds = [kind for kind in MODEL_KINDS if kind != "agent" or not small]
    step = _step([*kinds, *(card.task for card in cards)], {"type": "object"})
    if not small:
        texts: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
        more = {name: {"type": "string"} for name in ("id", "title", "kind", "question", "instruction")}
        step["properties"] |= {**more, "depends_on": texts, "options": texts}
        step["required"] = []
    return step


def _inputs(card: TaskCard, *, held: bool, reply: bool, said: Sequence[str]) -> dict[str, Any]:
    """The inputs of a task as its decoder takes them: known names, each of its type or a reference."""
    values = {name: _value(schema, held=held, reply=reply, said=said) for name, schema in card.properties.items()}
    return _object({name: value for name, value in values.items() if value is not None})


def _value(schema: Mapping[str, Any], *, held: bool, reply: bool, said: Sequence[str]) -> dict[str, Any] | None:
    """What an input may be; None if it must have been said and there is nothing that it could be.

    A reply puts new words together with those before it: "no, on Friday" changes a reminder.
    """
    reference = {"$ref": "#/$defs/reference"}
    if allowed := choices(schema):
        return {"enum": allowed}
    if held and (schema.get("grounded") or schema.get("verbatim")) and schema.get("type") in ("integer", "number"):
        numbers = [json.loads(number) for number in said]
        return {"enum": numbers} if numbers else None
    if held and (schema.get("grounded") or (schema.get("verbatim") and not reply)):
        return {"anyOf": [{"$ref": "#/$defs/words"}, reference]}
    kind = schema.get("type")
    if kind == "string":
        return {"type": "string"}
    return {"anyOf": [{"type": kind}, reference]} if kind in _PLAIN else {}


def _input(name: str, schema: dict[str, Any], *, required: bool) -> str:
    mark = name if required else f"{name}?"
    allowed = choices(schema)
    if allowed:
        return f"{mark}: {'|'.join(str(choice) for choice in allowed)}"
    kind = cast("str | None", schema.get("type"))
    return mark if kind in (None, "string") else f"{mark}: {kind}"
