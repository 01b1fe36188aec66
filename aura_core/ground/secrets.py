"""Secrets: what this process holds and must not say, and one way to take it out of a text, however it is spelled.

The secrets are those of the process, as its log is: whoever reads a setting or opens a connection adds what it finds,
and whoever turns foreign words into words of ours, or writes them somewhere, asks `mask`.

What is taken for a secret: at least four characters, not all the same, and no plain word of fewer than eight letters.
Servers that want no key get such words as one ("ollama", "none"), and a text without them would be unreadable. What has
fewer than eight characters is masked only where it stands alone, not inside longer words and numbers.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit

MARK = "•••"
SHORTEST = 4
"""Characters below which nothing is a secret: masking it would spoil every text."""
ANYWHERE = 8
"""Characters from which a secret is masked inside longer words too, and a plain word counts as one."""
_ENCODED = 12
"""Characters of base64 from which they are taken for a part of a secret."""
_NAME = re.compile(
    r"(?:^|[_.-])(?:(?:api|access|secret|private|auth|signing|encryption|account|master|service)[_-]?keys?"
    r"|tokens?|secrets?|passphrases?|credentials?)$|passw(?:or)?ds?$",
    re.IGNORECASE,
)
_UNCHANGED = re.compile(r"[A-Za-z0-9_]+")
"""What is written the same everywhere."""
_WORD = re.compile(r"([a-z0-9])([A-Z])")


@dataclass(frozen=True, slots=True)
class _Masked:
    """One secret as it is looked for.

    Attributes:
        sign: a part of it that every spelling holds as it is; a text without that is not searched.
        pattern: all spellings.
        encoded: what base64 texts hold that have it in them.
    """

    sign: str
    pattern: re.Pattern[str]
    encoded: tuple[str, ...]

    @classmethod
    def of(cls, value: str) -> _Masked:
        """How a secret is looked for."""
        spelled = "".join(map(_spelled, value))
        if len(value) < ANYWHERE:
            spelled = rf"(?<![^\W_]){spelled}(?![^\W_])"
        sign = max(_UNCHANGED.findall(value), key=len, default="")
        return cls(sign, re.compile(spelled), tuple(_encoded(value)))

    def may_be_in(self, text: str) -> bool:
        """Whether a text is worth searching."""
        return self.sign in text or any(part in text for part in self.encoded)

    def out_of(self, text: str) -> str:
        """The text without it."""
        if self.sign in text:
            text = self.pattern.sub(MARK, text)
        for part in self.encoded:
            if part in text:
                text = text.replace(part, MARK)
        return text


class Secrets:
    """Secrets, and texts without them; they may be added from any thread."""

    def __init__(self) -> None:
        self._known: dict[str, _Masked] = {}

    def hold(self, values: Iterable[str]) -> None:
        """Adds secrets; what is too short or a plain word is left out, and white space at the ends does not count."""
        new = {value.strip() for value in values}
        found = {value: _Masked.of(value) for value in new if value not in self._known and is_maskable(value)}
        if found:
            known = self._known | found
            self._known = {value: known[value] for value in sorted(known, key=len, reverse=True)}

    def mask(self, text: str) -> str:
        """The text with a mark in the place of every secret, in whatever spelling."""
        for secret in self._known.values():
            text = secret.out_of(text)
        return text

    def masked(self, value: Any) -> Any:
        """A JSON value with its texts masked, those of its keys too; what is none, or nested without end, as it is."""
        try:
            text = json.dumps(value, ensure_ascii=False, skipkeys=True, default=lambda _: None)
        except (TypeError, ValueError, RecursionError):
            return value
        return self._walked(value) if any(one.may_be_in(text) for one in self._known.values()) else value

    def _walked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            fields = cast("dict[Any, Any]", value)
            return {self._walked(key): self._walked(part) for key, part in fields.items()}
        if isinstance(value, list | tuple):
            parts = [self._walked(part) for part in cast("list[Any]", value)]
            return parts if isinstance(value, list) else tuple(parts)
        return value


held = Secrets()
"""Those of this process."""


def hold(values: Iterable[str]) -> None:
    """Adds secrets to those of this process."""
    held.hold(values)


def mask(text: str) -> str:
    """A text without the secrets of this process."""
    return held.mask(text)


def masked(value: Any) -> Any:
    """A JSON value without the secrets of this process."""
    return held.masked(value)


def is_maskable(value: str) -> bool:
    """Whether a value is long and odd enough to be masked in every text."""
    plain_word = value.isalpha() and len(value) < ANYWHERE
    return len(value) >= SHORTEST and not plain_word and len(set(value)) > 1


def names_secret(name: str) -> bool:
    """Whether a setting or variable of this name holds a secret: it ends in token, password, api key or the like."""
    return bool(_NAME.search(_WORD.sub(r"\1_\2", name)))


def secrets_in(settings: Mapping[str, Any], is_secret: Callable[[str], bool] = names_secret) -> Iterator[str]:
    """The secrets among settings or variables: those of secret names, and the passwords inside addresses.

    Args:
        settings: values by name; mappings and lists inside are looked into.
        is_secret: whether a name, dotted where it stands inside others, means a secret.
    """
    for name, value in settings.items():
        yield from _secrets_at(str(name), value, is_secret, inside=False)


def stripped(settings: Mapping[str, Any], is_secret: Callable[[str], bool], inside: str = "") -> dict[str, Any]:
    """The settings with the secrets among them without white space at their ends, as a file's last line leaves it.

    Args:
        settings: values by name.
        is_secret: as in `secrets_in`.
        inside: dotted name of what they stand in.
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{inside}.{key}" if inside else str(key)
        if isinstance(value, dict):
            found[key] = stripped(cast("dict[str, Any]", value), is_secret, name)
        else:
            found[key] = value.strip() if isinstance(value, str) and is_secret(name) else value
    return found


