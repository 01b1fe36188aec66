"""Shape: what the steps of a recorded task are called in its records, so that an edited task finds them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aura_core.engine.same_steps import Row, State, same_steps
from aura_core.ground.journal import fingerprint
from aura_core.language.steps import (
    ActionStep,
    AskStep,
    ForStep,
    ParallelStep,
    Place,
    RunTaskStep,
    StepBase,
    place_text,
)

if TYPE_CHECKING:
    from aura_core.language.task import TaskDefinition


@dataclass(frozen=True, slots=True)
class Shape:
    """The steps of a task under the names of its records.

    Attributes:
        names: by place.
        does: what each step does, by place, as a short text.
        branches: names of the branches of each `parallel` step, by its place.
        rows: what is kept: the steps as they are now, and behind them those that an edit took out.
    """

    names: Mapping[Place, str]
    does: Mapping[Place, str]
    branches: Mapping[Place, Sequence[str]]
    rows: Sequence[Row]


def shape_of(
    task: TaskDefinition, kept: Iterable[Sequence[str]] = (), state: Callable[[str], State] = lambda _: ""
) -> Shape:
    """The shape of a task, with the names that its steps had before it was edited (see `same_steps`).

    Names of steps that are gone stay theirs.

    Args:
        task: as it is now.
        kept: `rows` of the shape before.
        state: how far records know a step of before, by its name.
    """
    steps, earlier = list(task.walk()), [Row(*row) for row in kept]
    rows = [_row(step) for step in steps]
    same = same_steps(earlier, rows, [state(row.name) for row in earlier]) if earlier else {}
    used = {row.name for row in earlier}
    names: dict[Place, str] = {}
    before: dict[Place, str] = {}
    for index, (step, row) in enumerate(zip(steps, rows, strict=True)):
        old = earlier[same[index]] if index in same else None
        names[step.place] = old.name if old is not None else _unused(row.name, used)
        before[step.place] = old.branch if old is not None else ""
        used.add(names[step.place])
    taken = {row.branch for row in earlier}
    lines = {
        step.place: _branches(step, names[step.place], before, taken)
        for step in steps
        if isinstance(step, ParallelStep)
    }
    inside = {
        child.place: line
        for step in steps
        if isinstance(step, ParallelStep)
        for line, branch in zip(lines[step.place], step.parallel, strict=True)
        for child in branch
    }
    gone = set(range(len(earlier))) - set(same.values())
    return Shape(
        names,
        {step.place: row.does for step, row in zip(steps, rows, strict=True)},
        lines,
        [
            *(
                row._replace(name=names[step.place], branch=inside.get(step.place, ""))
                for step, row in zip(steps, rows, strict=True)
            ),
            *(earlier[index]._replace(gone="gone") for index in sorted(gone)),
        ],
    )


def _row(step: StepBase) -> Row:
    calls, written = _written(step)
    return Row(step.id or place_text(step.place), step.id or "", fingerprint([calls, written]), calls)


def _written(step: StepBase) -> tuple[str, Any]:
    """What a step calls, and with what, as it is written; steps inside it, and what it does with its result, aside."""
    match step:
        case ActionStep():
            return f"action {step.action}", step.params.raw
        case RunTaskStep():
            return f"run_task {step.run_task}", step.pass_params.raw
        case AskStep():
            return "ask", [step.ask.raw, step.options.raw if step.options is not None else None]
        case ForStep():
            return "for", step.for_.raw
        case _:
            return step.kind, None


def _branches(step: ParallelStep, name: str, before: Mapping[Place, str], taken: set[str]) -> list[str]:
    """What records call the branches: as before, if a step of them was in a branch of this step before."""
    names: list[str] = []
    for branch in step.parallel:
        lines = (before[child.place] for child in branch)
        names.append(next((line for line in lines if line.startswith(f"{name}|") and line not in names), ""))
    return [known or _unused(f"{name}|{index}", taken) for index, known in enumerate(names)]


def _unused(name: str, used: set[str]) -> str:
    number, free = 1, name
    while free in used:
        number += 1
        free = f"{name}~{number}"
    return free
