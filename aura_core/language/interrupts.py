"""interrupts.yaml: guards that are checked while tasks run, and what handles them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from aura_core.errors import Problem
from aura_core.expressions import Template
from aura_core.language.fields import PlainText, PositiveSeconds, Reference, Seconds, Whole
from aura_core.language.problems import Finder
from aura_core.language.side_files import entries_of, read_side_file
from aura_core.language.steps import TaskPart

SHORTEST = 0.01
"""Seconds between two checks, at least: a guard must not keep the machine busy by itself."""

_NAME = re.compile(r"[^\W_][\w.-]*")


def _interrupt_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        message = "{name} cannot be an interrupt: use letters, digits, _, - and ., beginning with a letter or digit"
        raise PydanticCustomError("interrupt_name", message, {"name": repr(name)})
    return name


def _not_too_often(seconds: float) -> float:
    if seconds < SHORTEST:
        message = "a condition is checked every {shortest} s at most: write 10ms or more"
        raise PydanticCustomError("interrupt_every", message, {"shortest": SHORTEST})
    return seconds


_NAME_SCHEMA = {"type": "string", "pattern": r"^[^\u0000-/:-@\[-`{-\u007f][^\u0000-,/:-@\[-^`{-\u007f]*$"}
InterruptName = Annotated[PlainText, AfterValidator(_interrupt_name), WithJsonSchema(_NAME_SCHEMA)]
"""Name of an interrupt."""


class InterruptCondition(TaskPart):
    """A read-only action that says whether the interrupt is due.

    Attributes:
        action: its name, as a step of the plan would write it.
        params: rendered anew for every check; expressions may use `state`.
    """

    action: PlainText
    params: Template = Template({})

    def as_data(self) -> dict[str, Any]:
        """What `Orchestrator.perform_condition_check` takes."""
        return {"action": self.action, "params": self.params.raw}


class Interrupt(TaskPart):
    """One guard.

    Attributes:
        condition: what is checked.
        task: runs when the condition holds.
        every: seconds between two checks.
        cooldown: seconds after the end of a handler in which the condition is not checked.
        scope: watched for each task that activates it, or once for all running tasks.
        mode: `pause` holds the running task between steps until the handler has ended, `beside` does not.
        priority: of several that are due at once, the higher is handled first.
    """

    condition: InterruptCondition
    task: Reference
    every: Annotated[PositiveSeconds, AfterValidator(_not_too_often)] = 5.0
    cooldown: Seconds = 60.0
    scope: Literal["task", "global"] = "task"
    mode: Literal["pause", "beside"] = "pause"
    priority: Whole = Field(default=0)


@dataclass(frozen=True, eq=False)
class InterruptMap:
    """The interrupts of a plan.

    Attributes:
        finder: makes problems of the file.
        interrupts: by name.
        written: every name in the file, also of those with mistakes.
    """

    finder: Finder
    interrupts: Mapping[str, Interrupt]
    written: frozenset[str]


def load_interrupts(folder: Path) -> tuple[InterruptMap | None, list[Problem]]:
    """Reads a plan's interrupts.yaml, if it has one.

    Args:
        folder: the plan's folder.

    Returns:
        What could be read of it, and every problem that shows without looking at tasks and actions.
    """
    source, raw, problems = read_side_file(folder / "interrupts.yaml")
    if source is None:
        return None, problems
    interrupts, mistakes = entries_of(Interrupt, source, raw, (), key=InterruptName)
    written = frozenset(str(name) for name in raw)
    return InterruptMap(Finder(source, raw), interrupts, written), [*problems, *mistakes]
