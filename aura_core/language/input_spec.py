"""What a task says about one of its inputs, and the JSON Schema that follows from it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from aura_core.language.fields import Count, PlainText, YesOrNo, refuse_text
from aura_core.language.types import TypeName

InputType = Literal["string", "integer", "number", "boolean", "array", "object", "any"]
Format = Literal["uri", "date", "date-time", "time", "email", "uuid", "path", "text", "password"]

_BOUNDS: dict[str, tuple[str, ...]] = {
    "minimum": ("integer", "number"),
    "maximum": ("integer", "number"),
    "minLength": ("string",),
    "maxLength": ("string",),
    "pattern": ("string",),
    "format": ("string",),
    "items": ("array",),
    "minItems": ("array",),
    "maxItems": ("array",),
    "properties": ("object",),
}
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
}  # fmt: skip


def _fitting_types(schema: dict[str, Any]) -> None:
    """Which bounds belong to which type; without a type an input is a text."""
    schema["allOf"] = [
        {"if": {"required": [key]}, "then": {"properties": {"type": {"enum": list(types)}}} | _typed(types)}
        for key, types in _BOUNDS.items()
    ]


def _typed(types: tuple[str, ...]) -> dict[str, Any]:
    return {} if "string" in types else {"required": ["type"]}


def _input_name(name: str) -> str:
    if not name.isidentifier() or name.startswith("_"):
        message = "{name} cannot be an input: use letters, digits and _, beginning with a letter"
        raise PydanticCustomError("input_name", message, {"name": repr(name)})
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise PydanticCustomError(
            "pattern", "{text} is not a pattern: {why}", {"text": repr(text), "why": str(error)}
        ) from None
    return text


Bound = Annotated[int | float, BeforeValidator(refuse_text)]
"""A number that keeps its type."""
InputName = Annotated[
    str,
    AfterValidator(_input_name),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z\\u0080-\\uffff][A-Za-z0-9_\\u0080-\\uffff]*$"}),
]
"""A name under which expressions find an input: `inputs.name`."""


class InputSpec(BaseModel):
    """One input, or one item or property inside an input.

    Attributes:
        type: of JSON, or any.
        format: what kind of text it is.
        title: its name in forms.
        description: what the planner and the person read.
        required: it must be given; without it an input is optional, and None if it has no default.
        default: taken when it is not given.
        enum: the values that are allowed.
        grounded: when a planner fills it, the value must stem from the person's words, memory or an earlier result.
        verbatim: it is the person's own words, as they were said; a small model is held to them, a large one may
            put them better.
        leaves: its value leaves this machine, e.g. in a search; left out, an address does, and every text that goes
            into an untrusted task, but no path.
        ask: the question for a person when it is missing.
        needs: the type of what it takes, such as `note.id`; a task that gives it is planned in front.
        minimum: the least number.
        maximum: the greatest number.
        minLength: the fewest characters.
        maxLength: the most characters.
        minItems: the fewest items.
        maxItems: the most items.
        pattern: a regular expression that is found in the text.
        items: of an array: what each is.
        properties: of an object; other keys are refused then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_fitting_types)

    type: InputType = "string"
    format: Format | None = None
    title: PlainText = ""
    description: PlainText = ""
    ask: PlainText = ""
    needs: TypeName | None = None
    required: YesOrNo = False
    grounded: YesOrNo = False
    verbatim: YesOrNo = False
    leaves: YesOrNo | None = None
    default: Any = None
    enum: list[Any] | None = Field(default=None, min_length=1)
    minimum: Bound | None = None
    maximum: Bound | None = None
    minLength: Count | None = None  # noqa: N815 (JSON Schema's name)
    maxLength: Count | None = None  # noqa: N815
    minItems: Count | None = None  # noqa: N815
    maxItems: Count | None = None  # noqa: N815
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    items: InputSpec | None = None
    properties: dict[str, InputSpec] | None = None

    @property
    def has_default(self) -> bool:
        """Whether a default was written, be it null."""
        return "default" in self.model_fields_set

    @model_validator(mode="after")
    def _consistent(self) -> InputSpec:
        for key, types in _BOUNDS.items():
            if getattr(self, key) is not None and self.type not in types:
                message = "{key} is for inputs of type {types}, not {type}"
                context = {"key": key, "types": " or ".join(types), "type": self.type}
                raise PydanticCustomError("input_spec", message, context)
        for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise PydanticCustomError("input_spec", "{low} is above {high}", {"low": low, "high": high})
        if any(inner.needs for inner in (self.items, *(self.properties or {}).values()) if inner is not None):
            raise PydanticCustomError("input_spec", "needs stands beside the type of the input itself")
        for value in self.enum or []:
            if not self._is_of_type(value):
                message = "the choice {value} is not of type {type}"
                raise PydanticCustomError("input_spec", message, {"value": repr(value), "type": self.type})
        return self

    def _is_of_type(self, value: Any) -> bool:
        if self.type == "any":
            return True
        if isinstance(value, bool):
            return self.type == "boolean"
        return isinstance(value, _PYTHON[self.type])

    def schema(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] (pydantic's is deprecated)
        """JSON Schema of this input, with `ask`, `needs`, `grounded` and `verbatim` as extra keys."""
        schema: dict[str, Any] = {} if self.type == "any" else {"type": self.type}
        keys = ("format", "title", "description", "enum", "minimum", "maximum")
        keys += ("minLength", "maxLength", "minItems", "maxItems", "pattern", "ask", "needs", "grounded", "verbatim")
        for key in keys:
            value = getattr(self, key)
            if value is not None and value is not False and value != "":
                schema[key] = value
        if self.has_default and self.default is not None:
            schema["default"] = self.default
        if self.items is not None:
            schema["items"] = self.items.schema()
        if self.properties is not None:
            schema |= object_schema(self.properties)
        return schema


def object_schema(specs: dict[str, InputSpec]) -> dict[str, Any]:
    """JSON Schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": {name: spec.schema() for name, spec in specs.items()},
        "required": [name for name, spec in specs.items() if spec.required and not spec.has_default],
        "additionalProperties": False,
    }
