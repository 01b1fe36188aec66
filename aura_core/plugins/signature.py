"""What an action's signature says: parameters from the step (validated by pydantic) and things injected by name."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict

from aura_core.errors import InputError
from aura_core.ground.suggestions import nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

INJECTED = ("context", "engine", "config")
"""Parameter names that the runtime fills, beside those of `@requires_services`."""

_LONGEST_SHOWN = 80
_PLAIN = (Any, str, int, float, bool, None, NoneType, list, dict)
_MADE_OF_PLAIN = (list, dict, Union, UnionType)
_LITERALS = (str, int, bool)


class SignatureError(Exception):
    """An action's signature cannot be used; the text says why. Becomes a Problem at load."""


@dataclass(frozen=True, slots=True)
class Signature:
    """An action's parameters, read once, at registration.

    Attributes:
        parameters: names a step may give, in order.
        required: those without a default.
        open: the action takes further names (`**values`).
        injected: parameter name -> `context`, `engine` or `config`.
        services: parameter name -> service name.
        convert: what a step gave -> keyword arguments of the right types; raises pydantic's ValidationError.
    """

    parameters: tuple[str, ...]
    required: frozenset[str]
    open: bool
    injected: tuple[str, ...]
    services: Mapping[str, str]
    convert: Callable[[Any], dict[str, Any]]


def read_signature(function: Callable[..., Any], services: Mapping[str, str]) -> Signature:
    """Reads an action's signature.

    Args:
        function: the action.
        services: parameter name -> service name, from `@requires_services`.

    Raises:
        SignatureError: a parameter that no step can give, an annotation that cannot be resolved, or a service
            parameter that the function does not have.
    """
    parameters = inspect.signature(function).parameters
    lost = [name for name in services if name not in parameters]
    if lost:
        raise SignatureError(f"@requires_services names {lost[0]!r}, which is not a parameter of the function")
    given = {n: p for n, p in parameters.items() if n not in services and n not in INJECTED}
    is_open = any(p.kind is p.VAR_KEYWORD for p in given.values())
    given = {n: p for n, p in given.items() if p.kind is not p.VAR_KEYWORD}
    for name, parameter in given.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise SignatureError(f"parameter {name!r} is positional; steps give parameters by name")
        if isinstance(parameter.default, FieldInfo):
            raise SignatureError(f"parameter {name!r} has Field(…) as its default; write Annotated[type, Field(…)]")
    return Signature(
        parameters=tuple(given),
        required=frozenset(n for n, p in given.items() if p.default is p.empty),
        open=is_open,
        injected=tuple(n for n in INJECTED if n in parameters and n not in services),
        services=dict(services),
        convert=_converter(function, given, is_open=is_open),
    )


def explain(error: ValidationError, action: str, signature: Signature) -> InputError:
    """Pydantic's complaints about the parameters of `action`, as one error for the task's author."""
    details = error.errors(include_url=False, include_context=False)
    return InputError(f"Action {action}: " + "; ".join(_explain_one(detail, signature) for detail in details) + ".")


def _explain_one(detail: ErrorDetails, signature: Signature) -> str:
    if not detail["loc"]:
        return f"params must be a mapping of names to values, not {_shown(detail['input'])}"
    name = str(detail["loc"][0])
    takes = f"it takes {', '.join(signature.parameters)}" if signature.parameters else "it takes none"
    if detail["type"] == "extra_forbidden":
        near = nearest(name, signature.parameters)
        return f"there is no parameter {name!r}; " + (f"did you mean {near!r}?" if near else takes)
    if detail["type"] == "missing" and len(detail["loc"]) == 1:
        return f"parameter {name!r} is missing; {takes}"
    place = name + "".join(f"[{part!r}]" for part in detail["loc"][1:])
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return f"parameter {place!r}: {message}, not {_shown(detail['input'])}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _converter(
    function: Callable[..., Any], given: Mapping[str, inspect.Parameter], *, is_open: bool
) -> Callable[[Any], dict[str, Any]]:
    kinds = {name: _resolve(function, name, parameter.annotation) for name, parameter in given.items()}
    fields: dict[str, Any] = {
        name: Required[kind] if given[name].default is inspect.Parameter.empty else NotRequired[kind]
        for name, kind in kinds.items()
    }
    if all(_is_plain(kind) for kind in kinds.values()):
        return _Later(lambda: _built(fields, is_open=is_open))
    return _built(fields, is_open=is_open)


def _built(fields: dict[str, Any], *, is_open: bool) -> Callable[[Any], dict[str, Any]]:
    shape: Any = TypedDict("shape", fields)  # pyright: ignore[reportArgumentType] (known at run time)
    shape.__pydantic_config__ = ConfigDict(
        extra="allow" if is_open else "forbid", arbitrary_types_allowed=True, coerce_numbers_to_str=True
    )
    try:
        return TypeAdapter(shape).validator.validate_python
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError, ValueError) as error:
        raise SignatureError(f"its parameters cannot be validated: {str(error).splitlines()[0]}") from error


class _Later:
    """A converter that is built when the action is called for the first time: most are not called at all.

    Args:
        build: makes it; runs no code of the plan, and cannot fail.
    """

    __slots__ = ("_build", "_built")

    def __init__(self, build: Callable[[], Callable[[Any], dict[str, Any]]]) -> None:
        self._build = build
        self._built: Callable[[Any], dict[str, Any]] | None = None

    def __call__(self, given: Any) -> dict[str, Any]:
        if self._built is None:
            self._built = self._build()
        return self._built(given)


def _is_plain(kind: Any) -> bool:
    """Whether a type is made of Python's own, which pydantic can always read, without code of a plan."""
    if any(kind is plain for plain in _PLAIN):
        return True
    origin = get_origin(kind)
    if origin is Literal:
        return all(type(value) in _LITERALS for value in get_args(kind))
    return any(origin is made for made in _MADE_OF_PLAIN) and all(_is_plain(part) for part in get_args(kind))


def _resolve(function: Callable[..., Any], name: str, annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    home = inspect.unwrap(function)
    names = {**vars(sys.modules[home.__module__]), **getattr(home, "__globals__", {})}
    try:
        return eval(annotation, names)  # noqa: S307 (the plan's own source text, imported a moment ago)
    except NameError as error:
        raise SignatureError(
            f"the type of parameter {name!r} is not known when the plan runs ({error}); "
            "import it outside `if TYPE_CHECKING:`"
        ) from error
    except Exception as error:
        raise SignatureError(f"the type of parameter {name!r} cannot be read: {error}") from error
