"""Whether an answer fits what is asked: one of the choices where only those count, and a value that the task takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent.contracts import PlanStep, Question
from agent.errors import AnswerMisfitError
from agent.references import parse_reference
from aura_core.durable.protocol import Json
from aura_core.errors import InputError
from aura_core.language.input_spec import InputSpec
from aura_core.language.inputs import fitted


def inputs_for(asking: PlanStep, steps: Iterable[PlanStep]) -> list[tuple[str, str]]:
    """The inputs, as (task, name), whose value is exactly the answer to an `ask_user` step."""
    found: list[tuple[str, str]] = []
    for step in steps:
        for name, value in step.inputs.items() if step.kind == "task" else ():
            reference = parse_reference(value) if isinstance(value, str) else None
            if reference is not None and str(reference) == f"${{{asking.id}}}":
                found.append((step.task or "", name))
    return found


def wanted_of(specs: Iterable[InputSpec]) -> list[Json]:
    """What is kept with a question of the inputs that its answer is for."""
    return [spec.model_dump(mode="json", exclude_unset=True) for spec in specs]


def check_answer(question: Question, wanted: Iterable[Any], text: str) -> None:
    """Checks an answer.

    Args:
        question: what is asked.
        wanted: of `wanted_of`.
        text: the answer, a choice by its number already replaced.

    Raises:
        AnswerMisfitError: it does not fit; says what is wrong and asks again.
    """
    if question.strict and question.options and text not in question.options:
        raise AnswerMisfitError(f"{text!r} is not one of {', '.join(question.options)}. {question.text}")
    for described in wanted:
        try:
            fitted(InputSpec.model_validate(described), text)
        except InputError as error:
            raise AnswerMisfitError(f"{str(error).rstrip('.')}. {question.text}") from error
