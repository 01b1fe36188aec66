"""A plan under repair, and the world it must fit: tasks, the person's words, what was done before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.contracts import ExecutorResponse, PlanStep, TaskCard
from agent.plan_graph.grounding import KnownWords

MAX_STEPS = 30


@dataclass(frozen=True, slots=True)
class PlanWorld:
    """What a plan is checked against.

    Attributes:
        cards: the tasks that may be used, by `plan/name`.
        known: everything that a grounded value may stem from.
        steps: steps of earlier plans of this run, by id.
        results: their last results, by step id.
        max_steps: a longer plan is refused.
        left_out: quotes of what the person does not want, as the model marked them.
        without: names of rules of `repair` that are left out: they do not apply, or are measured.
        deliberate: the steps are meant as they are, since the person called a task by name or a large model planned
            them: nothing is added, and nothing is left out as not asked for.
    """

    cards: Mapping[str, TaskCard]
    known: KnownWords
    steps: Mapping[str, PlanStep] = field(default_factory=dict[str, PlanStep])
    results: Mapping[str, ExecutorResponse] = field(default_factory=dict[str, ExecutorResponse])
    max_steps: int = MAX_STEPS
    left_out: Sequence[str] = ()
    without: frozenset[str] = frozenset()
    deliberate: bool = False

    @property
    def done(self) -> dict[str, Any]:
        """Results of earlier steps that succeeded, by step id."""
        return {step: response.output for step, response in self.results.items() if response.ok}


@dataclass(slots=True)
class Draft:
    """The plan while rules work on it.

    Attributes:
        world: what it is checked against.
        steps: in planned order.
        notes: what code changed, one line each.
        problems: what code cannot repair, one line each, written for the model that planned it.
        lost: (step id, input) -> why the value that was planned there cannot be used.
    """

    world: PlanWorld
    steps: list[PlanStep]
    notes: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])
    lost: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def card(self, step: PlanStep) -> TaskCard | None:
        """The task of a step; None for other kinds and unknown tasks."""
        return self.world.cards.get(step.task or "") if step.kind == "task" else None

    def ids(self) -> set[str]:
        """Ids of the plan's steps."""
        return {step.id for step in self.steps}

    def position(self, step_id: str) -> int:
        """The step's place in planned order."""
        return next(place for place, step in enumerate(self.steps) if step.id == step_id)

    def change(self, step: PlanStep, note: str = "", **fields: Any) -> PlanStep:
        """Replaces a step by a copy with other fields and returns the copy; `note` is kept under the step's id."""
        place = self.position(step.id)
        self.steps[place] = step.model_copy(update=fields)
        if note:
            self.notes.append(f"{step.id}: {note}")
        return self.steps[place]

    def free_id(self, wanted: str) -> str:
        """The wanted id, or with a number behind it where a step of this or an earlier plan has it."""
        taken = self.ids() | set(self.world.steps)
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        return name

    def remove(self, step_id: str, note: str) -> None:
        """Takes a step out; `note` says why."""
        del self.steps[self.position(step_id)]
        self.notes.append(f"{step_id}: {note}")
