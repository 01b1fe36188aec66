"""Exact arithmetic: bounded fractions, roots, rounding, and numbers as people write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

MAX_BITS = 4_000
"""Size of a numerator or denominator: about 1,200 decimal digits."""
MOST_ARGUMENTS = 2_000
MAX_ROOT = 50
MAX_PLACES = 100
WORKING_DIGITS = 60
EXACT_DIGITS = 40
SHOWN_DIGITS = 15


def bounded(number: Fraction) -> Fraction:
    """The number itself.

    Raises:
        OverflowError: it has more than about 1,200 digits.
    """
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_BITS:
        raise OverflowError
    return number


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """`base ** exponent`: exact where the result is rational, else to `WORKING_DIGITS` digits.

    Raises:
        OverflowError: the result would have more than about 1,200 digits.
        ValueError: an even root of a negative number.
    """
    size = max(base.numerator.bit_length(), base.denominator.bit_length(), 1)
    if abs(base) not in (0, 1) and abs(exponent) * size > MAX_BITS:
        raise OverflowError
    if exponent.denominator == 1:
        if abs(base) == 1:
            return base if exponent % 2 else Fraction(1)
        return Fraction(0) if not base and exponent > 0 else base ** int(exponent)
    if base < 0:
        raise ValueError("a negative number has no real root")
    if not base:
        return Fraction(0) if exponent > 0 else 1 / base
    with localcontext(prec=WORKING_DIGITS):
        root = Fraction(_decimal(base) ** _decimal(exponent))
    nearest = root.limit_denominator(10**12)
    small = exponent.denominator <= MAX_ROOT and abs(exponent) <= MAX_ROOT
    return nearest if small and nearest**exponent.denominator == base**exponent.numerator else root


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def rounded(number: Fraction, digits: Fraction = Fraction(0)) -> Fraction:
    """Rounds half away from zero, as people do on paper (Python rounds half to even).

    Raises:
        ValueError: `digits` is not a whole number between -100 and 100.
    """
    if digits.denominator != 1 or abs(digits) > MAX_PLACES:
        raise ValueError("the number of places must be a whole number up to 100")
    scale = Fraction(10) ** int(digits)
    whole = math.floor(abs(number) * scale + Fraction(1, 2))
    return Fraction(whole if number >= 0 else -whole) / scale


def _square_root(number: Fraction) -> Fraction:
    return power(number, Fraction(1, 2))


def _floor(number: Fraction) -> Fraction:
    return Fraction(math.floor(number))


def _ceil(number: Fraction) -> Fraction:
    return Fraction(math.ceil(number))


def _total(*numbers: Fraction) -> Fraction:
    return sum(numbers, Fraction(0))


def _mean(*numbers: Fraction) -> Fraction:
    return _total(*numbers) / len(numbers)


def _smallest(*numbers: Fraction) -> Fraction:
    return min(numbers)


def _largest(*numbers: Fraction) -> Fraction:
    return max(numbers)


FUNCTIONS: dict[str, tuple[int, int, Callable[..., Fraction]]] = {
    "sqrt": (1, 1, _square_root),
    "round": (1, 2, rounded),
    "abs": (1, 1, Fraction.__abs__),
    "floor": (1, 1, _floor),
    "ceil": (1, 1, _ceil),
    "min": (1, MOST_ARGUMENTS, _smallest),
    "max": (1, MOST_ARGUMENTS, _largest),
    "sum": (1, MOST_ARGUMENTS, _total),
    "mean": (1, MOST_ARGUMENTS, _mean),
    "average": (1, MOST_ARGUMENTS, _mean),
}
"""Name -> fewest arguments, most arguments, function."""
CONSTANTS = {
    "pi": Fraction("3.14159265358979323846264338327950288419716939937510582097494459"),
    "π": Fraction("3.14159265358979323846264338327950288419716939937510582097494459"),
    "e": Fraction("2.71828182845904523536028747135266249775724709369995957496696763"),
}


def _floor_division(left: Fraction, right: Fraction) -> Fraction:
    return Fraction(left // right)


OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": Fraction.__add__,
    "*": Fraction.__mul__,
    "/": Fraction.__truediv__,
    "//": _floor_division,
    "mod": Fraction.__mod__,
}


def shown(number: Fraction) -> str:
    """A number as people write it.

    Whole numbers and decimals of up to `EXACT_DIGITS` digits are exact; anything else is rounded to at least
    `SHOWN_DIGITS` significant digits.
    """
    if number.denominator == 1:
        return str(number.numerator)
    with localcontext(prec=EXACT_DIGITS):
        value = _decimal(number)
        exact = Fraction(value) == number
    if not exact:
        whole_digits = len(str(abs(int(number))))
        with localcontext(prec=max(SHOWN_DIGITS, whole_digits + 6)):
            value = _decimal(number)
    value = _without_zeros(value)
    return f"{value:f}" if value.adjusted() >= -SHOWN_DIGITS else f"{value}".lower()


def _without_zeros(value: Decimal) -> Decimal:
    with localcontext(prec=MOST_ARGUMENTS):
        return value.normalize()
