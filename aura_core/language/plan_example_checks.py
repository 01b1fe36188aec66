"""Checks the examples of plan.yaml: what each step quotes, which task it calls, what it takes from which step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aura_core.ground.suggestions import hint
from aura_core.language.dependencies import find_task
from aura_core.language.example_checks import ExampleMistake, call_mistakes, reference_mistakes
from aura_core.language.examples import MODEL_STEPS, ExampleStep, PlanExample
from aura_core.language.plan import PlanDefinition
from aura_core.language.result_references import REFERENCE, kind_of_path
from aura_core.language.steps import Place
from aura_core.language.task import TaskDefinition
from aura_core.plugins.registry import BASE_PLAN


def plan_example_mistakes(plan: PlanDefinition, plans: Mapping[str, PlanDefinition]) -> Iterator[ExampleMistake]:
    """What is wrong with the examples of a plan, as far as it answers for that.

    Args:
        plan: the plan.
        plans: all plans by name, broken ones too.
    """
    for index, example in enumerate(plan.file.examples):
        yield from _quote_mistakes(example, ("examples", index, "steps"))
    yield from _step_mistakes(plan, plans, lambda owner: owner in {"", plan.name, BASE_PLAN, *plan.requires})


def foreign_step_mistakes(plan: PlanDefinition, plans: Mapping[str, PlanDefinition]) -> Iterator[ExampleMistake]:
    """What no longer fits in examples with tasks of plans that are not required: such an example may not be shown."""
    yield from _step_mistakes(plan, plans, lambda owner: owner not in {"", plan.name, BASE_PLAN, *plan.requires})


def _quote_mistakes(example: PlanExample, place: Place) -> Iterator[ExampleMistake]:
    """Every step quotes words of the request that no other step quotes, and uses only what is there by then."""
    quoted: dict[str, int] = {}
    for index, step in enumerate(example.steps):
        here = (*place, index)
        if step.words not in example.say:
            advice = "quote the words that the step serves, word for word"
            yield ExampleMistake((*here, "for"), f"{step.words!r} is no part of the request", advice)
        elif quoted.setdefault(step.words, index) != index:
            message = f"{step.words!r} is what s{quoted[step.words] + 1} serves already"
            yield ExampleMistake((*here, "for"), message, "quote the words of this step alone")
        yield from reference_mistakes(step.inputs, (*here, "inputs"), earlier=index, before=example.before is not None)


def _step_mistakes(
    plan: PlanDefinition, plans: Mapping[str, PlanDefinition], checked: Callable[[str], bool]
) -> Iterator[ExampleMistake]:
    """What is wrong with steps whose tasks belong to the plans that are to be checked; `llm` and the like to ""."""
    for index, example in enumerate(plan.file.examples):
        tasks = [find_task(plans, plan.name, step.task) for step in example.steps]
        for number, (step, task) in enumerate(zip(example.steps, tasks, strict=True)):
            place: Place = ("examples", index, "steps", number)
            if not checked(task.plan if task is not None else _owner(plan, step.task)):
                continue
            if task is not None:
                yield from call_mistakes(task, step.inputs, place)
                yield from _type_mistakes(task, step.inputs, tasks[:number], (*place, "inputs"))
            elif step.task in MODEL_STEPS:
                yield from _model_step_mistakes(step, place)
            else:
                yield from _unknown_task(plan, plans, step.task, (*place, "task"))


def _owner(plan: PlanDefinition, ref: str) -> str:
    """Whose task a reference to an unknown one should be."""
    if ref in MODEL_STEPS:
        return ""
    return ref.partition("/")[0] if "/" in ref else plan.name


def _unknown_task(
    plan: PlanDefinition, plans: Mapping[str, PlanDefinition], ref: str, place: Place
) -> Iterator[ExampleMistake]:
    """A task that its plan does not have; of a plan that is not loaded, or not whole, nothing can be said."""
    owner = plans.get(_owner(plan, ref))
    if owner is not None and not owner.incomplete:
        known = [f"{owner.name}/{name}" for name in owner.tasks] if "/" in ref else [*MODEL_STEPS, *owner.tasks]
        yield ExampleMistake(place, f"there is no task {ref!r}", hint(ref, known, what="tasks are"))


def _model_step_mistakes(step: ExampleStep, place: Place) -> Iterator[ExampleMistake]:
    known = MODEL_STEPS[step.task]
    for name in step.inputs.keys() - {*known}:
        advice = hint(name, known, what="its inputs are")
        yield ExampleMistake((*place, "inputs", name), f"{step.task} has no input {name!r}", advice, key=True)


def _type_mistakes(
    task: TaskDefinition, inputs: Mapping[str, Any], earlier: Sequence[TaskDefinition | None], place: Place
) -> Iterator[ExampleMistake]:
    """References that put something else where a type is needed."""
    for name, spec in task.meta.inputs.items():
        match = REFERENCE.fullmatch(inputs[name]) if spec.needs and isinstance(inputs.get(name), str) else None
        index = int(match["step"][1:]) - 1 if match is not None and re.fullmatch(r"s\d+", match["step"]) else -1
        giver = earlier[index] if match is not None and 0 <= index < len(earlier) else None
        if match is not None and giver is not None and giver.meta.gives.get(kind_of_path(match["path"])) != spec.needs:
            message = f"the input {name!r} of {task.ref} needs {spec.needs}, which {match[0]} is not"
            yield ExampleMistake((*place, name), message, _where_given(giver, str(spec.needs)))


def _where_given(giver: TaskDefinition, wanted: str) -> str:
    """What a task gives of a type, as a reader of the mistake needs it."""
    paths = [path or "the result itself" for path, given in giver.meta.gives.items() if given == wanted]
    return f"{giver.ref} gives it as {' or '.join(paths)}" if paths else f"{giver.ref} gives none"
