"""Numbers as people write them: 12.50 and 12,50, 1,234.56 and 1.234,56, 1 234,56 and 1'234.56, in any digits."""

from __future__ import annotations

import re
import unicodedata

_SIGN = dict(zip("\u2212\uff0d\uff0b\uff0c\uff0e\u066b\u066c\u2019", "--+,..''", strict=True))
"""Minus, wide signs, the Arabic decimal and thousands signs, the other apostrophe -> what the patterns below know."""
_SPACED = re.compile(r"([+-]?\d{1,3})((?:[ ']\d{3})+)([.,]\d+)?")
_COMMAS = re.compile(r"([+-]?\d{1,3})((?:,\d{2,3})*,\d{3})(\.\d+)?")
_DOTS = re.compile(r"([+-]?\d{1,3})((?:\.\d{3})+)(,\d+)?")
_DECIMAL = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_IN_TWO_WAYS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


class TwoReadingsError(ValueError):
    """A number such as 1,234, which is one thousand for some and a little more than one for others.

    Attributes:
        readings: both, as they are written without a comma.
    """

    def __init__(self, text: str) -> None:
        self.readings = text.replace(",", ""), text.replace(",", ".")
        super().__init__(f"{text} can be read in two ways")


def number_text(text: str, *, whole: bool = False) -> str:
    """A number as people write it, as programs do: digits, at most one dot.

    Args:
        text: what somebody wrote.
        whole: a whole number is wanted, so that a comma between digits in threes can only part thousands.

    Returns:
        The number; the text as it is if it is none, or one already.

    Raises:
        TwoReadingsError: it is a number, but which?
    """
    plain = "".join(map(_ascii, text.strip()))
    for pattern in (_SPACED, _COMMAS, _DOTS):
        found = pattern.fullmatch(plain)
        if found is None or (pattern is _DOTS and found[3] is None and found[2].count(".") == 1):
            continue
        if _IN_TWO_WAYS.fullmatch(plain) and not whole:
            raise TwoReadingsError(plain)
        if plain.lstrip("+-").startswith("0"):
            break  # 0,125 parts no thousands
        return found[1] + re.sub(r"\D", "", found[2]) + (found[3] or "").replace(",", ".")
    return plain.replace(",", ".") if _DECIMAL.fullmatch(plain) else plain if _is_number(plain) else text


def _ascii(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return " " if unicodedata.category(character) == "Zs" else _SIGN.get(character, character)


def _is_number(plain: str) -> bool:
    try:
        float(plain)
    except ValueError:
        return False
    return True
