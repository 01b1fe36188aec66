"""A tool list in OpenAI's form, as bare functions, or as MCP's `tools/list` answers: the catalogue of a planner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from agent.contracts import TaskCard
from agent.errors import InputFileError

JSON_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
OWN_WORDS = frozenset({"llm", "ask_user", "agent", "skip"})
"""Names that mean something else in a plan."""
EXPECTED = 'a list of tools like [{"type": "function", "function": {"name", "description", "parameters"}}]'


def cards_from(document: object) -> tuple[list[TaskCard], list[str]]:
    """The tasks of a tool list, under the names that stand there.

    Such a list says nothing of effects: all count as `read`, so that a plan with them is held back by nothing.

    Args:
        document: the list, or an object that holds it under `tools`; parsed JSON.

    Returns:
        The tasks, and a line for each entry that was left out.

    Raises:
        InputFileError: it is no tool list, or not one of its entries can be used.
    """
    tools = cast("Mapping[str, object]", document).get("tools") if isinstance(document, dict) else document
    if not isinstance(tools, list):
        raise InputFileError(f"This is no tool list; expected: {EXPECTED}.")
    cards: dict[str, TaskCard] = {}
    left_out: list[str] = []
    for number, tool in enumerate(cast("list[object]", tools), start=1):
        card = _card(tool)
        if isinstance(card, str):
            left_out.append(f"tool {number}: {card}")
        elif card.task in cards:
            left_out.append(f"tool {number}: the name {card.task!r} is taken by an earlier one")
        else:
            cards[card.task] = card
    if not cards:
        why = f": {left_out[0]}" if left_out else ", it is empty"
        raise InputFileError(f"No tool of the list can be used{why}; expected: {EXPECTED}.")
    return list(cards.values()), left_out


def _card(tool: object) -> TaskCard | str:
    """The task, or why there is none."""
    if not isinstance(tool, dict):
        return "not an object"
    outer = cast("dict[str, Any]", tool)
    function: dict[str, Any] = outer["function"] if isinstance(outer.get("function"), dict) else outer
    name = function.get("name")
    if not isinstance(name, str) or not name.strip():
        return "it has no name"
    if name in OWN_WORDS:
        return f"{name!r} means something else in a plan; give it another name"
    description = function.get("description")
    return TaskCard(
        task=name,
        description=" ".join(description.split()) if isinstance(description, str) else "",
        inputs=_inputs(function.get("parameters") or function.get("inputSchema")),
        returns=_schema(function.get("returns") or function.get("outputSchema")),
    )


def _inputs(value: object) -> dict[str, Any]:
    """The schema of the inputs: an object, whose required inputs are all among its properties."""
    schema = _schema(value)
    properties: dict[str, Any] = {name: _schema(inner) for name, inner in _mapping(schema.get("properties")).items()}
    wanted: object = schema.get("required")
    required = [str(name) for name in cast("list[object]", wanted)] if isinstance(wanted, list) else []
    known = {name: dict[str, Any]() for name in required} | properties
    return {**schema, "type": "object", "properties": known, "required": required}


def _schema(value: object) -> dict[str, Any]:
    """A JSON Schema without the types that JSON does not have, such as `dict` and `float`: those say nothing."""
    schema = dict(_mapping(value))
    kinds: object = schema.get("type")
    named = cast("list[object]", kinds) if isinstance(kinds, list) else [kinds]
    known = [kind for kind in named if isinstance(kind, str) and kind in JSON_TYPES]
    schema.pop("type", None)
    if known and len(known) == len(named):
        schema["type"] = known if isinstance(kinds, list) else known[0]
    if "items" in schema:
        schema["items"] = _schema(schema["items"])
    if "properties" in schema:
        schema["properties"] = {name: _schema(inner) for name, inner in _mapping(schema["properties"]).items()}
    return schema


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
