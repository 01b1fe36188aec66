"""A ReAct loop (Yao et al. 2022) with the same model: a thought and one call at a time, until it says it is done."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from agent.contracts import TaskCard
from agent.errors import ModelMissingError
from agent.llm.client import Message
from aura_core.errors import AuraError
from evaluation.systems.aura import Aura, opened
from evaluation.systems.prompts import document, request_text, tool_lines
from evaluation.systems.system import Made, System, Task

TURNS = 10
FINISH = "finish"
RULES = """You serve a person's request with tools, one call at a time.
Each time, write a thought and one call: {"thought": "...", "tool": NAME, "inputs": {...}}.
After each call you are told the name of its result, such as ${s1}; write that name where a later call needs the result.
When everything that was asked is done, call finish with no inputs.

Tools:
finish(): Everything is done.
"""


class ReAct:
    """Plans by acting in a world where every call succeeds; the same call for the third time in a row ends it."""

    def __init__(self, base: Aura) -> None:
        self._base = base

    async def plan(self, task: Task) -> Made:
        """The calls until it finishes, as a plan."""
        config, meter = self._base.surroundings(task)
        cards = config.catalogue
        messages: list[Message] = [
            {"role": "system", "content": RULES + tool_lines(cards)},
            {"role": "user", "content": request_text(task)},
        ]
        calls: list[tuple[str, dict[str, object]]] = []
        error = ""
        for turn in range(1, TURNS + 1):
            try:
                completion = await config.model.complete(
                    messages, purpose="react", schema=_schema(cards), max_tokens=400, meter=meter
                )
            except ModelMissingError:
                raise
            except AuraError as failure:
                error = str(failure)
                break
            call: dict[str, Any] = completion.value
            if call["tool"] == FINISH or calls[-2:] == [(call["tool"], call["inputs"])] * 2:
                break
            calls.append((call["tool"], call["inputs"]))
            messages.append({"role": "assistant", "content": json.dumps(call, ensure_ascii=False)})
            messages.append({"role": "user", "content": f"It worked. The result is ${{s{turn}}}. What next?"})
        plan = document(calls, cards) if calls else None
        return Made(plan, "" if plan else error or "it called nothing", meter.read, meter.written)


def _schema(cards: Sequence[TaskCard]) -> dict[str, Any]:
    names = [FINISH, "ask_user", "llm", *(card.task for card in cards)]
    return {
        "type": "object",
        "properties": {
            "thought": {"type": "string", "maxLength": 300},
            "tool": {"type": "string", "enum": names},
            "inputs": {"type": "object"},
        },
        "required": ["thought", "tool", "inputs"],
        "additionalProperties": False,
    }


@asynccontextmanager
async def react(_: frozenset[str]) -> AsyncGenerator[System]:
    """The loop as one of the systems."""
    async with opened() as base:
        yield ReAct(base)
