"""Whether a plan is the one that an example shows: the same tasks, with the same inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.references import find_references

if TYPE_CHECKING:
    from agent.contracts import ExampleStep, Plan, PlanExample, PlanStep, TaskCard

SKIP = "skip"
"""In an example: what the person does not want. A plan has no step for it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """How an example was planned.

    Attributes:
        say: the request.
        expected: the tasks that the example shows.
        planned: the tasks of the plan; empty if none was made.
        differences: why it is another plan, one line each; empty if it is the example's.
        values: inputs that have other values than in the example, one line each; that alone makes no other plan.
    """

    say: str
    expected: list[str]
    planned: list[str] = field(default_factory=list[str])
    differences: list[str] = field(default_factory=list[str])
    values: list[str] = field(default_factory=list[str])


def compared(example: PlanExample, plan: Plan, cards: Mapping[str, TaskCard]) -> Planned:
    """Holds a plan against an example; the order of steps and their ids do not count.

    Args:
        example: what should be planned.
        plan: what was planned.
        cards: of the catalogue, by task.
    """
    wanted_steps = [step for step in example.steps if step.task != SKIP]
    expected = [step.task for step in wanted_steps]
    planned = [step.task or step.kind for step in plan.steps]
    made = Planned(example.say, expected, planned)
    if Counter(expected) != Counter(planned):
        made.differences.append(f"planned {', '.join(planned)} instead of {', '.join(expected)}")
        return made
    for wanted, step in _paired(wanted_steps, plan.steps):
        card = cards.get(wanted.task)
        if card is not None:
            made.differences.extend(_other_inputs(wanted, step, card))
            made.values.extend(_other_values(wanted, step))
    return made


def failed(example: PlanExample, reason: str) -> Planned:
    """An example for which no plan could be made."""
    return Planned(example.say, [step.task for step in example.steps], differences=[f"no plan: {reason}"])


def _paired(expected: Sequence[ExampleStep], planned: Sequence[PlanStep]) -> Iterator[tuple[ExampleStep, PlanStep]]:
    """Steps of the same task, the first with the first."""
    left = list(planned)
    for wanted in expected:
        step = next(step for step in left if (step.task or step.kind) == wanted.task)
        left.remove(step)
        yield wanted, step


def _other_inputs(wanted: ExampleStep, step: PlanStep, card: TaskCard) -> Iterator[str]:
    """Inputs that are missing, or there beside those of the example; a default that is written out is neither."""
    for name in wanted.inputs.keys() - step.inputs.keys():
        if not _is_default(wanted.inputs[name], name, card):
            yield f"{wanted.task}: no {name} (in the example: {wanted.inputs[name]!r})"
    for name in step.inputs.keys() - wanted.inputs.keys():
        if not _is_default(step.inputs[name], name, card):
            yield f"{wanted.task}: also {name} ({step.inputs[name]!r})"


def _is_default(value: Any, name: str, card: TaskCard) -> bool:
    return value == card.properties.get(name, {}).get("default")


def _other_values(wanted: ExampleStep, step: PlanStep) -> Iterator[str]:
    """Values that differ; of those that come from an earlier step nothing can be said before it ran."""
    for name, value in wanted.inputs.items():
        given = step.inputs.get(name, value)
        if str(given) != str(value) and not (find_references(given) and find_references(value)):
            yield f"{wanted.task}: {name} is {given!r} (in the example: {value!r})"
