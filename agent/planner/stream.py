"""Reads the steps of a plan out of JSON text while a model is still writing it."""

from __future__ import annotations

import json
from typing import Any, cast

from agent.contracts import PlanStep
from agent.planner.prompt import MODEL_KINDS

SKIP = "skip"
"""The task by which a model marks words that nothing shall be done for."""
WORDS = ("question", "instruction", "prompt")
"""Where a model puts the words of a question or an instruction."""
_STEP_DEPTH = 3
"""Braces and brackets that are open inside a step: the plan, its list of steps, the step."""


class StepReader:
    """Finds the objects in the first list of a JSON object, each as soon as its last brace is there.

    The text may come in any pieces. What stands before the first brace is passed over; what is not JSON gives no steps.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._step: list[str] = []
        self._over = False

    @property
    def complete(self) -> bool:
        """Whether the object's last brace was read: nothing was cut off."""
        return self._over

    def feed(self, piece: str) -> list[dict[str, Any]]:
        """Takes the next piece of text and returns the steps that it completes, in order."""
        found: list[dict[str, Any]] = []
        for character in piece:
            if self._over:
                break
            if self._depth >= _STEP_DEPTH or (self._depth == _STEP_DEPTH - 1 and character == "{"):
                self._step.append(character)
            if self._closes(character) and self._depth == _STEP_DEPTH - 1 and self._step:
                found += _parsed("".join(self._step))
                self._step.clear()
        return found

    def _closes(self, character: str) -> bool:
        """Follows one character; True if it closed a brace or bracket."""
        if self._in_string:
            self._in_string = self._escaped or character != '"'
            self._escaped = character == "\\" and not self._escaped
        elif character == '"':
            self._in_string = self._depth > 0
        elif character == "{" or (character == "[" and self._depth):
            self._depth += 1
        elif character in "}]" and self._depth:
            self._depth -= 1
            self._over = self._depth == 0
            return True
        return False


def _parsed(text: str) -> list[dict[str, Any]]:
    try:
        value: object = json.loads(text, strict=False)
    except ValueError:
        return []
    return [cast("dict[str, Any]", value)] if isinstance(value, dict) else []


def step_from(raw: dict[str, Any], number: int) -> PlanStep:
    """A step as a model wrote it, whatever it wrote.

    Args:
        raw: for, task (a task's name, or llm, ask_user, agent), inputs; a larger model also id, title, kind,
            depends_on, question, options and instruction.
        number: its place in the plan, from 1.
    """
    kind, task = str(raw.get("kind") or ""), str(raw.get("task") or "")
    if kind in MODEL_KINDS:
        task = kind
    given: object = raw.get("inputs")
    inputs = dict(cast("dict[str, Any]", given)) if isinstance(given, dict) else {}
    base = PlanStep(
        id=str(raw.get("id") or f"s{number}"),
        title=str(raw.get("title") or ""),
        depends_on=_texts(raw.get("depends_on")),
        quote=str(raw.get("for") or "").strip(),
    )
    if task not in MODEL_KINDS:
        return base.model_copy(update={"task": task, "inputs": inputs})
    words = next((str(part[name]) for name in WORDS for part in (raw, inputs) if part.get(name)), "")
    if task == "ask_user":
        options = _texts(raw.get("options")) or _texts(inputs.get("options"))
        return base.model_copy(update={"kind": task, "question": words, "options": options})
    kept = {name: value for name, value in inputs.items() if name not in WORDS}
    return base.model_copy(update={"kind": task, "instruction": words, "inputs": kept})


def _texts(value: object) -> list[str]:
    return [str(item) for item in cast("list[object]", value)] if isinstance(value, list) else []


def is_left_out(raw: dict[str, Any]) -> bool:
    """Whether the model marks the words of this step as nothing to be done."""
    return SKIP in (raw.get("task"), raw.get("kind"))
