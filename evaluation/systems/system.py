"""System, Task and Made: what every planner is given and gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.contracts import PastPlan, TaskCard


@dataclass(frozen=True, slots=True)
class Task:
    """One request for a planner.

    Attributes:
        request: the person's words.
        context: the conversation before it.
        files: names of the person's files.
        cards: the tools; None are the built-in plans of the planner's own build.
        past: plans of earlier requests to the same tools.
    """

    request: str
    context: str = ""
    files: Sequence[str] = ()
    cards: Sequence[TaskCard] | None = None
    past: Sequence[PastPlan] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What a planner made of it.

    Attributes:
        plan: the plan as `aura plan --json` prints it; None if there is none.
        error: why there is none.
        read: tokens of all prompts.
        written: tokens of all answers.
        repairs: what code changed in it.
    """

    plan: dict[str, Any] | None
    error: str = ""
    read: int = 0
    written: int = 0
    repairs: Sequence[str] = field(default_factory=list[str])


class System(Protocol):
    """One planner; its model is loaded."""

    async def plan(self, task: Task) -> Made:
        """Plans one request; what the planner itself cannot do is an error in `Made`.

        Raises:
            ModelMissingError: there is no model, so no request can be planned.
        """
        ...
