"""What the planners of others read: a tool a line, and a request with what is known beside it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.contracts import TaskCard
from evaluation.systems.system import Task

ANSWER = "llm"
ASK = "ask_user"
OWN = (
    f"{ASK}(question): Ask the person, when nobody can know what is meant.",
    f"{ANSWER}(instruction): Answer, compare or judge from knowledge or from earlier results.",
)


def tool_lines(cards: Sequence[TaskCard]) -> str:
    """Every tool with its inputs, the two that need no tool first."""
    return "\n".join([*OWN, *(_line(card) for card in cards)])


def _line(card: TaskCard) -> str:
    names = [name if name in card.required else f"{name}?" for name in card.properties]
    return f"{card.task}({', '.join(names)}): {card.description or card.title}"


def request_text(task: Task) -> str:
    """The request with the conversation and the files."""
    parts = [f"Conversation so far:\n{task.context}"] if task.context else []
    if task.files:
        parts.append(f"The person's files: {', '.join(task.files)}")
    return "\n\n".join([*parts, f"Request: {task.request}"])


def document(steps: Sequence[tuple[str, dict[str, object]]], cards: Sequence[TaskCard]) -> dict[str, object]:
    """Calls in their order as the JSON document of a plan; the first is s1.

    Args:
        steps: tool and inputs.
        cards: the tools, for their effects.
    """
    effects = {card.task: card.effects for card in cards}
    return {
        "steps": [
            {"id": f"s{number}", "task": name, "inputs": inputs, "effects": effects.get(name, "read")}
            for number, (name, inputs) in enumerate(steps, start=1)
        ]
    }
