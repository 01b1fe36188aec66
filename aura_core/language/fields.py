"""Types of single values in plan and task files: names, references, durations, conditions."""

from __future__ import annotations

import keyword
import re
import sys
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from aura_core.expressions import Template
from aura_core.expressions.template import validated

RESERVED_VARIABLES = frozenset(
    {"inputs", "state", "loop", "error", "config", "now", "range", "dict", "and", "or", "not", "in", "is", "if", "else"}
    | {"true", "false", "none", "True", "False", "None"}
)
"""Names with a meaning of their own in expressions; no variable may hide them."""

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


_WORDS = {"yes": True, "on": True, "no": False, "off": False}
_NEITHER = object()


def _text(value: Any) -> Any:
    """Numbers are fine where a name is wanted (`id: 1`); nothing else is."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def refuse_text(value: Any) -> Any:
    """Numbers only: a quoted one is a text, and true is not 1."""
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "a number is wanted, without quotes")
    return value


def _yes_or_no(value: Any) -> Any:
    """True and false, and the words that YAML once took for them."""
    return value if isinstance(value, bool) else _WORDS.get(value, _NEITHER) if isinstance(value, str) else _NEITHER


def _variable(value: str) -> str:
    if not value.isidentifier() or keyword.iskeyword(value):
        raise PydanticCustomError(
            "variable_name",
            "{name} cannot be a variable: use letters, digits and _, no digit first",
            {"name": repr(value)},
        )
    if value in RESERVED_VARIABLES:
        raise PydanticCustomError(
            "variable_name",
            "{name} has a meaning of its own in expressions: choose another name",
            {"name": repr(value)},
        )
    return value


def _reference(value: str) -> str:
    parts = value.split("/")
    if not all(part and not part.isspace() and part not in {".", ".."} for part in parts) or "{{" in value:
        raise PydanticCustomError(
            "reference", "{ref} is not a reference to a task: write plan/task", {"ref": repr(value)}
        )
    return value


def seconds_of(value: Any) -> Any:
    """A duration in seconds: a number, or text such as "15m", "1.5h", "250ms"."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None:
            raise PydanticCustomError(
                "duration", "{text} is not a duration: write seconds, or 250ms, 90s, 15m, 2h, 1d", {"text": repr(value)}
            )
        return float(match[1]) * _UNITS[match[2]]
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value < 0:  # noqa: PLR0124 (NaN)
        raise PydanticCustomError("duration", "a duration is wanted: seconds, or 250ms, 90s, 15m, 2h, 1d")
    return float(value)


def _above_zero(value: float) -> float:
    if value <= 0:
        raise PydanticCustomError("duration", "a duration above zero is wanted")
    return value


def _condition(value: Any) -> Template:
    if not isinstance(value, str | bool | Template):
        raise PydanticCustomError("condition", 'a condition is one expression, "{{ … }}", or true or false')
    if isinstance(value, str):
        value = value.strip()
    template = validated(value)
    if isinstance(value, str) and not template.is_expression:
        raise PydanticCustomError(
            "condition", "a condition is one expression: write {fixed}", {"fixed": _as_expression(value)}
        )
    return template


def _items(value: Any) -> Template:
    if isinstance(value, str):
        value = value.strip()
    template = validated(value)
    if not template.is_expression and (isinstance(value, bool | str) or not _can_be_counted(value)):
        raise PydanticCustomError("items", "`for` needs a list, a mapping, a whole number, or one expression")
    return template


def _can_be_counted(value: Any) -> bool:
    return isinstance(value, list | dict | Template) or (
        isinstance(value, int | float) and 0 <= value <= sys.maxsize and (isinstance(value, int) or value.is_integer())
    )


def _as_expression(value: str) -> str:
    inner = value.replace("{{", " ").replace("}}", " ").strip() if value else "…"
    return '"{{ ' + " ".join(inner.split()) + ' }}"'


YES_OR_NO_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "boolean"}, {"enum": list(_WORDS)}]}
_WORD = "[A-Za-z_\\u0080-\\uffff]"
VARIABLE_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": f"^{_WORD}({_WORD}|[0-9])*$",
    "not": {"enum": sorted(RESERVED_VARIABLES | {*keyword.kwlist})},
}
REFERENCE_SCHEMA = {"type": "string", "pattern": r"^(?!\.{0,2}(/|$))[^/{]*[^/{\s][^/{]*(/[^/{]+)*$"}
_DURATION_TEXT = r"\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?\s*$"
SECONDS_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_DURATION_TEXT}"}]
}
POSITIVE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": rf"^(?![\s0.]*(ms|s|m|h|d)?\s*$){_DURATION_TEXT}"},
    ]
}
_ONE_EXPRESSION = r"^\s*\{\{[\s\S]*\}\}\s*$"
CONDITION_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": _ONE_EXPRESSION}]}
ITEMS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": ["array", "object"]},
        {"type": "integer", "minimum": 0, "maximum": sys.maxsize},
        {"type": "string", "pattern": _ONE_EXPRESSION},
    ]
}

YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no), WithJsonSchema(YES_OR_NO_SCHEMA)]
"""True or false; `yes`, `no`, `on` and `off` will do."""
Whole = Annotated[int, BeforeValidator(refuse_text)]
"""A whole number."""
Count = Annotated[int, Field(ge=0), BeforeValidator(refuse_text)]
"""A whole number, zero or more."""
Positive = Annotated[int, Field(ge=1), BeforeValidator(refuse_text)]
"""A whole number, one or more."""
Number = Annotated[float, BeforeValidator(refuse_text)]
"""A number."""
PlainText = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "integer"]})]
"""A name for people or programs; whole numbers are taken as text."""
VariableName = Annotated[str, AfterValidator(_variable), WithJsonSchema(VARIABLE_SCHEMA)]
"""A name that expressions can use."""
Reference = Annotated[str, AfterValidator(_reference), WithJsonSchema(REFERENCE_SCHEMA)]
"""`plan/task`, `plan/folder/task`, or without the plan inside it."""
Seconds = Annotated[float, BeforeValidator(seconds_of), WithJsonSchema(SECONDS_SCHEMA)]
"""A duration in seconds, zero allowed."""
PositiveSeconds = Annotated[
    float, BeforeValidator(seconds_of), AfterValidator(_above_zero), WithJsonSchema(POSITIVE_SCHEMA)
]
"""A duration in seconds, above zero."""
Condition = Annotated[Template, PlainValidator(_condition), WithJsonSchema(CONDITION_SCHEMA)]
"""One expression, or a plain true or false; text beside the expression would always be true and is refused."""
Items = Annotated[Template, PlainValidator(_items), WithJsonSchema(ITEMS_SCHEMA)]
"""What a loop goes through: a list, a mapping, a whole number, or an expression that gives one of these."""
