"""Inputs of a task as a pydantic model: converts and checks values before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from functools import partial
from typing import Annotated, Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import create_model as create_pydantic_model
from pydantic_core import PydanticCustomError

from aura_core.errors import InputError
from aura_core.ground.json_text import parse_json
from aura_core.ground.suggestions import hint, sentence
from aura_core.language.input_spec import InputSpec
from aura_core.language.number_text import TwoReadingsError, number_text

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_CONFIG = ConfigDict(
    extra="forbid",
    coerce_numbers_to_str=True,
    regex_engine="python-re",
    protected_namespaces=(),
    populate_by_name=False,
)
_TYPES: dict[str, Any] = {
    "string": str, "integer": int, "number": int | float, "boolean": bool,
    "array": list[Any], "object": dict[str, Any], "any": Any,
}  # fmt: skip

_WANTED = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_OF_ANOTHER_TYPE = ("_parsing", "_type", "_from_float", "_unicode")
"""How pydantic names mistakes that mean: this is not a value of the type."""
_LONGEST_SHOWN = 80
_COMMA = re.compile("[,，、]")


def create_model(name: str, specs: Mapping[str, InputSpec]) -> type[BaseModel]:
    """The pydantic model of a task's inputs, one field per input with the input's name as alias."""
    fields: dict[str, Any] = {}
    for input_name, spec in specs.items():
        field_name = f"{input_name}_" if hasattr(BaseModel, input_name) else input_name
        fields[field_name] = (_optional(spec), _field(input_name, spec))
    return create_pydantic_model(name, __config__=_CONFIG, **fields)


def adapter(spec: InputSpec) -> TypeAdapter[Any]:
    """Validates values of one input."""
    return TypeAdapter(_annotation(spec), config=None if spec.properties is not None else _CONFIG)


def validate(
    model: type[BaseModel], specs: Mapping[str, InputSpec], task: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Converts and checks inputs.

    Args:
        model: of `create_model`.
        specs: of the same inputs.
        task: full reference, for the message.
        values: what was given, by name.

    Returns:
        A value for every input: converted, its default, or None.

    Raises:
        InputError: names the task, every input that is wrong, and what is allowed.
    """
    given = {name: value for name, value in values.items() if value is not None or _may_be_nothing(name, specs)}
    try:
        checked = model.model_validate(given).__dict__
    except ValidationError as error:
        reasons = dict.fromkeys(_reason(detail, specs) for detail in error.errors())
        raise InputError(sentence(f"{task}: {'; '.join(reasons)}", "")) from error
    return {field.alias or name: checked[name] for name, field in model.__pydantic_fields__.items()}


def _may_be_nothing(name: str, specs: Mapping[str, InputSpec]) -> bool:
    """Whether null is a value of an input, rather than an input left out."""
    return name not in specs or (specs[name].required and specs[name].type == "any")


def default_mistake(spec: InputSpec) -> str | None:
    """What is wrong with an input's default; None if it is fine or there is none."""
    return None if spec.default is None else value_mistake(spec, spec.default)


def value_mistake(spec: InputSpec, value: Any) -> str | None:
    """Why a value does not fit an input; None if it does."""
    try:
        adapter(spec).validate_python(value)
    except ValidationError as error:
        return reasons(error)
    return None


def fitted(spec: InputSpec, value: Any) -> Any:
    """A value of one input, converted.

    Args:
        spec: the input.
        value: e.g. what a person typed.

    Raises:
        InputError: it does not fit; says what is wanted.
    """
    try:
        return adapter(spec).validate_python(value)
    except ValidationError as error:
        raise InputError("; ".join(dict.fromkeys(_misfit(detail, spec) for detail in error.errors()))) from error


def _misfit(detail: Any, spec: InputSpec) -> str:
    if not detail["loc"] or spec.type == "number":
        if detail["type"].endswith(_OF_ANOTHER_TYPE) and spec.type in _WANTED:
            return f"{_WANTED[spec.type]} is wanted, not {_shown(detail['input'])}"
        return detail["msg"]
    return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"


def reasons(error: ValidationError) -> str:
    """What a validation error says, in one line."""
    return "; ".join(detail["msg"] for detail in error.errors())


def _reason(detail: Any, specs: Mapping[str, InputSpec]) -> str:
    place, spec = _place(detail["loc"], specs)
    if detail["type"] == "extra_forbidden":
        *above, name = detail["loc"]
        holder = _place(above, specs)[1] if above else None
        beside = specs if holder is None else holder.properties or {}
        advice = hint(name, beside, what="its inputs are" if holder is None else "there are")
        return f"it has no input {place!r}; {advice}" if advice else f"it has no input {place!r}, it takes none"
    if detail["type"] == "missing":
        what = "" if spec is None else spec.description or spec.ask
        return f"it needs the input {place!r}" + (f" ({what})" if what else "")
    if spec is not None and detail["type"].endswith(_OF_ANOTHER_TYPE) and spec.type in _WANTED:
        return f"the input {place!r}: {_WANTED[spec.type]} is wanted, not {_shown(detail['input'])}"
    return f"the input {place!r}: {detail['msg']}"


