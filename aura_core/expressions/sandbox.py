"""The sandboxed half of the expression language: Jinja without a way out, without endless work, with exact errors.

Immutable as Jinja's ImmutableSandboxedEnvironment, and further: attributes of mappings are their items first, so that
`order.items` is the item; modules and private attributes are closed; work, widths, powers and output are bounded; of
Jinja's statements only `if` and `for` exist, because a task is not a program in a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from inspect import iscoroutinefunction
from pathlib import PurePath
from time import thread_time
from types import AsyncGeneratorType, BuiltinMethodType, CoroutineType, GeneratorType, ModuleType
from typing import Any, cast

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.filters import make_attrgetter
from jinja2.runtime import Context, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import missing

from aura_core.asynccontext import now
from aura_core.config import config
from aura_core.expressions import filters, limits
from aura_core.expressions.limits import LimitError

_BOUNDED_ARGUMENTS = frozenset({"batch", "center", "indent", "round", "slice", "tojson", "truncate", "wordwrap"})
_MAKES_TEXT = (str, bytes, bytearray, int)
_FORBIDDEN_METHODS = frozenset({"translate", "to_bytes", "from_bytes"})
_NOT_FOR_TASKS = frozenset({"cycler", "joiner", "lipsum", "namespace"})
_OF_A_NAME = frozenset(
    {"anchor", "as_posix", "drive", "name", "parent", "parents", "parts", "root", "stem", "suffix", "suffixes"}
)
_DIGITS = re.compile(r"\d+")
_PASSING = (range, KeysView, ValuesView, ItemsView)
COUNTED = "aura counted"
CONCAT = "aura concat"
SELF = "aura_self"
REQUIRED = "aura required"


class MissingError(jinja2.UndefinedError):
    """A name, key or attribute that does not exist.

    Attributes:
        name: what was looked for; None for the value of an `if` without `else`.
        owner: where; `missing` if it is a variable.
    """

    def __init__(self, message: str | None, name: Any, owner: Any) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner


class Missing(StrictUndefined):
    """Jinja's strict undefined value, which remembers what it would have been."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[jinja2.TemplateRuntimeError] = jinja2.UndefinedError,
    ) -> None:
        if isinstance(name, Undefined):
            hint, name = "an undefined value is used as a key", None
        super().__init__(hint, obj, name, exc)
        if exc is jinja2.UndefinedError:
            self._undefined_exception = cast("Any", self._exception)

    def _exception(self, message: str) -> MissingError:
        return MissingError(message, self._undefined_name, self._undefined_obj)


class Scope(Context):
    """Jinja's context over the one plain mapping of a task: nothing is copied, however many variables there are."""

    def __init__(self, environment: jinja2.Environment, variables: Mapping[str, Any]) -> None:
        super().__init__(environment, cast("dict[str, Any]", variables), None, {})
        self._until = thread_time() + limits.MAX_SECONDS
        self.work = 0
        self.made = 0

    def resolve_or_missing(self, key: str) -> Any:
        """The variable, or the global, or `missing`."""
        if key == SELF:
            key = "self"
        if key in self.parent:
            return self.parent[key]
        return self.environment.globals.get(key, missing)

    def spend(self, amount: int) -> None:
        """Counts work.

        Raises:
            LimitError: it is too much.
        """
        self.work += amount
        if self.work > limits.MAX_WORK:
            raise LimitError(f"it needs more than {limits.MAX_WORK:,} turns")
        if thread_time() > self._until:
            raise LimitError(f"it takes more than {limits.MAX_SECONDS:g} s")

    def take(self, made: Any) -> Any:
        """The value that a filter made, its characters counted.

        Raises:
            LimitError: all of them together are too many.
        """
        value = settled(made)
        if isinstance(value, str):
            self.made += len(value)
            if self.made > limits.MAX_MADE:
                raise LimitError(f"its filters make more than {limits.MAX_MADE:,} characters")
        return value


