"""Cuts what a person types as arithmetic into numbers, operators and names."""

from __future__ import annotations

import re
from typing import NamedTuple

from aura_core.api import ActionError

SHOWN_LENGTH = 80

_WORDS = {"plus": "+", "minus": "-", "times": "*", "x": "*", "of": "*", "mod": "mod"}
_SIGNS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "∶": "/", "−": "-", "–": "-"})
_SPACES = "\u00a0\u202f\u2009"
_GROUPED_BY_SPACE = re.compile(rf"[1-9]\d{{0,2}}(?:[ '{_SPACES}]\d{{3}})+(?!\d)(?:[.,]\d+)?")
_GROUPED_BY_COMMA = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?!\d)(?:\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?!\d),\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}(?!\d)")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")
_PLAIN = re.compile(r"(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+(?![\w.]))?")
_OTHER = re.compile(r"divided by|\*\*|//|[-+*/%^()√,;²³]|[^\W\d_]+", re.IGNORECASE)
_IGNORED = re.compile(rf"[\s$€£¥₽{_SPACES}]+")


class Token(NamedTuple):
    """One word of an expression: its kind (number, name or the operator itself), text and 1-based position."""

    kind: str
    text: str
    position: int


def failure(expression: str, position: int, why: str) -> ActionError:
    """What is wrong with an expression, and where; `position` counts characters from 1."""
    shown_part = expression if len(expression) <= SHOWN_LENGTH else f"{expression[:SHOWN_LENGTH]}…"
    return ActionError(f"I cannot calculate “{shown_part}”: {why} (at character {position}).")


def _number_at(text: str, index: int, *, in_call: bool) -> tuple[str, int] | None:
    """The number that starts at `index` in plain notation, and where it ends.

    Inside a function's brackets a comma separates arguments; elsewhere `1,234.5`, `1.234,5` and `3,5` are numbers.
    """
    if (match := _GROUPED_BY_SPACE.match(text, index)) and not (in_call and "," in match[0]):
        return re.sub(rf"[ '{_SPACES}]", "", match[0]).replace(",", "."), match.end()
    if not in_call:
        if match := _GROUPED_BY_COMMA.match(text, index):
            return match[0].replace(",", ""), match.end()
        if match := _GROUPED_BY_POINT.match(text, index):
            return match[0].replace(".", "").replace(",", "."), match.end()
        if match := _DECIMAL_COMMA.match(text, index):
            return match[0].replace(",", "."), match.end()
    if match := _PLAIN.match(text, index):
        return match[0].replace("_", ""), match.end()
    return None


def tokenize(expression: str) -> list[Token]:
    """Cuts an expression into tokens.

    Args:
        expression: signs such as × ÷ − and words such as “times” are understood.

    Raises:
        ActionError: a character that belongs to no token.
    """
    text = expression.translate(_SIGNS)
    tokens: list[Token] = []
    calls: list[bool] = []
    index = 0
    while index < len(text):
        if match := _IGNORED.match(text, index):
            index = match.end()
        elif found := _number_at(text, index, in_call=any(calls)):
            tokens.append(Token("number", found[0], index + 1))
            index = found[1]
        elif match := _OTHER.match(text, index):
            tokens.append(_word(match[0].lower(), index + 1))
            _track_brackets(tokens, calls)
            index = match.end()
        else:
            raise failure(expression, index + 1, f"“{expression[index]}” means nothing here")
    return tokens


def _word(text: str, position: int) -> Token:
    if text == "divided by":
        return Token("/", text, position)
    if text[0].isalpha():
        operator = _WORDS.get(text)
        return Token(operator or "name", text, position)
    return Token("**" if text == "^" else text, text, position)


def _track_brackets(tokens: list[Token], calls: list[bool]) -> None:
    if tokens[-1].kind == "(":
        calls.append(len(tokens) > 1 and tokens[-2].kind == "name")
    elif tokens[-1].kind == ")" and calls:
        calls.pop()
