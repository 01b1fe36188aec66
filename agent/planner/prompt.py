"""What the planner's model reads: the catalogue line by line, examples that fit it, and the schema of the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from agent.contracts import TaskCard
from agent.llm.structured import COMPACT
from agent.plan_graph.values import choices

MODEL_KINDS = ("llm", "ask_user", "agent")
Example = tuple[str, list[dict[str, Any]]]


def _step(task: str, **inputs: Any) -> dict[str, Any]:
    return {"task": task, "inputs": inputs}


EXAMPLES: list[Example] = [
    ("Send it to him", [_step("ask_user", question="What shall I send, and to whom?")]),
    ("Hi! How are you?", [_step("llm")]),
    ("Who wrote Faust?", [_step("llm")]),
    (
        "What's 3+4? And what time is it in Rome?",
        [_step("aura_base/calculate", expression="3+4"), _step("aura_base/now", zone="Rome")],
    ),
    (
        "Write a poem about autumn and save it as poem.txt",
        [
            _step("aura_base/write", instruction="Write a poem about autumn"),
            _step("files/write", path="poem.txt", text="${s1}"),
        ],
    ),
    (
        "Read plan.md and save a summary as short.txt",
        [
            _step("files/read", path="plan.md"),
            _step("aura_base/summarise", text="${s1}"),
            _step("files/write", path="short.txt", text="${s2}"),
        ],
    ),
    ("Add bread to list.txt", [_step("files/append", path="list.txt", text="bread")]),
    ("Сколько дней до 8 марта?", [_step("aura_base/days_until", date="8 марта")]),
    (
        "写一封感谢信并保存为 thanks.txt",
        [
            _step("aura_base/write", instruction="写一封感谢信"),
            _step("files/write", path="thanks.txt", text="${s1}"),
        ],
    ),
]
"""Requests and the plans that fit them; one is shown only if every task in it is in the catalogue.

A step has no id there: the first is s1, the second s2. Ids would be 5 % of what a small
model reads, and a fifth of what it writes.
"""


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


def fitting_examples(cards: Sequence[TaskCard]) -> list[tuple[str, str]]:
    """Examples as (request, plan as JSON), in the very form that the decoder lets the model write."""
    known = {card.task for card in cards} | set(MODEL_KINDS)
    return [
        (request, json.dumps({"steps": steps}, ensure_ascii=False, separators=COMPACT))
        for request, steps in EXAMPLES
        if all(step["task"] in known for step in steps)
    ]


def plan_schema(cards: Sequence[TaskCard], *, max_steps: int, agent: bool) -> dict[str, Any]:
    """JSON Schema of a plan: flat, with the names of the tasks as an enum.

    Larger models (`agent`) may write every field of a PlanStep; a small one only what it cannot do without. A step
    without an id has that of its place, see `stream.step_from`.
    """
    kinds = [kind for kind in MODEL_KINDS if agent or kind != "agent"]
    step: dict[str, Any] = {
        "type": "object",
        "properties": {
            "task": {"type": "string", "enum": [*kinds, *(card.task for card in cards)]},
            "inputs": {"type": "object"},
        },
        "required": ["task", "inputs"],
        "additionalProperties": False,
    }
    if agent:
        texts: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
        more = {name: {"type": "string"} for name in ("id", "title", "kind", "question", "instruction")}
        step["properties"] |= {**more, "depends_on": texts, "options": texts}
        step["required"] = []
    return {
        "type": "object",
        "properties": {"steps": {"type": "array", "items": step, "minItems": 1, "maxItems": max_steps}},
        "required": ["steps"],
        "additionalProperties": False,
    }


def _input(name: str, schema: dict[str, Any], *, required: bool) -> str:
    mark = name if required else f"{name}?"
    allowed = choices(schema)
    if allowed:
        return f"{mark}: {'|'.join(str(choice) for choice in allowed)}"
    kind = cast("str | None", schema.get("type"))
    return mark if kind in (None, "string") else f"{mark}: {kind}"
