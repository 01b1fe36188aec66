"""Message and Completion: what goes to a model and what comes back, for the rest of the agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict


class Message(TypedDict):
    """One message: role is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer, whole: one that stopped before its end is a `ModelIncompleteError`.

    Attributes:
        text: its words.
        value: the parsed JSON value, when a schema was asked for.
        tokens_read: of all prompts of this call, a repair included.
        tokens_written: of all answers.
        money: US dollars, by `llm.prices`.
        model: the model that answered.
        seconds: how long it took.
    """

    text: str
    value: Any = None
    tokens_read: int = 0
    tokens_written: int = 0
    money: float = 0.0
    model: str = ""
    seconds: float = 0.0
