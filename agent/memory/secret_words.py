"""Does a text look as if it held a secret: a password, a key, a card number. Such text is never kept."""

from __future__ import annotations

import re

_NAMES = (
    r"pass ?word|pass ?code|pass ?phrase|\bpin(?:[ -]?code)?\b|\bcvv\b|\bcvc\b|secret|(?:api|access|private)[ _-]?key",
    r"\btoken\b|credential|парол\w*|пин-?код\w*|\bпин\b|секретн\w+|ключ\w* (?:api|апи|доступа)|токен\w*",
    r"密码|口令|密钥|令牌|验证码|pass ?wort|kennwort|mot de passe|contraseña",
)
_IS = r"\bis\b|\bare\b|[:=：—–]|\s-\s|\bэто\b|\bist\b|\bes\b|\best\b|是|为"
_NAMED = re.compile(
    rf"(?:{'|'.join(_NAMES)}).{{0,40}}?(?:{_IS})\s*\S|(?:pass ?word|парол\w*|密码|\bpin\b|пин-?код\w*)\W{{0,3}}\S*\d",
    re.IGNORECASE | re.DOTALL,
)
_KEYS = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}",
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}",
    r"\b\d{8,10}:[\w-]{30,}",
    r"\beyJ[\w-]{8,}\.[\w-]{8,}",
    r"://[^/\s:@]+:[^/\s:@]+@",
)
_SHAPES = re.compile("|".join(_KEYS))
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
LEAST_KINDS = 3
"""A long word of small letters, capitals and digits, all three, is a key rather than a word."""


def looks_secret(text: str) -> bool:
    """True if the text names a secret and its value, or holds something of the shape of one."""
    if _NAMED.search(text) or _SHAPES.search(text):
        return True
    if any(_kinds(match.group()) >= LEAST_KINDS for match in _LONG.finditer(text)):
        return True
    return any(_is_card(re.sub(r"\D", "", match.group())) for match in _CARD.finditer(text))


def _kinds(word: str) -> int:
    return sum(any(test(letter) for letter in word) for test in (str.islower, str.isupper, str.isdigit))


def _is_card(digits: str) -> bool:
    """The check digit of payment cards (Luhn)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if index % 2 else 1)
        total += number - 9 if number > 9 else number  # noqa: PLR2004 (the sum of its two digits)
    return total % 10 == 0
