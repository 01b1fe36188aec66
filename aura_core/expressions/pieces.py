"""Compiles values: cuts text and nested values into pieces, and makes one Python function for all simple ones.

The function's source depends on the shape of the value alone; names, literals and texts are cells of a closure. When
it raises, the value is evaluated again, piece by piece, in the sandbox, which gives the right value or the right error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from aura_core.errors import ExpressionError
from aura_core.expressions import jinja
from aura_core.expressions.filters import bounded_text
from aura_core.expressions.limits import MAX_SOURCE_LENGTH
from aura_core.expressions.names import LITERAL
from aura_core.expressions.operations import FUNCTIONS
from aura_core.expressions.sandbox import settled
from aura_core.expressions.scanner import NotSimpleError, Scanner, Shape, token_offset
from aura_core.expressions.simple import SimpleParser

Evaluator: TypeAlias = Callable[[Mapping[str, Any]], Any]
Piece: TypeAlias = tuple[Any, tuple[Any, ...]]
"""A shape (nested tuples) and its cells."""

CONSTANT: Any = ("constant",)
COPY: Any = ("copy",)
CALL: Any = ("call",)
WHOLE: Any = ("call", "whole")
MAX_CELLS = 100
"""More names and literals than this go into functions of their own."""
_SCANNER = Scanner(LITERAL)
_PLAIN = frozenset({int, float, bool, type(None)})
_SCALARS = (str, int, float, bool, type(None))


class NestedError(ExpressionError):
    """An expression inside a nested value is wrong.

    Attributes:
        path: keys and indexes that lead to it.
    """

    def __init__(self, error: ExpressionError, path: tuple[str | int, ...]) -> None:
        super().__init__(str(error), error.offset)
        self.path = path


def is_constant(raw: Any) -> bool:
    """Whether there is no expression in a value."""
    if isinstance(raw, str):
        return "{" not in raw or not ("{{" in raw or "{%" in raw or "{#" in raw)
    if isinstance(raw, dict):
        return all(map(is_constant, raw.values()))  # pyright: ignore[reportUnknownArgumentType]
    return not isinstance(raw, list) or all(map(is_constant, raw))  # pyright: ignore[reportUnknownArgumentType]


def plain_copy(raw: Any) -> Any:
    """A copy of nested lists and mappings; everything else is shared."""
    if isinstance(raw, dict):
        return {key: plain_copy(value) for key, value in raw.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(raw, list):
        return [plain_copy(value) for value in raw]  # pyright: ignore[reportUnknownVariableType]
    return raw


def inner(text: str) -> str:
    """The expression without its braces and Jinja's marks for white space."""
    source = text[2:-2]
    if source[:1] in {"-", "+"}:
        source = source[1:]
    return source.removesuffix("-")


def compile_value(raw: Any) -> tuple[Evaluator, bool]:
    """Compiles a value that is not constant.

    Returns:
        What evaluates it, and whether the value is one expression.

    Raises:
        NestedError: an expression in it is wrong.
    """
    piece = _piece(raw, ())
    return _function(raw, piece), piece[0] is WHOLE or piece[0][0] == "expression"


def _function(raw: Any, piece: Piece) -> Evaluator:
    shape, cells = piece
    if shape[0] == "call":
        return cells[0]

    def slowly(scope: Mapping[str, Any]) -> Any:
        return evaluate_slowly(raw, scope)

    try:
        return _factory(shape)(slowly, *cells)
    except (SyntaxError, RecursionError, MemoryError):
        return slowly