def _secrets_at(name: str, value: Any, is_secret: Callable[[str], bool], *, inside: bool) -> Iterator[str]:
    secret = inside or is_secret(name)
    if isinstance(value, dict):
        for key, part in cast("dict[Any, Any]", value).items():
            yield from _secrets_at(f"{name}.{key}", part, is_secret, inside=secret)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from _secrets_at(name, part, is_secret, inside=secret)
    elif isinstance(value, str):
        if secret:
            yield value
        yield from _passwords_in(value)


def _passwords_in(address: str) -> Iterator[str]:
    """The password inside an address (`https://name:password@host`), as written and as meant."""
    if "://" not in address or "@" not in address:
        return
    try:
        password = urlsplit(address.strip()).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def _spelled(letter: str) -> str:
    """A pattern of every way to write a letter: as it is, escaped as often as may be, in an address, in HTML."""
    if _UNCHANGED.fullmatch(letter):
        return letter
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    ways = [
        rf"\\*{re.escape(letter)}" if letter != "\\" else r"\\+",
        "".join(rf"%(?:25)*(?i:{byte:02x})" for byte in letter.encode("utf-8", "surrogatepass")),
        "".join(rf"\\+u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4)),
        rf"\\+(?:x(?i:{ord(letter):02x})|U(?i:{ord(letter):08x}))",
        rf"&(?:#0*{ord(letter)}|#x0*(?i:{ord(letter):x}){_named(letter)});",
    ]
    ways += {" ": [r"\+"], "\n": [r"\\+n"], "\r": [r"\\+r"], "\t": [r"\\+t"]}.get(letter, [])
    return f"(?:{'|'.join(ways)})"


def _named(letter: str) -> str:
    """A letter's name in HTML, as one more way to write it."""
    name = html.escape(letter)[1:-1]
    return f"|{name}" if name.isalpha() else ""


def _encoded(value: str) -> Iterator[str]:
    """What every base64 text holds that has the secret in it, wherever it begins there: behind a name, say."""
    raw = value.encode("utf-8", "surrogatepass")
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        first = -(-shift * 8 // 6) if shift else 0
        last = (shift + len(raw)) * 8 // 6
        text = whole[first:last].decode()
        if len(text) >= _ENCODED:
            yield from (text, text.replace("+", "-").replace("/", "_"))
