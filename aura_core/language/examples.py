"""Examples: what people say, and the call of a task, or the plan of several steps, that answers it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from aura_core.language.fields import Reference
from aura_core.language.steps import TaskPart

MODEL_STEPS: dict[str, tuple[str, ...]] = {
    "llm": ("instruction",),
    "ask_user": ("question", "options"),
    "skip": (),
}
"""Steps of a plan that are no task of any plugin, with their inputs; `skip` is what the person does not want."""


def _words(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("words", "some words are wanted")
    return text


Words = Annotated[str, AfterValidator(_words), WithJsonSchema({"type": "string", "pattern": r"\S"})]
"""What somebody says."""


class Example(TaskPart):
    """A request that one call of the task answers.

    Attributes:
        say: the request, as somebody would write it, in any language.
        inputs: what the task then gets.
    """

    say: Words
    inputs: dict[str, Any] = Field(default_factory=dict)


class ExampleStep(TaskPart):
    """One step of an example; the first is s1, the second s2.

    Attributes:
        words: the part of the request that it serves, word for word.
        task: a task, or `llm`, `ask_user` or `skip`.
        inputs: what it gets: values, or results of steps before it, such as "${s1}" or "${s1.notes[0].id}".
    """

    words: Words = Field(alias="for")
    task: Reference
    inputs: dict[str, Any] = Field(default_factory=dict)


class Exchange(TaskPart):
    """What was said just before a request.

    Attributes:
        say: what the person said.
        answer: what they got; a step takes it as "${before}".
    """

    say: Words
    answer: Words


class PlanExample(TaskPart):
    """A request and the steps that answer it.

    Attributes:
        say: the request, as somebody would write it, in any language.
        steps: what is done, in this order.
        before: what it is a reply to, where it points at that: "save it as a.txt", "no, on Friday".
    """

    say: Words
    steps: list[ExampleStep] = Field(min_length=1)
    before: Exchange | None = None
