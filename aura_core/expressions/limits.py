"""What an expression may cost at most, and the operators that could otherwise cost without end."""

from __future__ import annotations

import re
from typing import Any, cast

MAX_SOURCE_LENGTH = 100_000
"""Characters of one template."""
MAX_FAST_LENGTH = 300
"""Digits of one number."""
MAX_FAST_TOKENS = 2_000
"""Names, literals and signs of one expression that is compiled to Python; longer ones are Jinja's."""
MAX_ITEMS = 1_000_000
"""Items or characters that one operator or filter may make."""
MAX_WIDTH = 10_000
"""Columns to which text may be padded, digits to which a number may be rounded."""
MAX_POWER_BITS = 300
"""Bits of the largest power."""
MAX_PRODUCT_BITS = 4096
"""Bits of the largest product of whole numbers."""
MAX_INDENT = 16
"""Columns by which JSON text is indented per level."""
MAX_SECONDS = 3.0
"""Seconds of a processor that one template may take."""
MAX_WORK = 1_000_000
"""Loop turns and items handed to filters, while one template is rendered."""
MAX_OUTPUT = 10_000_000
"""Characters that one template may write."""
MAX_MADE = 50_000_000
"""Characters that the filters of one template may make."""

_NUMBERS = frozenset({int, float, bool})
_LARGEST = 1 << MAX_PRODUCT_BITS
_FORMAT_WIDTH = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d+)?(?:\.(\*|\d+))?")


class LimitError(Exception):
    """An expression asked for more than the limits allow."""


def check_source(source: str) -> None:
    """Refuses a template that no person wrote."""
    if len(source) > MAX_SOURCE_LENGTH:
        raise LimitError(f"a template has {MAX_SOURCE_LENGTH:,} characters at most")


def multiply(left: Any, right: Any) -> Any:
    """`left * right`, unless it would repeat a text or list beyond all measure."""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        product = left * right
        if type(product) is int and not -_LARGEST < product < _LARGEST:
            raise LimitError(f"a product of more than {MAX_PRODUCT_BITS:,} bits is not computed")
        return product
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, str | bytes | list | tuple) and isinstance(times, int):
            size = max(1, *measure(cast("object", sequence)))
            if times > 0 and size * times > MAX_ITEMS:
                raise LimitError(f"repeating it {times:,} times would make more than {MAX_ITEMS:,} items or characters")
    return left * right


def add(left: Any, right: Any) -> Any:
    """`left + right`, unless it would make a text or list beyond all measure."""
    if type(left) not in _NUMBERS and hasattr(left, "__len__") and hasattr(right, "__len__"):
        most = MAX_OUTPUT if isinstance(left, str | bytes) else MAX_ITEMS
        if len(left) + len(right) > most:
            raise LimitError(f"adding them would make more than {most:,} items or characters")
    return left + right


def total(first: Any, *others: Any) -> Any:
    """The sum of all, from left to right; see `add`."""
    for other in others:
        first = add(first, other)
    return first


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, unless the result would be a number of absurd length."""
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and abs(base) > 1 and exponent > 0 and base.bit_length() * exponent > MAX_POWER_BITS:
        raise LimitError(f"a power of more than {MAX_POWER_BITS:,} bits is not computed")
    return base**exponent


def modulo(left: Any, right: Any) -> Any:
    """`left % right`; where `left` is a text this formats, with widths in bounds."""
    if isinstance(left, str | bytes):
        text = left if isinstance(left, str) else left.decode("latin-1")
        total = 0
        for match in _FORMAT_WIDTH.finditer(text):
            for width in match.groups():
                if width is not None and (width == "*" or len(width) > 5 or int(width) > MAX_WIDTH):  # noqa: PLR2004
                    raise LimitError(f"text is padded to {MAX_WIDTH:,} columns at most")
                total += int(width or 0)
        check_padding(total)
    return left % right


def check_padding(columns: int) -> None:
    """Refuses text whose fields together are padded beyond all measure."""
    if columns > MAX_ITEMS:
        raise LimitError(f"the fields of a text are padded to {MAX_ITEMS:,} columns together at most")


def measure(value: object) -> tuple[int, int]:
    """How many items and how many characters a value of lists, mappings and text holds.

    Counting ends beyond `MAX_ITEMS` or `MAX_OUTPUT`: few lists, each held many times, may stand for endless ones.
    """
    items = characters = 0
    stack = [value]
    while stack and items <= MAX_ITEMS and characters <= MAX_OUTPUT:
        item = stack.pop()
        if isinstance(item, str | bytes):
            characters += len(item)
            continue
        if isinstance(item, dict):
            item = list(cast("dict[Any, object]", item).values())
        if isinstance(item, list | tuple | set | frozenset):
            inside = cast("list[object]", item)
            items += len(inside)
            stack.extend(inside)
    return items, characters
