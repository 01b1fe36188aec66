"""Template: any YAML value with expressions in it, compiled when it is loaded, evaluated when a step runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from aura_core.expressions.pieces import NestedError, compile_value, is_constant, plain_copy


class Template:
    """A value of a task file; expressions in it are compiled, the rest stands as it is.

    Attributes:
        raw: the value as it was written.
        constant: there is no expression in it.
        is_expression: it is one expression, `"{{ … }}"`, whose value keeps its type.
        render: evaluates it. Takes the scope, one plain mapping from names to values; gives the value. Lists and
            mappings are new at every call, so a step may change what it gets; scalars cost nothing. Raises
            ExpressionError, which names what is missing and the nearest that exists.
    """

    __slots__ = ("constant", "is_expression", "raw", "render")

    raw: Any
    constant: bool
    is_expression: bool
    render: Callable[[Mapping[str, Any]], Any]

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.constant = is_constant(raw)
        if self.constant:
            self.is_expression = False
            self.render = _constant(raw)
        else:
            self.render, self.is_expression = compile_value(raw)

    def __repr__(self) -> str:
        return f"Template({self.raw!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(repr(self.raw))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Self], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            validated, serialization=core_schema.plain_serializer_function_ser_schema(_raw)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {}


def compile_template(raw: Any) -> Template:
    """Compiles any nested YAML value.

    Args:
        raw: text with or without `{{ }}`, a list or mapping of such values, or a plain value.

    Raises:
        ExpressionError: an expression in it is none; `offset` says where in the text.
    """
    return Template(raw)


def validated(value: Any) -> Template:
    """The pydantic validator: a bad expression becomes a validation error, with its path inside the value.

    Raises:
        PydanticCustomError: of type `expression`; context: `message`, `offset`, `path`.
    """
    if isinstance(value, Template):
        return value
    try:
        return Template(value)
    except NestedError as error:
        context = {"message": str(error), "offset": error.offset, "path": error.path}
        raise PydanticCustomError("expression", "{message}", context) from None


def _constant(raw: Any) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(raw, list | dict):
        return lambda _scope: plain_copy(raw)
    return lambda _scope: raw


def _raw(template: Template) -> Any:
    return template.raw
