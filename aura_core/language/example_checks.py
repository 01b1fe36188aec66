"""Checks the call of a task that an example shows: its inputs, and its references to steps before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aura_core.ground.suggestions import hint
from aura_core.language.inputs import value_mistake
from aura_core.language.result_references import BROKEN, REFERENCE, has_references, texts_in
from aura_core.language.steps import Place

if TYPE_CHECKING:
    from aura_core.errors import Problem
    from aura_core.language.problems import Finder
    from aura_core.language.task import TaskDefinition


@dataclass(frozen=True, slots=True)
class ExampleMistake:
    """What is wrong at a place of an example; `key` means the key there, `offset` a character inside the text."""

    place: Place
    message: str
    advice: str = ""
    key: bool = False
    offset: int = 0

    def problem(self, finder: Finder) -> Problem:
        """The same with file, line and column."""
        return finder.at(self.place, self.message, self.advice, key=self.key, offset=self.offset)


def task_example_mistakes(task: TaskDefinition) -> Iterator[ExampleMistake]:
    """What is wrong with the examples of one task; that can be seen without other tasks."""
    for index, example in enumerate(task.meta.examples):
        place: Place = ("meta", "examples", index)
        yield from reference_mistakes(example.inputs, (*place, "inputs"), earlier=0)
        yield from call_mistakes(task, example.inputs, place)


def call_mistakes(task: TaskDefinition, inputs: Mapping[str, Any], place: Place) -> Iterator[ExampleMistake]:
    """Inputs that a task does not take; what comes out of an earlier step is seen only when it runs.

    Args:
        task: what is called.
        inputs: what it gets.
        place: of the call; `inputs` stands there.
    """
    specs = task.meta.inputs
    for name, value in inputs.items():
        here = (*place, "inputs", name)
        if name not in specs:
            advice = hint(name, specs, what="its inputs are") or "it takes none"
            yield ExampleMistake(here, f"the task {task.ref} has no input {name!r}", advice, key=True)
        elif not has_references(value) and (reason := value_mistake(specs[name], value)):
            yield ExampleMistake(here, f"the input {name!r} of {task.ref} does not fit: {reason}")
    missing = [name for name, spec in specs.items() if spec.required and not spec.has_default and name not in inputs]
    if missing:
        message = f"the task {task.ref} needs {', '.join(repr(name) for name in missing)}"
        yield ExampleMistake((*place, "inputs"), message, "an example shows a whole call")


def reference_mistakes(inputs: Any, place: Place, *, earlier: int, before: bool = False) -> Iterator[ExampleMistake]:
    """References that are none, or lead to no step before this one.

    Args:
        inputs: of the step.
        place: where they stand.
        earlier: how many steps come before it.
        before: whether the request is a reply, so that there is an answer before it.
    """
    known = [*(f"s{number}" for number in range(1, earlier + 1)), *(["before"] if before else [])]
    for text, inside in texts_in(inputs):
        here = (*place, *inside)
        for match in REFERENCE.finditer(text):
            if not match["escape"] and match["step"] not in known:
                advice = hint(match["step"], known, what="the steps before it are") or "no step comes before it"
                yield ExampleMistake(
                    here, f"{match[0]} refers to no step before this one", advice, offset=match.start()
                )
        for match in BROKEN.finditer(REFERENCE.sub(lambda match: " " * len(match[0]), text)):
            message = f"{match[0]!r} is no reference"
            yield ExampleMistake(here, message, "write ${s1} or ${s1.rows[0].id}", offset=match.start())
