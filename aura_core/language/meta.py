"""The `meta` block and the other parts of a task beside its steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, LiteralString

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from aura_core.errors import ScheduleError
from aura_core.execution.resources import split_resource
from aura_core.expressions import Template
from aura_core.language.examples import Example, PlanExample
from aura_core.language.fields import POSITIVE_SCHEMA, PlainText, Positive, PositiveSeconds, Whole, YesOrNo
from aura_core.language.input_spec import InputName, InputSpec
from aura_core.language.steps import Step, TaskPart
from aura_core.language.time_rules import SHORTEST, check_cron, check_every, zone_of
from aura_core.language.types import Gives

_COMMAND = re.compile(r"[^\W\d_][\w-]{0,31}")


def _resource(tag: str) -> str:
    split_resource(tag)
    return tag


def _command(name: str) -> str:
    if not _COMMAND.fullmatch(name):
        message = "{name} is not a command: use up to 32 letters, digits, _ and -, without the slash"
        raise PydanticCustomError("command", message, {"name": repr(name)})
    return name


def _in_time(kind: LiteralString, check: Callable[[Any], object]) -> Callable[[Any], Any]:
    """A check of aura_core.language.time_rules as a validator."""

    def checked(value: Any) -> Any:
        try:
            check(value)
        except ScheduleError as error:
            raise PydanticCustomError(kind, "{message}", {"message": str(error).rstrip(".")}) from error
        return value

    return checked


Cron = Annotated[
    str,
    AfterValidator(_in_time("cron", check_cron)),
    WithJsonSchema({"type": "string", "pattern": r"^\s*(@\w+|\S+(\s+\S+){4,5})\s*$"}),
]
"""A cron rule."""
Interval = Annotated[
    PositiveSeconds,
    AfterValidator(_in_time("interval", check_every)),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": SHORTEST}, POSITIVE_SCHEMA["anyOf"][1]]}),
]
"""Seconds between two runs."""
ZoneName = Annotated[str, AfterValidator(_in_time("timezone", zone_of))]
"""Name of a time zone."""
Command = Annotated[
    str,
    AfterValidator(_command),
    WithJsonSchema({"type": "string", "pattern": r"^[^\u0000-@\[-`{-\u007f][^\u0000-,./:-@\[-^`{-\u007f]{0,31}$"}),
]
"""Name of a chat command."""
Resource = Annotated[
    str,
    AfterValidator(_resource),
    WithJsonSchema({"type": "string", "pattern": r"^[^:]*[^:\s][^:]*(:0*[1-9][0-9]*)?$"}),
]
"""`name` or `name:limit`."""


def _given(key: str) -> JsonValue:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Receivers = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(_several),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
    ),
]
"""Who is told: one, or several."""


class Schedule(TaskPart):
    """When a task starts by itself.

    Attributes:
        cron: five fields, as in crontab.
        every: seconds between two runs; "15m" and the like are fine.
        inputs: what the task gets.
        missed: what becomes of runs that fell into a time when nothing ran.
        deliver: who is told, as whoever embeds the core reads it: `telegram:ID`, `terminal`, or a profile, or several.
        timezone: name of a time zone for `cron`; None takes that of the person whose Aura this is.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [_given("cron"), _given("every")]})

    cron: Cron | None = None
    every: Interval | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    missed: Literal["skip", "once", "all"] = "once"
    deliver: Receivers = Field(default_factory=list[str])
    timezone: ZoneName | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Schedule:
        if (self.cron is None) == (self.every is None):
            found = "none of them" if self.cron is None else "both"
            raise PydanticCustomError(
                "schedule", "a schedule has either cron or every, this one has {found}", {"found": found}
            )
        return self