def evaluate_slowly(raw: Any, scope: Mapping[str, Any]) -> Any:
    """The value, evaluated piece by piece in the sandbox."""
    if isinstance(raw, dict):
        return {key: evaluate_slowly(value, scope) for key, value in raw.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(raw, list):
        return [evaluate_slowly(value, scope) for value in raw]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(raw, str) or is_constant(raw):
        return raw
    if raw.startswith("{{") and raw.endswith("}}") and jinja.is_single(raw):
        return jinja.compile_expression(inner(raw))(scope)
    return jinja.compile_text(raw)(scope)


def _piece(raw: Any, path: tuple[str | int, ...]) -> Piece:
    if is_constant(raw):
        return (CONSTANT if isinstance(raw, _SCALARS) else COPY), (raw,)
    if isinstance(raw, str):
        try:
            return _text_piece(raw)
        except ExpressionError as error:
            raise NestedError(error, path) from error
    keys: list[Any] = list(raw) if isinstance(raw, dict) else []  # pyright: ignore[reportUnknownArgumentType]
    items: list[Any] = list(raw.values()) if isinstance(raw, dict) else raw  # pyright: ignore[reportUnknownArgumentType]
    children = [_piece(item, (*path, keys[index] if keys else index)) for index, item in enumerate(items)]
    if sum(len(cells) for _, cells in children) + len(keys) > MAX_CELLS:
        return _in_functions(keys, items, children)
    cells: list[Any] = []
    for index, (_, child_cells) in enumerate(children):
        cells.extend((keys[index], *child_cells) if keys else child_cells)
    return ("mapping" if keys else "list", *(shape for shape, _ in children)), tuple(cells)


def _in_functions(keys: list[Any], items: list[Any], children: list[Piece]) -> Piece:
    functions = [_function(item, piece) for item, piece in zip(items, children, strict=True)]
    pairs = list(zip(keys, functions, strict=False))

    def mapping(scope: Mapping[str, Any]) -> dict[Any, Any]:
        return {key: function(scope) for key, function in pairs}

    def listed(scope: Mapping[str, Any]) -> list[Any]:
        return [function(scope) for function in functions]

    return CALL, (mapping if keys else listed,)


def _text_piece(text: str) -> Piece:
    if len(text) > MAX_SOURCE_LENGTH:
        return CALL, (jinja.compile_text(text),)
    if text.startswith("{{") and text.endswith("}}"):
        source = inner(text)
        wrong: NotSimpleError | None
        try:
            expression = _SCANNER.expression(source)
            wrong = _simple(expression.shape)
            if wrong is None:
                return ("expression", expression.shape), expression.cells
        except NotSimpleError as error:
            wrong = error
        if jinja.is_single(text):
            return WHOLE, (_located(lambda: jinja.compile_expression(source), source, wrong, text.index(source, 2)),)
    return _mixed_piece(text)


def _located(compile_it: Any, source: str, wrong: NotSimpleError | None, before: int) -> Evaluator:
    try:
        return compile_it()
    except ExpressionError as error:
        if wrong is not None and wrong.token is not None:
            error.offset = before + token_offset(source, wrong.token)
        raise


def _mixed_piece(text: str) -> Piece:
    shape: list[Any] = ["text"]
    cells: list[Any] = []
    position = 0
    if "{%" in text or "{#" in text or "\r" in text:
        return CALL, (jinja.compile_text(text),)
    while (begin := text.find("{{", position)) >= 0:
        if text[begin + 2 : begin + 3] in {"-", "+"}:
            return CALL, (jinja.compile_text(text),)
        wrong: NotSimpleError | None
        end = begin + 2
        try:
            expression, end = _SCANNER.embedded(text, begin + 2)
            wrong = _simple(expression.shape)
        except NotSimpleError as error:
            expression, wrong = None, error
        if expression is None or wrong is not None or text[end - 3] == "-":
            return CALL, (_located(lambda: jinja.compile_text(text), text[begin + 2 :], wrong, begin + 2),)
        if begin > position:
            shape.append(CONSTANT)
            cells.append(text[position:begin])
        shape.append(("expression", expression.shape))
        cells.extend(expression.cells)
        position = end
    if position < len(text):
        shape.append(CONSTANT)
        cells.append(text[position:])
    return tuple(shape), tuple(cells)


@lru_cache(maxsize=4096)
def _simple(shape: Shape) -> NotSimpleError | None:
    """None if the shape is a simple expression, else why not."""
    try:
        SimpleParser(shape, 0).parse()
    except NotSimpleError as error:
        return error.with_traceback(None)
    except RecursionError:
        return NotSimpleError()
    return None


@lru_cache(maxsize=4096)
def _factory(shape: Any) -> Callable[..., Evaluator]:
    body, count = _source(shape, 0)
    cells = "".join(f", c{index}" for index in range(count))
    source = (
        f"def make(slowly{cells}):\n def render(s):\n  try:\n   return {body}\n"
        "  except Exception:\n   return slowly(s)\n return render\n"
    )
    scope: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # `true[0]` fails when it is evaluated, in our own words
        code = compile(source, "<expression>", "exec")
    exec(code, _NAMESPACE, scope)  # noqa: S102 (made of known words and cells only)
    return scope["make"]


def _source(shape: Any, cell: int) -> tuple[str, int]:
    """Python source of a shape whose first cell has that index, and the index of the next free cell."""
    kind = shape[0]
    if kind == "expression":
        return SimpleParser(shape[1], cell).parse()
    if kind == "constant":
        return f"c{cell}", cell + 1
    if kind == "copy":
        return f"plain_copy(c{cell})", cell + 1
    if kind == "call":
        return f"c{cell}(s)", cell + 1
    parts: list[str] = []
    for child in shape[1:]:
        key = ""
        if kind == "mapping":
            key = f"c{cell}: "
            cell += 1
        source, cell = _source(child, cell)
        parts.append(key + source)
    if kind == "text":
        return "join_text((" + "".join(f"{part}, " for part in parts) + "))", cell
    return (f"{{{', '.join(parts)}}}" if kind == "mapping" else f"[{', '.join(parts)}]"), cell


def _join_text(parts: tuple[Any, ...]) -> str:
    return "".join(
        [
            part if part.__class__ is str else str(part) if part.__class__ in _PLAIN else bounded_text(settled(part))
            for part in parts
        ]
    )


_NAMESPACE = FUNCTIONS | {"plain_copy": plain_copy, "join_text": _join_text}