class BoundedFormatter(SandboxedFormatter):
    """`str.format` that reaches nothing private and pads to a bounded width."""

    def __init__(self, environment: jinja2.Environment) -> None:
        super().__init__(environment)
        self._columns = 0

    def format_field(self, value: Any, format_spec: str) -> str:
        """One field."""
        widths: list[str] = _DIGITS.findall(format_spec)
        if any(len(digits) > 5 or int(digits) > limits.MAX_WIDTH for digits in widths):  # noqa: PLR2004 (digits of MAX_WIDTH)
            raise LimitError(f"text is padded to {limits.MAX_WIDTH:,} columns at most")
        self._columns += sum(map(int, widths))
        limits.check_padding(self._columns)
        return cast("str", super().format_field(value, format_spec))


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment in which every expression is compiled that is not simple."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self) -> None:
        super().__init__(undefined=Missing, autoescape=False, optimized=False, keep_trailing_newline=True, cache_size=0)
        self.binop_table.update({"*": limits.multiply, "**": limits.power, "%": limits.modulo, "+": limits.add})
        for name in _NOT_FOR_TASKS:
            self.globals.pop(name, None)
        self.globals |= cast("dict[str, Any]", {"config": config, "now": now})
        self.filters.update(
            random=filters.pick, fromjson=filters.from_json, tojson=filters.to_json, date=filters.format_date
        )
        self.filters.update(
            join=_join, replace=filters.replace, format=_format, indent=filters.indent, string=filters.bounded_text
        )
        self.filters = {name: _counting(name, function) for name, function in self.filters.items()}
        self.filters[COUNTED] = _counted
        self.filters[REQUIRED] = required
        self.filters[CONCAT] = filters.concat
        self.filters["map"] = _each_required(self.filters["map"])
        self.filters["groupby"] = _each_grouped(self.filters["groupby"])
        self.finalize = _written

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`; the item of that name first where `obj` is a mapping."""
        if isinstance(obj, Mapping):
            try:
                return obj[attribute]  # pyright: ignore[reportUnknownVariableType] (any values)
            except KeyError:
                pass
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether an expression may see it: nothing private, nothing that changes a list or mapping, no modules.

        Of a path it may see what is in its name, not what is on the disk; nothing that runs later or bit by bit.
        """
        if isinstance(obj, ModuleType | CoroutineType | GeneratorType | AsyncGeneratorType):
            return False
        if isinstance(obj, PurePath) and attr not in _OF_A_NAME:
            return False
        return not iscoroutinefunction(value) and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`"…".format` under the sandbox's rules, with widths in bounds."""
        text: object = value.__self__ if isinstance(value, BuiltinMethodType) else None
        if not isinstance(text, str) or value.__name__ not in {"format", "format_map"}:
            return None
        formatter = BoundedFormatter(self)

        def form(*args: Any, **kwargs: Any) -> str:
            return formatter.vformat(text, args, kwargs)

        def form_map(values: Mapping[str, Any]) -> str:
            return formatter.vformat(text, (), values)

        return form if value.__name__ == "format" else form_map

    def call(__self, __context: Scope, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063 (as Jinja has it)
        """Calls what the expression calls, if it is safe and its arguments are in bounds."""
        if isinstance(__obj, BuiltinMethodType) and isinstance(__obj.__self__, _MAKES_TEXT):
            bounded = _bounded_method(__obj, args, kwargs)
            if bounded is not None:
                return bounded
        __context.spend(1)
        return super().call(__context, __obj, *args, **kwargs)


def _bounded_method(method: BuiltinMethodType, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
    name, owner = method.__name__, method.__self__
    if name in _FORBIDDEN_METHODS:
        raise SecurityError(f"the method {name!r} is not for expressions")
    if name == "expandtabs" and isinstance(owner, str | bytes):
        width = args[0] if args else kwargs.get("tabsize", 8)
        tabs = owner.count("\t") if isinstance(owner, str) else owner.count(b"\t")
        limits.check_padding(tabs * width if isinstance(width, int) else 0)
    if name == "replace" and isinstance(owner, str):
        return filters.replace(owner, *args, **kwargs)
    if name == "join" and isinstance(owner, str) and len(args) == 1 and not kwargs:
        items = list(args[0])
        return filters.join(items, owner) if all(isinstance(item, str) for item in items) else None
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, int) and abs(argument) > limits.MAX_WIDTH and name not in {"find", "index", "count"}:
            raise LimitError(f"{name}() takes numbers up to {limits.MAX_WIDTH:,}")
    return None


def _counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that counts the items handed to it, refuses arguments out of bounds, and gives a value that stays."""
    marker: Any = getattr(function, "jinja_pass_arg", None)
    passes = marker.name if marker is not None else ""
    bounded = name in _BOUNDED_ARGUMENTS

    @jinja2.pass_context
    def counting(context: Scope, value: Any = "", *args: Any, **kwargs: Any) -> Any:
        context.spend(1 + (len(value) if isinstance(value, list | tuple | dict | range | str) else 0))  # pyright: ignore[reportUnknownArgumentType] (any items)
        if bounded:
            for argument in (*args, *kwargs.values()):
                if isinstance(argument, int) and abs(argument) > limits.MAX_WIDTH:
                    raise LimitError(f"the filter {name} takes numbers up to {limits.MAX_WIDTH:,}")
        first: dict[str, Any] = {"context": context, "eval_context": context.eval_ctx, "environment": SANDBOX}
        wanted = (first[passes],) if passes else ()
        return context.take(function(*wanted, value, *args, **kwargs))

    return counting


def _format(value: Any, *args: Any, **kwargs: Any) -> str:
    return limits.modulo(str(value), kwargs or args)


@jinja2.pass_context
def _counted(context: Scope, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        context.spend(1)
        yield item


@jinja2.pass_environment
def _join(
    environment: jinja2.Environment, value: Iterable[Any], d: str = "", attribute: str | int | None = None
) -> str:
    if attribute is not None:
        value = map(make_attrgetter(environment, attribute), value)
    return filters.join(value, d)


def _each_required(function: Callable[..., Any]) -> Callable[..., Any]:
    """`map(attribute=…)` must find it in every item."""

    @jinja2.pass_context
    def mapped(*args: Any, **kwargs: Any) -> list[Any]:
        return [required(item) for item in function(*args, **kwargs)]

    return mapped


def _each_grouped(function: Callable[..., Any]) -> Callable[..., Any]:
    """`groupby(…)` must find its attribute in every item."""

    @jinja2.pass_context
    def grouped(*args: Any, **kwargs: Any) -> list[Any]:
        groups = function(*args, **kwargs)
        for group in groups:
            required(group[0])
        return groups

    return grouped


def required(value: Any) -> Any:
    """The value, if it is one.

    Raises:
        MissingError: it is undefined.
    """
    if isinstance(value, Missing):
        return str(value)  # raises what any use of it raises
    if isinstance(value, Undefined):
        raise MissingError(None, None, None)
    return value


def _written(value: Any) -> Any:
    return filters.bounded_text(settled(required(value)))


def settled(value: Any) -> Any:
    """A value that stays: generators, iterators, views and ranges as lists, Jinja's marked text as text."""
    if isinstance(value, _PASSING) or (hasattr(value, "__next__") and type(value).__module__ == "builtins"):
        return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] (any items)
    if isinstance(value, str) and type(value) is not str and type(value).__module__ == "markupsafe":
        return str.__str__(value)
    return value


SANDBOX = Sandbox()
