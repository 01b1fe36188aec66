"""The steps of a task as pydantic models: one class per kind of step, and `Step`, their union (seed 002)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from aura_core.expressions import Template
from aura_core.language.fields import (
    Condition,
    Items,
    Number,
    PlainText,
    PositiveSeconds,
    Reference,
    Seconds,
    VariableName,
    Whole,
    YesOrNo,
    refuse_text,
)

Place: TypeAlias = tuple[str | int, ...]
"""Path of a value inside its task, e.g. `("steps", 2, "then", 0)`."""

STEP_KINDS = ("action", "if", "for", "while", "run_task", "go_step", "go_task", "parallel", "set", "stop", "ask")
"""The keys of which a step has exactly one (`for` may also have `parallel: N`)."""


class TaskPart(BaseModel):
    """Base of all parts of a task file: unknown keys are refused, nothing changes after load."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class StepBase(TaskPart):
    """Keys that any step may have.

    Attributes:
        id: unique in the task; target of `go_step`.
        name: for people: shown in progress and errors.
        when: a false value skips the step.
    """

    kind: ClassVar[str] = ""
    blocks: ClassVar[tuple[tuple[str, str], ...]] = ()

    id: PlainText | None = None
    name: PlainText | None = None
    when: Condition | None = None
    _place: ClassVar[Place] = ()  # set once per step by `settle`; a private attribute slows every load

    @property
    def place(self) -> Place:
        """Path of this step inside its task; `TaskDefinition.location` turns it into file, line and column."""
        return self._place

    def settle(self, place: Place) -> None:
        """Tells this step and all steps inside it where they stand; called once, by the loader."""
        object.__setattr__(self, "_place", place)  # frozen for everyone else
        for path, step in self.children():
            step.settle((*place, *path))

    def children(self) -> Iterator[tuple[Place, StepBase]]:
        """The steps directly inside this one, with their paths relative to it."""
        for attribute, key in self.blocks:
            for index, step in enumerate(getattr(self, attribute)):
                yield (key, index), step

    def walk(self) -> Iterator[StepBase]:
        """This step and all steps inside it, in the order of the file."""
        yield self
        for _, step in self.children():
            yield from step.walk()

    @property
    def label(self) -> str:
        """What errors call this step: its id, else its name, else its position as `steps[2].then[0]`."""
        return self.id or self.name or place_text(self._place)


