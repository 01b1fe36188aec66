"""Whether a value is made of words that somebody wrote; used for the person's own, and for earlier results."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}(?::\d+)?(?:[/?#]\S*)?")
_ASCII = re.compile(r"[!-~]+")
_WORD = re.compile(r"[^\W_]+")
_WIDE = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that put no spaces between words."""
_AROUND = ".,;:!?()[]{}<>\"'`«»“”‘’。，；：！？（）】》、"
AddressKey = tuple[str, str, str]


def is_made_of(value: Any, texts: Sequence[str]) -> bool:
    """Whether everything in a value stands in some texts.

    An address must stand there as that very address, whatever is in front of its host; of another text, every word must
    stand there, in any order: what is chosen from somebody's words tells nothing that they did not write.

    Args:
        value: any JSON value; names in it count as well. Nothing, yes and no say nothing.
        texts: what was written.
    """
    parts = [part for part in texts_in(value) if part.strip()]
    if not parts:
        return True
    addresses = {key for text in texts for key in _addresses(text)}
    written = _folded("\n".join(texts))
    known = set(_WORD.findall(written))
    return all(
        _key(part.strip()) in addresses if is_address(part) else _words_stand_in(part, known, written) for part in parts
    )


def words_are_of(text: str, texts: Sequence[str]) -> bool:
    """Whether every word of a text stands in some texts, be it a piece of an address."""
    written = _folded("\n".join(texts))
    return _words_stand_in(text, set(_WORD.findall(written)), written)


def is_address(text: str) -> bool:
    """Whether a text as a whole is an address with its scheme, or one that begins with `www.`."""
    return _ADDRESS.fullmatch(text.strip()) is not None


def texts_in(value: Any) -> Iterator[str]:
    """Every text and number inside a nested value, names of fields included."""
    if isinstance(value, dict):
        for name, part in cast("dict[Any, Any]", value).items():
            yield str(name)
            yield from texts_in(part)
    elif isinstance(value, list | tuple):
        for part in cast("Iterable[Any]", value):
            yield from texts_in(part)
    elif isinstance(value, str):
        yield value
    elif value is not None and not isinstance(value, bool):
        yield json.dumps(value, default=str)


def _words_stand_in(text: str, known: set[str], written: str) -> bool:
    return all(word in known or (_WIDE.search(word) and word in written) for word in _WORD.findall(_folded(text)))


def _addresses(text: str) -> Iterator[AddressKey]:
    """The addresses in a text: each as it stands there, and up to where another script begins."""
    for pattern in (_ADDRESS, _BARE_ADDRESS):
        for found in pattern.findall(text):
            yield _key(found.strip(_AROUND))
            if ascii_part := _ASCII.match(found):
                yield _key(ascii_part[0].strip(_AROUND))


def _key(address: str) -> AddressKey:
    """What tells addresses apart: host and port, path, query. A fragment is sent nowhere."""
    full = address if "://" in address else f"https://{address}"
    try:
        parts = urlsplit(full)
    except ValueError:
        return (full, "", "")
    host = parts.netloc.casefold().removeprefix("www.")
    web = parts.scheme.casefold() in ("http", "https")
    return (host if web else f"{parts.scheme.casefold()}://{host}", parts.path.rstrip("/"), parts.query)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