class TaskMeta(TaskPart):
    """What everyone but the engine needs to know of a task.

    Attributes:
        title: one line for menus and progress.
        description: what the planner reads.
        command: chat command, without the slash.
        expose: whether the planner may use it.
        effects: read, write, or external (it acts outside this machine).
        untrusted: its result holds words of strangers: a page, a file.
        inputs: by name.
        returns: JSON Schema-like description of the result.
        gives: types of what is in the result, for inputs that need them: `note.id`, or by place, `{id: note.id}`.
        examples: what people say, and the inputs that the task then gets; the planner learns from them.
        timeout: seconds for the whole task.
        resources: tags `name:limit` that limit how many run at once.
        priority: higher goes first among waiters.
        requires_initial_state: state that is reached before the task starts (states.yaml).
        activates_interrupts: names of interrupts that are watched while it runs (interrupts.yaml).
        schedule: when it starts by itself.
        on_event: name of an event that starts it.
    """

    title: PlainText = ""
    description: PlainText = ""
    command: Command | None = None
    expose: YesOrNo = True
    effects: Literal["read", "write", "external"] = "read"
    untrusted: YesOrNo = False
    inputs: dict[InputName, InputSpec] = Field(default_factory=dict)
    returns: dict[str, Any] = Field(default_factory=dict)
    gives: Gives = Field(default_factory=dict)
    examples: list[Example] = Field(default_factory=list[Example])
    timeout: PositiveSeconds | None = None
    resources: list[Resource] = Field(default_factory=list, json_schema_extra={"uniqueItems": True})
    priority: Whole = 0
    requires_initial_state: PlainText | None = None
    activates_interrupts: list[PlainText] = Field(default_factory=list)
    schedule: Schedule | None = None
    on_event: PlainText | None = None

    @field_validator("resources")
    @classmethod
    def _each_once(cls, tags: list[str]) -> list[str]:
        names = [split_resource(tag)[0] for tag in tags]
        for name in names:
            if names.count(name) > 1:
                raise PydanticCustomError("resource", "the resource {name} is there twice", {"name": repr(name)})
        return tags


class OnFailure(TaskPart):
    """What runs when a task failed, with the variable `error`.

    Attributes:
        steps: run in a context of their own.
        recover: the task counts as done, with this block's result.
    """

    steps: list[Step] = Field(default_factory=list[Step])
    recover: YesOrNo = False


class TaskFile(TaskPart):
    """One task as it is written: a whole file, or one entry of a file of several.

    Attributes:
        meta: everything beside the work itself.
        steps: what it does.
        returns: rendered at the end: the result.
        outputs: what `run_task` hands back; `returns` if left out.
        on_failure: what runs when it failed.
    """

    meta: TaskMeta = TaskMeta()
    steps: list[Step]
    returns: Template | None = None
    outputs: Template | None = None
    on_failure: OnFailure | None = None


def _version_text(value: object) -> object:
    return str(value) if isinstance(value, float) else value


Version = Annotated[PlainText, BeforeValidator(_version_text), WithJsonSchema({"type": ["string", "number"]})]
"""A version; `1.0` need not be quoted."""


class PlanFile(TaskPart):
    """plan.yaml.

    Attributes:
        name: the folder's name; may be left out.
        version: for people.
        title: one line for menus.
        description: what the plan is for.
        requires: names of plans whose tasks, actions and services this one uses.
        trusted: asks for what only trusted plans may do; the configuration decides.
        ui: the plugin's menu, for channels that show one.
        resources: limits of resources by name.
        examples: what people say, and the steps that answer it; the planner learns from them.
        secrets: settings, dotted where they stand inside others, whose values are masked wherever they would show;
            those named after what they are (`token`, `password`, `api_key`, …) are so without standing here.
    """

    name: PlainText | None = None
    version: Version = "0"
    title: PlainText = ""
    description: PlainText = ""
    requires: list[PlainText] = Field(default_factory=list)
    trusted: YesOrNo = False
    ui: Any = None
    resources: dict[str, Positive] = Field(default_factory=dict)
    examples: list[PlanExample] = Field(default_factory=list[PlanExample])
    secrets: list[PlainText] = Field(default_factory=list)
