"""What a task must keep by itself: ids once, jumps to ids that exist, defaults that fit, inputs that are declared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, cast

from aura_core.errors import Problem
from aura_core.ground.suggestions import hint
from aura_core.language.example_checks import task_example_mistakes
from aura_core.language.inputs import default_mistake
from aura_core.language.steps import GoStepStep, Place, StepBase
from aura_core.language.task import TaskDefinition

if TYPE_CHECKING:
    from aura_core.language.problems import Finder


_INPUT = re.compile(r"(?<![\w.'\"])inputs\.([^\W\d]\w*)")
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_METHODS = frozenset({"get", "items", "keys", "values"})


def check_task(task: TaskDefinition, raw: Any, finder: Finder) -> Iterator[Problem]:
    """Problems of one task that need no other task to be seen.

    Args:
        task: the task, its steps settled.
        raw: its value as it was written.
        finder: makes problems of its file.
    """
    blocks = [task.steps, task.on_failure.steps if task.on_failure else []]
    for steps in blocks:
        walked = [inner for step in steps for inner in step.walk()]
        yield from _check_ids(walked, finder)
    for name, spec in task.meta.inputs.items():
        reason = default_mistake(spec)
        if reason is not None:
            yield finder.at(("meta", "inputs", name, "default"), f"the default does not fit: {reason}")
    if task.meta.schedule is not None:
        for name in task.meta.schedule.inputs.keys() - task.meta.inputs.keys():
            advice = hint(name, task.meta.inputs, what="its inputs are")
            yield finder.at(("meta", "schedule", "inputs", name), f"there is no input {name!r}", advice, key=True)
    yield from (mistake.problem(finder) for mistake in task_example_mistakes(task))
    yield from _check_inputs(raw, (), task.meta.inputs, finder)


def _check_inputs(raw: Any, place: Place, inputs: Collection[str], finder: Finder) -> Iterator[Problem]:
    """Expressions that use an input which the task does not declare."""
    if isinstance(raw, str):
        for name, offset in _inputs_in(raw):
            if name not in inputs and name not in _METHODS:
                advice = hint(name, inputs, what="its inputs are") or "declare it under meta.inputs"
                yield finder.at(place, f"the task has no input {name!r}", advice, offset=offset)
    elif isinstance(raw, dict):
        for key, value in cast("dict[Any, Any]", raw).items():
            yield from _check_inputs(value, (*place, key), inputs, finder)
    elif isinstance(raw, list):
        for index, value in enumerate(cast("list[Any]", raw)):
            yield from _check_inputs(value, (*place, index), inputs, finder)


def _inputs_in(text: str) -> Iterator[tuple[str, int]]:
    """The inputs that the expressions of a text name, and where; what they quote is text."""
    if "inputs." not in text or "{" not in text:
        return
    for expression in _EXPRESSION.finditer(text):
        bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), expression[0])
        for match in _INPUT.finditer(bare):
            yield match[1], expression.start() + match.start(1)


def _check_ids(steps: list[StepBase], finder: Finder) -> Iterator[Problem]:
    """Ids once; jumps to ids that exist, in the same block of the task, and not out of side-by-side work."""
    first: dict[str, StepBase] = {}
    for step in steps:
        if step.id is None:
            continue
        if step.id in first:
            line = finder.at((*first[step.id].place, "id"), "").line
            message = f"the id {step.id!r} is there twice"
            yield finder.at((*step.place, "id"), message, f"the other one is in line {line}; ids are unique in a task")
        first.setdefault(step.id, step)
    for step in steps:
        if isinstance(step, GoStepStep) and step.go_step not in first:
            advice = hint(step.go_step, first, what="the ids are") or "give the step to jump to an `id`"
            yield finder.at((*step.place, "go_step"), f"there is no step with the id {step.go_step!r}", advice)
