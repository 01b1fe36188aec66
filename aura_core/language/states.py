"""states.yaml: the states a plan can be in, how each is recognised, and what leads from one to another (seed 001)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from aura_core.errors import Problem
from aura_core.language.fields import Number, PlainText, Reference, Seconds, Whole, YesOrNo
from aura_core.language.problems import Finder
from aura_core.language.side_files import entries_of, read_side_file
from aura_core.language.steps import TaskPart

ANY_STATE = "*"
"""`from: "*"`: a transition that may begin in any state, and when no check holds."""

_NAME = re.compile(r"[^\W_][\w.-]*")
_KEYS = ("states", "transitions")


def _state_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        message = "{name} cannot be a state: use letters, digits, _, - and ., beginning with a letter or digit"
        raise PydanticCustomError("state_name", message, {"name": repr(name)})
    return name


def _origin(name: str) -> str:
    return name if name == ANY_STATE else _state_name(name)


_NAME_SCHEMA: dict[str, Any] = {
    "type": ["string", "integer"],
    "minimum": 0,
    "pattern": r"^[^\u0000-/:-@\[-`{-\u007f][^\u0000-,/:-@\[-^`{-\u007f]*$",
}
StateName = Annotated[PlainText, AfterValidator(_state_name), WithJsonSchema(_NAME_SCHEMA)]
"""Name of a state."""
Origin = Annotated[PlainText, AfterValidator(_origin), WithJsonSchema({"anyOf": [{"const": ANY_STATE}, _NAME_SCHEMA]})]
"""Name of a state, or `*` for any."""


class Verify(TaskPart):
    """How long a state is waited for after a transition.

    Attributes:
        attempts: how often its check is asked, 1 or more.
        delay: seconds between two attempts.
    """

    attempts: Whole = Field(default=5, ge=1, le=1000)
    delay: Seconds = 0.5


class State(TaskPart):
    """A state and how it is recognised.

    Attributes:
        check: a read-only task; the state holds if it succeeds with something true.
        priority: of two states as near to the wanted one, the higher is checked first.
        parallel: its check may run beside those of other such states.
        verify: how long the state is waited for after a transition.
    """

    check: Reference
    priority: Whole = 0
    parallel: YesOrNo = False
    verify: Verify = Verify()


class Transition(TaskPart):
    """A task that leads from one state to another.

    Attributes:
        from_: the state it begins in; `*` for any.
        to: the state it should lead to.
        cost: of several ways the cheapest is taken.
        task: does it.
    """

    from_: Origin = Field(alias="from")
    to: StateName
    cost: Number = Field(default=1.0, ge=0, le=1e9, allow_inf_nan=False)
    task: Reference

    def __str__(self) -> str:
        return f"{self.from_} → {self.to} by {self.task}"


class StatesFile(TaskPart):
    """states.yaml as a whole.

    Attributes:
        states: by name.
        transitions: what leads from one to another.
    """

    states: dict[StateName, State] = Field(default_factory=dict)
    transitions: list[Transition] = Field(default_factory=list[Transition])


@dataclass(frozen=True, eq=False)
class StateMap:
    """The states of a plan.

    Attributes:
        finder: makes problems of the file.
        states: by name.
        transitions: by their position in the file.
        written: every name of a state in the file, also of those with mistakes.
        incomplete: some transitions could not be read.
    """

    finder: Finder
    states: Mapping[str, State]
    transitions: Mapping[int, Transition]
    written: frozenset[str]
    incomplete: bool = False

    def tasks_towards(self, target: str) -> Iterator[str]:
        """The tasks that may run until a state is reached, as the file refers to them.

        All checks, for whichever state holds at first; transitions that a way to the state may take.

        Args:
            target: name of the state.
        """
        yield from (state.check for state in self.states.values())
        near, new = {target}, [target]
        while new:
            state = new.pop()
            for way in self.transitions.values():
                if way.to == state and way.from_ != target:
                    yield way.task
                    if way.from_ not in near:
                        near.add(way.from_)
                        new.append(way.from_)


def load_states(folder: Path) -> tuple[StateMap | None, list[Problem]]:
    """Reads a plan's states.yaml, if it has one.

    Args:
        folder: the plan's folder.

    Returns:
        What could be read of it, and every problem that shows without looking at tasks.
    """
    source, raw, problems = read_side_file(folder / "states.yaml", _KEYS)
    if source is None:
        return None, problems
    finder = Finder(source, raw)
    states, mistakes = entries_of(State, source, raw, ("states",), key=StateName)
    transitions, more = entries_of(Transition, source, raw, ("transitions",))
    problems += [*mistakes, *more]
    given: Any = raw.get("states")
    names = frozenset(str(name) for name in given) if isinstance(given, dict) else frozenset[str]()  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] (names of YAML)
    state_map = StateMap(finder, states, transitions, names, bool(more))
    return state_map, [*problems, *_check_transitions(state_map)]


def _check_transitions(states: StateMap) -> list[Problem]:
    problems: list[Problem] = []
    seen: dict[tuple[str, str, str], int] = {}
    for index, transition in states.transitions.items():
        if transition.from_ == transition.to:
            message = f"the transition leads from {transition.to!r} to itself"
            problems.append(states.finder.at(("transitions", index, "to"), message, "name another state"))
        same = seen.setdefault((transition.from_, transition.to, transition.task), index)
        if same != index:
            message = f"the transition {transition} is there twice"
            problems.append(states.finder.at(("transitions", index), message, "remove one of them"))
    return problems
