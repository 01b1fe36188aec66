"""One prompt with all tools (after LLMCompiler, Kim et al. 2023): the plan is numbered lines of text with `$1`."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

from agent.errors import ModelMissingError
from aura_core.errors import AuraError
from evaluation.systems.aura import Aura, opened
from evaluation.systems.prompts import document, request_text, tool_lines
from evaluation.systems.system import Made, System, Task

LINE = re.compile(r"^\s*(\d+)[.)]\s*(.+?)\s*(?:\(\s*)?(\{.*\})\s*\)?\s*$")
BACK = re.compile(r"\$\{?(\d+)\}?")
TOKENS = 800
RULES = """Write a plan for the request: numbered lines, each one call of a tool with its inputs as JSON.
$1 in an input stands for the result of line 1. Call nothing that was not asked for. Write nothing but the lines.

Example, with other tools:
1. find_city({"name": "Rome"})
2. get_map({"city": "$1"})

Tools:
"""


class OnePrompt:
    """Plans with one call of the model, without a schema and without repairs."""

    def __init__(self, base: Aura) -> None:
        self._base = base

    async def plan(self, task: Task) -> Made:
        """The lines that can be read, as a plan."""
        config, meter = self._base.surroundings(task)
        system = RULES + tool_lines(config.catalogue)
        try:
            completion = await config.model.complete(
                [{"role": "system", "content": system}, {"role": "user", "content": request_text(task)}],
                purpose="one_prompt",
                max_tokens=TOKENS,
                meter=meter,
            )
        except ModelMissingError:
            raise
        except AuraError as error:
            return Made(None, str(error), meter.read, meter.written)
        calls = calls_in(completion.text)
        plan = document(calls, config.catalogue) if calls else None
        return Made(plan, "" if plan else "no line of it is a call", meter.read, meter.written)


def calls_in(text: str) -> list[tuple[str, dict[str, object]]]:
    """Tool and inputs of every line that is a call; `$1` becomes `${s1}`, counted over the lines that are calls."""
    calls: list[tuple[str, dict[str, object]]] = []
    places: dict[str, int] = {}
    for line in text.splitlines():
        match = LINE.match(line)
        inputs = _object(match[3]) if match else None
        if match is None or inputs is None:
            continue
        calls.append((match[2].strip("`* "), {name: _renamed(value, places) for name, value in inputs.items()}))
        places[match[1]] = len(calls)
    return calls


def _object(text: str) -> dict[str, Any] | None:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _renamed(value: object, places: dict[str, int]) -> object:
    if isinstance(value, str):
        return BACK.sub(lambda match: f"${{s{places[match[1]]}}}" if match[1] in places else match[0], value)
    if isinstance(value, list):
        return [_renamed(item, places) for item in cast("list[object]", value)]
    return value


@asynccontextmanager
async def one_prompt(_: frozenset[str]) -> AsyncGenerator[System]:
    """The prompt as one of the systems."""
    async with opened() as base:
        yield OnePrompt(base)
