"""Exact arithmetic on what a person types: fractions inside, decimals outside, no eval anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from fractions import Fraction
from typing import NamedTuple

from aura_core.api import ActionError, action

from .arithmetic import CONSTANTS, FUNCTIONS, MOST_ARGUMENTS, OPERATIONS, bounded, power, shown
from .expression_tokens import Token, failure, tokenize

MAX_LENGTH = 2_000
MAX_DEPTH = 50
MAX_EXPONENT = 2_000

_QUESTION = re.compile(r"^\s*(?:what(?:'s| is)|how much is|calculate|compute)\b:?|[\s=?]+$", re.IGNORECASE)


class Value(NamedTuple):
    """A number, and whether it was written as a percentage, so that `80 + 10%` can mean 88."""

    number: Fraction
    percent: bool = False


class Calculator:
    """Reads the tokens from left to right and computes as it goes; one instance per expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = [*tokenize(expression), Token("end", "", len(expression) + 1)]
        self._index = 0
        self._depth = 0

    def run(self) -> Fraction:
        """The value of the whole expression."""
        value = self._sum()
        if self._next.kind != "end":
            raise self._error(f"an operator such as + or × was expected, not “{self._next.text}”")
        return value.number

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _take(self) -> Token:
        token = self._next
        self._index += 1
        return token

    def _error(self, why: str, token: Token | None = None) -> ActionError:
        return failure(self._expression, (token or self._next).position, why)

    def _compute(self, token: Token, function: Callable[..., Fraction], *numbers: Fraction) -> Fraction:
        try:
            return bounded(function(*numbers))
        except ZeroDivisionError:
            raise self._error("a division by zero", token) from None
        except OverflowError:
            raise self._error("the result is too large (more than about 1,200 digits)", token) from None
        except ValueError as error:
            raise self._error(str(error), token) from None

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error("too many brackets, powers or roots inside each other")

    def _sum(self) -> Value:
        self._deeper()
        left = self._product()
        while self._next.kind in {"+", "-"}:
            token = self._take()
            right = self._product()
            change = right.number if token.kind == "+" else -right.number
            if right.percent and not left.percent:
                change *= left.number
            left = Value(self._compute(token, OPERATIONS["+"], left.number, change), left.percent and right.percent)
        self._depth -= 1
        return left

    def _product(self) -> Value:
        left = self._signed()
        while (kind := self._operator()) in OPERATIONS.keys() - {"+"}:
            token = self._take()
            left = Value(self._compute(token, OPERATIONS[kind], left.number, self._signed().number))
        return left

    def _operator(self) -> str:
        """The next token's kind, where a `%` before a number or bracket is the remainder, elsewhere a percentage."""
        if self._next.kind != "%":
            return self._next.kind
        return "mod" if self._tokens[self._index + 1].kind in {"number", "name", "("} else "%"

    def _signed(self) -> Value:
        signs = 0
        while self._next.kind in {"+", "-"}:
            signs += self._take().kind == "-"
        value = self._powered()
        return Value(-value.number, value.percent) if signs % 2 else value

    def _powered(self) -> Value:
        base = self._postfixed()
        if self._next.kind != "**":
            return base
        token = self._take()
        self._deeper()
        exponent = self._signed()
        self._depth -= 1
        return Value(self._compute(token, power, base.number, exponent.number))

    def _postfixed(self) -> Value:
        value = Value(self._operand())
        while True:
            if self._operator() == "%":
                self._take()
                value = Value(value.number / 100, percent=True)
            elif self._next.kind in {"²", "³"}:
                token = self._take()
                value = Value(self._compute(token, power, value.number, Fraction(2 if token.kind == "²" else 3)))
            else:
                return value

    def _operand(self) -> Fraction:
        token = self._take()
        if token.kind == "number":
            return self._literal(token)
        if token.kind == "(":
            value = self._sum().number
            self._close("(")
            return value
        if token.kind == "√":
            self._deeper()
            return self._compute(token, FUNCTIONS["sqrt"][2], self._operand())
        if token.kind == "name":
            return self._named(token)
        shown = "the end" if token.kind == "end" else f"“{token.text}”"
        raise self._error(f"a number was expected, not {shown}", token)

    def _literal(self, token: Token) -> Fraction:
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(exponent) > 5 or abs(int(exponent or 0)) > MAX_EXPONENT:  # noqa: PLR2004 (sign and four digits)
            raise self._error("the number is too large or too small", token)
        return self._compute(token, lambda: Fraction(f"{mantissa}e{exponent or 0}"))

    def _close(self, opened: str) -> None:
        if self._next.kind != ")":
            raise self._error(f"a “)” is missing for “{opened}”")
        self._take()

    def _named(self, token: Token) -> Fraction:
        if token.text in CONSTANTS:
            return CONSTANTS[token.text]
        if token.text not in FUNCTIONS:
            known = [*FUNCTIONS, "pi", "e"]
            near = get_close_matches(token.text, known, 1)
            hint = f"did you mean “{near[0]}”?" if near else f"known are {', '.join(known)}"
            raise self._error(f"“{token.text}” is unknown; {hint}", token)
        if self._next.kind != "(":
            raise self._error(f"“{token.text}” needs its numbers in brackets, as in {token.text}(4)")
        return self._call(token)

    def _call(self, token: Token) -> Fraction:
        self._take()
        numbers: list[Fraction] = []
        while self._next.kind != ")":
            numbers.append(self._sum().number)
            if self._next.kind in {",", ";"}:
                self._take()
            else:
                break
        self._close(f"{token.text}(")
        fewest, most, function = FUNCTIONS[token.text]
        if not fewest <= len(numbers) <= most:
            wanted = (
                str(fewest) if fewest == most else f"{fewest} to {most}" if most < MOST_ARGUMENTS else "at least one"
            )
            raise self._error(f"“{token.text}” takes {wanted} number(s), not {len(numbers)}", token)
        return self._compute(token, function, *numbers)


@action("calculate")
def calculate(expression: str) -> str:
    """Computes an arithmetic expression exactly.

    Args:
        expression: numbers, + - * / // % ** and brackets, percentages, sqrt round min max abs floor ceil sum mean.

    Returns:
        The result as text, so that no digit is lost: "84", "0.3".

    Raises:
        ActionError: what is wrong, and at which character.
    """
    text = _QUESTION.sub("", expression)
    if not text.strip():
        raise ActionError("There is nothing to calculate; give an expression such as 12*7.")
    if len(text) > MAX_LENGTH:
        raise ActionError(f"The expression has {len(text)} characters; at most {MAX_LENGTH} are calculated.")
    return shown(Calculator(text.strip()).run())