def place_text(place: Place) -> str:
    """A path as people write it: `("steps", 2, "then", 0)` is `steps[2].then[0]`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Retry(TaskPart):
    """How often a failed action is tried again.

    Attributes:
        attempts: how often it is tried in all, 1 or more.
        delay: seconds before the second attempt.
        backoff: the delay grows by this factor from attempt to attempt.
        on: class names of exceptions that are worth another attempt; empty: all of them, and a result judged a failure.
    """

    attempts: Whole = Field(ge=1, le=1000)
    delay: Seconds = 0.0
    backoff: Number = Field(default=1.0, ge=1.0, le=100.0)
    on: list[PlainText] = Field(default_factory=list)


class ActionStep(StepBase):
    """Calls an action.

    Attributes:
        action: its name: of this plan, of aura_base, or `plan/name` of a required plan.
        params: rendered anew for every attempt.
        output_to: variable that takes the result; False after the last failed attempt.
        retry: how often it is tried again when it fails.
        timeout: seconds per attempt.
        wait_before: seconds to wait before the first attempt.
        continue_on_failure: the task goes on if this step fails.
    """

    kind: ClassVar[str] = "action"

    action: PlainText
    params: Template = Template({})
    output_to: VariableName | None = None
    retry: Retry | None = None
    timeout: PositiveSeconds | None = None
    wait_before: Template | None = None
    continue_on_failure: YesOrNo = False


class IfStep(StepBase):
    """Runs `then` if the condition holds, else `else`.

    Attributes:
        if_: one expression, `"{{ … }}"`, or true or false.
        then: the steps that run when it holds.
        else_: the steps that run when it does not.
    """

    kind: ClassVar[str] = "if"
    blocks: ClassVar[tuple[tuple[str, str], ...]] = (("then", "then"), ("else_", "else"))

    if_: Condition = Field(alias="if")
    then: list[Step]
    else_: list[Step] = Field(default_factory=list["Step"], alias="else")


class ForStep(StepBase):
    """Runs `do` for every item of a list or mapping, or a number of times.

    Attributes:
        for_: a list, a mapping (items are `{key, value}`), or a number.
        as_: variable that holds the item.
        do: the body.
        parallel: how many bodies run side by side, in forks; None: one after the other, in this context.
        collect: variable that takes the list of the bodies' results, in the order of the items.
    """

    kind: ClassVar[str] = "for"
    blocks: ClassVar[tuple[tuple[str, str], ...]] = (("do", "do"),)

    for_: Items = Field(alias="for")
    as_: VariableName = Field(default="item", alias="as")
    do: list[Step]
    parallel: Annotated[int, Field(ge=1, le=10_000), BeforeValidator(refuse_text)] | None = None
    collect: VariableName | None = None


class WhileStep(StepBase):
    """Runs `do` as long as the condition holds; reaching `max_iterations` is an error.

    Attributes:
        while_: one expression, `"{{ … }}"`, looked at before every turn.
        do: the body.
        max_iterations: how many turns there may be at most.
    """

    kind: ClassVar[str] = "while"
    blocks: ClassVar[tuple[tuple[str, str], ...]] = (("do", "do"),)

    while_: Condition = Field(alias="while")
    do: list[Step]
    max_iterations: Whole = Field(default=1000, ge=1, le=10_000_000)


class RunTaskStep(StepBase):
    """Runs another task in a fork with an engine of its own; its `outputs` are the result.

    Attributes:
        run_task: `plan/task`, or `task` of this plan.
        pass_params: its inputs, by name.
        output_to: variable that takes the result.
    """

    kind: ClassVar[str] = "run_task"

    run_task: Reference
    pass_params: Template = Template({})
    output_to: VariableName | None = None


class GoStepStep(StepBase):
    """Jumps to the top-level step that holds the step with this id, from any depth.

    Attributes:
        go_step: id of the step to go on with.
    """

    kind: ClassVar[str] = "go_step"

    go_step: PlainText


class GoTaskStep(StepBase):
    """Ends this task; the Orchestrator goes on with that one in a fresh context.

    Attributes:
        go_task: `plan/task`, or `task` of this plan.
        inputs: its inputs, by name.
    """

    kind: ClassVar[str] = "go_task"

    go_task: Reference
    inputs: Template = Template({})


class ParallelStep(StepBase):
    """Runs branches side by side, in forks.

    Attributes:
        parallel: lists of steps, one list per branch.
    """

    kind: ClassVar[str] = "parallel"

    parallel: list[list[Step]] = Field(min_length=1)

    def children(self) -> Iterator[tuple[Place, StepBase]]:
        """The steps of all branches."""
        for branch_index, branch in enumerate(self.parallel):
            for index, step in enumerate(branch):
                yield ("parallel", branch_index, index), step


class SetStep(StepBase):
    """Sets variables, one after the other: a later one may use an earlier one.

    Attributes:
        set: values by name of the variable.
    """

    kind: ClassVar[str] = "set"

    set: dict[VariableName, Template] = Field(min_length=1)


class StopStep(StepBase):
    """Ends the task as stopped, which is not a failure.

    Attributes:
        stop: the message for the person.
    """

    kind: ClassVar[str] = "stop"

    stop: Template


class AskStep(StepBase):
    """Asks the person behind the run and waits for the answer.

    Attributes:
        ask: the question.
        options: a list of choices; free text is possible too, unless `strict`.
        strict: only the choices count; another answer is asked for again.
        output_to: variable that takes the answer.
    """

    kind: ClassVar[str] = "ask"

    ask: Template
    options: Template | None = None
    strict: YesOrNo = False
    output_to: VariableName | None = None


def kind_of(value: Any) -> str | None:
    """Which kind of step a mapping is, as the tag of the union; None if it has no kind or several."""
    if isinstance(value, StepBase):
        return f"<{value.kind}>"
    if not isinstance(value, dict):
        return None
    found = kinds_in(value)  # pyright: ignore[reportUnknownArgumentType] (a mapping of YAML)
    return f"<{found[0]}>" if len(found) == 1 else None


def kinds_in(value: dict[str, Any]) -> list[str]:
    """The keys of a mapping that name a kind of step; `parallel` beside `for` belongs to the loop."""
    found = [kind for kind in STEP_KINDS if kind in value]
    return [kind for kind in found if kind != "parallel"] if "for" in found else found


Step: TypeAlias = Annotated[
    Annotated[ActionStep, Tag("<action>")]
    | Annotated[IfStep, Tag("<if>")]
    | Annotated[ForStep, Tag("<for>")]
    | Annotated[WhileStep, Tag("<while>")]
    | Annotated[RunTaskStep, Tag("<run_task>")]
    | Annotated[GoStepStep, Tag("<go_step>")]
    | Annotated[GoTaskStep, Tag("<go_task>")]
    | Annotated[ParallelStep, Tag("<parallel>")]
    | Annotated[SetStep, Tag("<set>")]
    | Annotated[StopStep, Tag("<stop>")]
    | Annotated[AskStep, Tag("<ask>")],
    Discriminator(kind_of),
]
"""Any step; which one is decided by the key that names its kind."""

for _model in (IfStep, ForStep, WhileStep, ParallelStep):
    _model.model_rebuild()

STEP_MODELS: dict[str, type[StepBase]] = {
    f"<{model.kind}>": model
    for model in (
        ActionStep, IfStep, ForStep, WhileStep, RunTaskStep, GoStepStep, GoTaskStep, ParallelStep, SetStep, StopStep,
        AskStep,
    )
}  # fmt: skip
"""The models by their tag in the union."""
