"""Steps that a model does itself: one call (`llm`), or a bounded loop over allowed tasks (`agent`)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from agent.contracts import ExecutorRequest, ExecutorResponse, TaskCard
from agent.errors import ModelIncompleteError
from agent.llm.client import Message, ModelClient
from agent.llm.meter import Meter
from agent.llm.structured import COMPACT
from agent.phrases import language_of, phrase
from agent.prompts import render
from agent.references import resolve_references

DATA_LIMIT = 6000
TURN_DATA_LIMIT = 2000
FINISH = "finish"
CallTask = Callable[[str, dict[str, Any]], Awaitable[ExecutorResponse]]


def data_text(value: Any, limit: int = DATA_LIMIT) -> str:
    """A result as text for a prompt: bounded, and unable to close the marks that say it is data."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.replace("</data", "<\u200b/data").replace("<data", "<\u200bdata")
    return text if len(text) <= limit else f"{text[:limit]}\n[cut after {limit} of {len(text)} characters]"


async def run_llm_step(
    request: ExecutorRequest,
    model: ModelClient,
    meter: Meter | None,
    now: datetime,
    on_text: Callable[[str], None] | None = None,
) -> ExecutorResponse:
    """One model call on the person's words and the results the step depends on.

    Returns:
        ok with the text; partial with one that stopped before its end and says so, if it is only shown to the person.

    Raises:
        ModelIncompleteError: a text that others would go on with stopped before its end.
        ModelError: the call failed for good.
    """
    step = request.step
    wanted = {name: request.results[name] for name in step.depends_on if name in request.results}
    wanted |= resolve_references(step.inputs, request.results)
    messages: list[Message] = [
        {"role": "system", "content": render("step_system", now=f"{now:%A, %Y-%m-%d %H:%M}")},
        {
            "role": "user",
            "content": render(
                "step_request",
                request=request.user_text,
                instruction=resolve_references(step.instruction, request.results),
                results=[(name, data_text(value)) for name, value in wanted.items()],
                context=request.context,
            ),
        },
    ]
    try:
        completion = await model.complete(messages, purpose="step", meter=meter, on_text=on_text)
    except ModelIncompleteError as error:
        if not request.streams or not error.text:
            raise
        text = f"{error.text}\n\n{phrase('incomplete', language_of(request.user_text))}\n{error}"
        return ExecutorResponse(step_id=step.id, status="partial", output=text, summary=text)
    text = completion.text.strip()
    return ExecutorResponse(step_id=step.id, status="ok", output=text, summary=text)


async def run_agent_step(
    request: ExecutorRequest,
    cards: list[TaskCard],
    model: ModelClient,
    *,
    meter: Meter | None,
    now: datetime,
    turns: int,
    call: CallTask,
) -> ExecutorResponse:
    """A tool loop: the model chooses one allowed task a turn until it finishes or the turns are used up.

    Args:
        request: the step and what it may refer to.
        cards: the tasks it may use.
        model: the model client.
        meter: the run's budget.
        now: the clock, for the prompt.
        turns: upper bound of model calls.
        call: runs one task with inputs.

    Returns:
        ok with the model's answer; partial when the turns ran out, with what was found.
    """
    step = request.step
    by_name = {card.task: card for card in cards}
    goal = resolve_references(step.instruction or request.user_text, request.results)
    known = [(name, data_text(request.results[name])) for name in step.depends_on if name in request.results]
    messages: list[Message] = [
        {"role": "system", "content": render("tools_system", cards=cards, now=f"{now:%A, %Y-%m-%d}", turns=turns)},
        {
            "role": "user",
            "content": render(
                "step_request", request=request.user_text, instruction=goal, results=known, context=request.context
            ),
        },
    ]
    seen: set[str] = set()
    artifacts: list[Any] = []
    untrusted, last = False, ""
    for _ in range(turns):
        completion = await model.complete(messages, purpose="tools", schema=_turn_schema(cards), meter=meter)
        choice: dict[str, Any] = completion.value
        if choice["tool"] == FINISH:
            text = str(choice.get("answer", "")) or last
            return ExecutorResponse(
                step_id=step.id, status="ok", output=text, summary=text, artifacts=artifacts, untrusted=untrusted
            )
        response = await _one_call(choice, by_name, seen, call)
        artifacts += response.artifacts
        untrusted = untrusted or response.untrusted
        last = response.summary if response.ok else f"failed: {response.error}"
        shown = data_text(response.output if response.ok else last, TURN_DATA_LIMIT)
        messages += [
            Message(role="assistant", content=json.dumps(choice, ensure_ascii=False, separators=COMPACT)),
            Message(role="user", content=f"<data>\n{shown}\n</data>"),
        ]
    summary = f"I stopped after {turns} turns. The last result: {last}"
    return ExecutorResponse(
        step_id=step.id, status="partial", output=last, summary=summary, artifacts=artifacts, untrusted=untrusted
    )


async def _one_call(
    choice: dict[str, Any], by_name: dict[str, TaskCard], seen: set[str], call: CallTask
) -> ExecutorResponse:
    inputs: dict[str, Any] = choice.get("inputs") or {}
    mark = json.dumps([choice["tool"], inputs], sort_keys=True, ensure_ascii=False)
    if choice["tool"] not in by_name:
        return ExecutorResponse(step_id="", status="error", error=f"There is no tool {choice['tool']!r}.")
    if mark in seen:
        return ExecutorResponse(step_id="", status="error", error="This very call was made before; use its result.")
    seen.add(mark)
    return await call(choice["tool"], inputs)


def _turn_schema(cards: list[TaskCard]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "tool": {"type": "string", "enum": [*(card.task for card in cards), FINISH]},
            "inputs": {"type": "object"},
            "answer": {"type": "string"},
        },
        "required": ["tool"],
        "additionalProperties": False,
    }