def _place(loc: Sequence[str | int], specs: Mapping[str, InputSpec]) -> tuple[str, InputSpec | None]:
    """Where a mistake stands, as people write it, and what is wanted there.

    Beside names and numbers, `loc` holds the alternatives of a number, `int` and `float`; they are not places.
    """
    place, spec = str(loc[0]), specs.get(str(loc[0]))
    for part in loc[1:]:
        if isinstance(part, int):
            place, spec = f"{place}[{part}]", None if spec is None else spec.items
        elif spec is None or spec.type != "number":
            place = f"{place}.{part}"
            spec = None if spec is None or spec.properties is None else spec.properties.get(part)
    return place, spec


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _field(alias: str, spec: InputSpec) -> Any:
    if spec.has_default:
        return Field(
            default=spec.default, alias=alias, description=spec.description, validate_default=spec.default is not None
        )
    if spec.required:
        return Field(alias=alias, description=spec.description)
    return Field(default=None, alias=alias, description=spec.description)


def _optional(spec: InputSpec) -> Any:
    annotation = _annotation(spec)
    return annotation if spec.required else annotation | None


def _annotation(spec: InputSpec) -> Any:
    base: Any = _TYPES[spec.type]
    if spec.items is not None:
        base = list[_annotation(spec.items)]
    if spec.properties is not None:
        base = Annotated[create_model("Properties", spec.properties), AfterValidator(_as_dict)]
    checks: list[Any] = []
    if spec.type in {"integer", "number"}:
        checks.append(BeforeValidator(partial(_as_number, spec.type == "integer")))
    elif spec.type in {"array", "object"}:
        checks.append(BeforeValidator(partial(_from_text, spec.type)))
    bounds = {"ge": spec.minimum, "le": spec.maximum, "pattern": spec.pattern}
    bounds |= {"min_length": spec.minLength if spec.type == "string" else spec.minItems}
    bounds |= {"max_length": spec.maxLength if spec.type == "string" else spec.maxItems}
    bounds = {key: value for key, value in bounds.items() if value is not None}
    if bounds:
        checks.append(cast("Any", Field)(**bounds))
    if spec.format in _FORMATS:
        checks.append(AfterValidator(partial(_formatted, spec.format)))
    if spec.enum is not None:
        checks.append(AfterValidator(partial(_one_of, spec.enum)))
    return Annotated[(base, *checks)] if checks else base


def _as_dict(value: BaseModel) -> dict[str, Any]:
    return value.model_dump(by_alias=True, exclude_unset=True)


def _as_number(whole: bool, value: Any) -> Any:
    """A number may be given as text: terminals and forms know only text, and people write 12,50."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "a number is wanted, not true or false")
    if not isinstance(value, str):
        return value
    try:
        return number_text(value, whole=whole)
    except TwoReadingsError as error:
        first, second = error.readings
        message = "{text} can be read in two ways: write {first} or {second}"
        context = {"text": repr(value), "first": first, "second": second}
        raise PydanticCustomError("number", message, context) from None


def _from_text(kind: str, value: Any) -> Any:
    """A list or mapping may be given as JSON text: terminals and forms know only text.

    A list also as people write one: in lines, or with commas.
    """
    if isinstance(value, str) and kind == "array" and not value.lstrip().startswith("["):
        parts = value.splitlines() if "\n" in value.strip() else _COMMA.split(value)
        return [part.strip() for part in parts if part.strip()]
    if isinstance(value, str):
        try:
            return parse_json(value)
        except ValueError:
            example = '["a", "b"]' if kind == "array" else '{"a": 1}'
            raise PydanticCustomError("json", "a value such as {example} is wanted", {"example": example}) from None
    return value


def _one_of(choices: list[Any], value: Any) -> Any:
    if not any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in choices):
        shown = ", ".join(str(choice) for choice in choices)
        advice = hint(str(value), [str(choice) for choice in choices])
        message = "{value} is not one of {choices}"
        if advice.startswith("did"):
            message += f"; {advice}"
        raise PydanticCustomError("choice", message, {"value": repr(value), "choices": shown})  # pyright: ignore[reportArgumentType]
    return value


def _formatted(form: str | None, value: str) -> str:
    check, wanted = _FORMATS[form]
    try:
        good = check(value)
    except ValueError:
        good = False
    if not good:
        raise PydanticCustomError("format", "{value} is not {wanted}", {"value": repr(value), "wanted": wanted})
    return value


def _is_uri(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and (parts.netloc or parts.scheme not in {"http", "https"}) and " " not in text)


def _parsed(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        parse(text)
        return True

    return check


_FORMATS: dict[str | None, tuple[Callable[[str], bool], str]] = {
    "uri": (_is_uri, "a full address such as https://example.org"),
    "date": (_parsed(date.fromisoformat), "a date such as 2026-11-21"),
    "date-time": (_parsed(datetime.fromisoformat), "a moment such as 2026-11-21T08:30"),
    "time": (_parsed(time.fromisoformat), "a time such as 08:30"),
    "email": (lambda text: bool(_EMAIL.fullmatch(text)), "an e-mail address"),
    "uuid": (_parsed(UUID), "a UUID"),
}
