"""Cuts expressions into shapes and cells: a shape is the expression without its names and literals, which are cells.

`a.b[0] + 1` has the shape `N.N[0]+0` and the cells `a`, `b`, 0, 1. Expressions of one shape share one compiled
function, so a file of a thousand steps compiles only as many functions as it has shapes.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from aura_core.expressions.limits import MAX_FAST_LENGTH

Shape: TypeAlias = tuple[str, ...]

NAME = "$name"
NUMBER = "$number"
STRING = "$string"
PLACEHOLDERS = frozenset({NAME, NUMBER, STRING})
KEYWORDS = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"},
)
_TOKEN = re.compile(
    r"""\s*(?:
      ([^\W\d]\w*)                                          # 1 name
    | (\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)           # 2 float
    | (0|[1-9]\d*)                                          # 3 integer
    | ("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')   # 4 string
    | (\*\*|//|[=!<>]=|[-+*/%~()\[\]{}.,:|<>=])             # 5 operator
    | (\S)                                                  # 6 nothing of the language
    )""",
    re.VERBOSE | re.DOTALL,
)
_INFINITE = float("inf")
_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")


class NotSimpleError(Exception):
    """Control flow: this expression is not for the fast path; the sandbox compiles it, or explains what is wrong.

    Never leaves this package.

    Attributes:
        token: position of the token that was not expected, among the expression's tokens; None if all is well formed.
    """

    def __init__(self, token: int | None = None) -> None:
        super().__init__("not a simple expression")
        self.token = token


class Expression:
    """The tokens of one expression.

    Attributes:
        shape: tokens, with names and literals replaced by placeholders.
        cells: the names and literals, in order.
    """

    __slots__ = ("cells", "shape")

    def __init__(self, shape: Shape, cells: tuple[Any, ...]) -> None:
        self.shape = shape
        self.cells = cells


class Scanner:
    """Reads tokens; `literal` names are part of the shape because the compiler gives them a meaning."""

    def __init__(self, literal: frozenset[str]) -> None:
        self._literal = literal | KEYWORDS

    def expression(self, source: str) -> Expression:
        """Reads a whole expression, without its braces.

        Raises:
            NotSimpleError: it holds what the fast path does not know, or a token that no expression has.
        """
        shape: list[str] = []
        cells: list[Any] = []
        for match in _TOKEN.finditer(source):
            self._take(match, shape, cells)
        return Expression(tuple(shape), tuple(cells))

    def embedded(self, text: str, start: int) -> tuple[Expression, int]:
        """Reads the expression behind the `{{` that ends at `start`.

        Returns:
            The expression, and the position behind its `}}`.
        """
        shape: list[str] = []
        cells: list[Any] = []
        depth = 0
        position = start
        while match := _TOKEN.match(text, position):
            operator = match[5]
            if not depth and operator == "}" and text.startswith("}}", match.start(5)):
                return Expression(tuple(shape), tuple(cells)), match.start(5) + 2
            if operator:
                depth += (operator in _OPENING) - (operator in _CLOSING)
            self._take(match, shape, cells)
            position = match.end()
        raise NotSimpleError(len(shape))

    def _take(self, match: re.Match[str], shape: list[str], cells: list[Any]) -> None:
        group = match.lastindex
        token = match[group or 0]
        if group == 5:  # noqa: PLR2004 (numbered in the pattern above)
            shape.append(token)
        elif group == 1:
            if token in self._literal or token[0] == "_":
                shape.append(token)
            else:
                shape.append(NAME)
                cells.append(token)
        elif group == 4:  # noqa: PLR2004
            shape.append(STRING)
            cells.append(_string(token))
        elif group is None or group == 6 or len(token) > MAX_FAST_LENGTH:  # noqa: PLR2004
            raise NotSimpleError(len(shape))
        else:
            number = int(token) if group == 3 else float(token)  # noqa: PLR2004
            if number == _INFINITE:
                raise NotSimpleError(len(shape))
            shape.append(NUMBER)
            cells.append(number)


def token_offset(source: str, index: int) -> int:
    """Where the token of that index begins in `source`; its end if there are fewer tokens."""
    for position, match in enumerate(_TOKEN.finditer(source)):
        if position == index:
            return match.start(match.lastindex or 0)
    return len(source.rstrip())


def _string(token: str) -> str:
    text = token[1:-1]
    if "\\" not in text:
        return text
    try:
        return text.encode("ascii", "backslashreplace").decode("unicode-escape")
    except UnicodeDecodeError:
        raise NotSimpleError from None
