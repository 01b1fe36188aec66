"""The task language as JSON Schema, so that editors complete and check it while one types: made from the models."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from aura_core.language.fields import (
    CONDITION_SCHEMA,
    POSITIVE_SCHEMA,
    REFERENCE_SCHEMA,
    SECONDS_SCHEMA,
    VARIABLE_SCHEMA,
    YES_OR_NO_SCHEMA,
)
from aura_core.language.interrupts import Interrupt, InterruptName
from aura_core.language.loader import ROOT_KEYS
from aura_core.language.meta import PlanFile, TaskFile
from aura_core.language.states import StatesFile
from aura_core.language.steps import STEP_MODELS, StepBase

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILES: dict[str, tuple[Any, str]] = {
    "task": (TaskFile, "a task, or several by name: tasks/**/*.yaml"),
    "plan": (PlanFile, "plan.yaml"),
    "states": (StatesFile, "states.yaml: the states of a plan and what leads from one to another"),
    "interrupts": (dict[InterruptName, Interrupt], "interrupts.yaml: guards that are checked while tasks run"),
}
"""What there is a schema of: the model, and what the file is."""
_MARK = "a step"
_SHARED: dict[str, Any] = {
    "Condition": CONDITION_SCHEMA,
    "Duration": SECONDS_SCHEMA,
    "PositiveDuration": POSITIVE_SCHEMA,
    "Reference": REFERENCE_SCHEMA,
    "Variable": VARIABLE_SCHEMA,
    "YesOrNo": YES_OR_NO_SCHEMA,
}
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)
_TASK_NAME = "^[^\\u0000-/:-@\\[-`{-\\u007f][^\\u0000-,/:-@\\[-^`{-\\u007f]*(/[^\\u0000-/:-@\\[-`{-\\u007f][^/]*)*$"


def language_schema(kind: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of one kind of file.

    What only the loader can see is left to it: expressions, and whether what a file refers to exists.

    Args:
        kind: one of `FILES`.
    """
    model, what = FILES[kind]
    definitions: dict[str, Any] = {}
    made = _shared(TypeAdapter(model).json_schema(schema_generator=_Generator), definitions)
    definitions |= made.pop("$defs", {})
    made.pop("description", None)
    if kind == "task":
        definitions["Task"] = {"description": summary(TaskFile), **made}
        made = _task_file(made)
    else:
        made["type"] = ["object", "null"]
    head = {"$schema": DRAFT, "title": f"Aura: {kind}", "description": f"Aura: {what}."}
    return {**head, **made, "$defs": dict(sorted(definitions.items()))} if definitions else {**head, **made}


def schema_text(kind: str) -> str:
    """The schema as it is printed and kept in docs/schema."""
    return json.dumps(language_schema(kind), indent=2) + "\n"


def _task_file(task: dict[str, Any]) -> dict[str, Any]:
    """One task as the whole file, or several by name: which one it is, the keys at the top decide."""
    root = sorted(ROOT_KEYS)
    return {
        "type": "object",
        "minProperties": 1,
        "properties": {key: {"description": task["properties"][key]["description"]} for key in root},
        "if": {"anyOf": [{"required": [key]} for key in root]},
        "then": {"$ref": "#/$defs/Task"},
        "else": {"propertyNames": {"pattern": _TASK_NAME}, "additionalProperties": {"$ref": "#/$defs/Task"}},
    }


class _Generator(GenerateJsonSchema):
    """pydantic's generator, with the documentation of the models as descriptions and without its titles."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        """Keys stay in the order of the models, in which people read them."""
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Keys say what they are called."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """A model: its keys with what its docstring says of them."""
        made = super().model_schema(schema)
        model = cast("type[BaseModel]", schema["cls"])
        made.pop("title", None)
        made["description"] = summary(model)
        documented = documentation(model)
        for name, field in model.model_fields.items():
            its: dict[str, Any] = made["properties"][field.alias or name]
            if not isinstance(its.get("default"), bool | int | float | str) or its["default"] == "":
                its.pop("default", None)
            its["description"] = documented[name]
        return made

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """A key that may be empty; one that takes anything does so anyway."""
        inner = self.generate_inner(schema["schema"])
        if inner.keys() == {"type"}:
            return {"type": [*([inner["type"]] if isinstance(inner["type"], str) else inner["type"]), "null"]}
        return {"anyOf": [inner, {"type": "null"}]} if inner else inner

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """A mapping; names that have a form of their own are checked by it."""
        made: JsonSchemaValue = {"type": "object"}
        names = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        if names.keys() - {"type"}:
            made["propertyNames"] = names
        if values:
            made["additionalProperties"] = values
        if "min_length" in schema:
            made["minProperties"] = schema["min_length"]
        return made

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """A step: what its kind allows; `parallel` beside `for` belongs to the loop."""
        choices = cast("dict[str, core_schema.CoreSchema]", schema["choices"])
        kinds = {tag.strip("<>"): self.generate_inner(choice) for tag, choice in choices.items()}
        return {
            _MARK: True,
            "type": "object",
            "description": "One step: exactly one key names its kind.",
            "properties": {kind: {"description": summary(STEP_MODELS[f"<{kind}>"])} for kind in kinds}
            | {name: {"description": text} for name, text in documentation(StepBase).items()},
            "oneOf": [_is_of(kind) for kind in kinds],
            "allOf": [{"if": _is_of(kind), "then": rules} for kind, rules in kinds.items()],
        }


def _is_of(kind: str) -> dict[str, Any]:
    its: dict[str, Any] = {"required": [kind]}
    return its | {"not": {"required": ["for"]}} if kind == "parallel" else its


def _shared(value: Any, definitions: dict[str, Any]) -> Any:
    """The schema with references in place of what many keys share, which is put into `definitions`."""
    if isinstance(value, list):
        return [_shared(item, definitions) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    its = cast("dict[str, Any]", value)
    if _MARK in its:
        definitions["Step"] = {key: _shared(item, definitions) for key, item in its.items() if key != _MARK}
        return {"$ref": "#/$defs/Step"}
    beside = {key: its[key] for key in ("description", "default") if key in its}
    for name, shared in _SHARED.items():
        if {key: item for key, item in its.items() if key not in beside} == shared:
            definitions[name] = shared
            return {"$ref": f"#/$defs/{name}", **beside}
    return {key: _shared(item, definitions) for key, item in its.items()}


def summary(model: type[BaseModel]) -> str:
    """The first line of a model's docstring."""
    return inspect.cleandoc(model.__doc__ or "").partition("\n")[0]


def documentation(model: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of a model and its bases say of its keys, by name."""
    return {name: text for base in reversed(model.__mro__) for name, text in _attributes(base)}


def _attributes(cls: type) -> Iterator[tuple[str, str]]:
    _, _, section = inspect.cleandoc(cls.__doc__ or "").partition("\nAttributes:\n")
    for match in _ATTRIBUTE.finditer(section):
        text = " ".join(match[2].split())
        yield match[1], text[:1].upper() + text[1:]
