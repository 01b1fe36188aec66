"""Bytes as text when nobody says for sure in which encoding they are: by mark, by label, as UTF-8, or guessed."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DEFAULT = "cp1252"
"""What browsers take when nothing else is known."""
_STILL_WRITTEN = (
    *("windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256"),
    *("windows-1257", "koi8-r", "koi8-u", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"),
)
"""The encodings that programs of this century still write; DOS, Macintosh and mainframe ones only mislead a guess."""
_ALPHABETS = frozenset({"LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC"})
_WORD = re.compile(r"[^\W\d_]+")
_NO_TEXT = re.compile(r"[\0-\x08\x0e-\x19\x1c-\x1f]")
_LOOKED_AT = 20_000
_CLEARLY = 2
"""How much likelier than another encoding one must be to win against the default, or to be certain."""
_BAD = "\N{REPLACEMENT CHARACTER}"
_FEW = 10
"""One character in so many may be broken before a label is no longer believed."""


class Decoded(NamedTuple):
    """A text and the encoding it was in.

    Attributes:
        text: the text.
        encoding: a Python name.
        certain: whether the encoding is known, or so much likelier than all others that it may be written with.
    """

    text: str
    encoding: str
    certain: bool


def decode_text(raw: bytes, *labels: str, cut: bool = False) -> Decoded | None:
    """The text of some bytes: by byte order mark, by label, as UTF-8, or guessed.

    Labels are read as browsers read them (`latin1` is windows-1252). One that the bytes contradict is passed over, as
    are unknown ones; a broken character here and there is no contradiction.

    Args:
        raw: the bytes.
        labels: what others say about their encoding, the most trusted first.
        cut: whether the bytes may end in the middle of a character.

    Returns:
        None if they are no text in any encoding.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return Decoded(raw.decode(encoding, "replace"), encoding, certain=True)
    for codec in filter(None, (_codec(label) for label in labels)):
        text = _read(raw, codec, cut=cut)
        if _holds(text):
            return Decoded(text, codec.name, certain=True)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(raw, final=not cut)
    except UnicodeDecodeError:
        return _guessed(raw, cut=cut)
    return None if "\0" in text else Decoded(text, "utf-8", certain=True)


def _codec(label: str) -> codecs.CodecInfo | None:
    """The codec that browsers use for a label; None if they do not know it, or refuse to decode it."""
    import webencodings  # noqa: PLC0415 (most texts are UTF-8 without a label)

    encoding = webencodings.lookup(label)
    if encoding is None or encoding.name == "replacement":
        return None
    return codecs.lookup("gb18030") if encoding.name == "gbk" else encoding.codec_info  # as the standard decodes GBK


def _read(raw: bytes, codec: codecs.CodecInfo, *, cut: bool) -> str:
    return codec.incrementaldecoder("replace").decode(raw, final=not cut)


def _holds(text: str) -> bool:
    """Whether so few characters are broken that the encoding must be right all the same."""
    broken = text.count(_BAD)
    return not broken or broken * _FEW <= sum(not letter.isascii() for letter in text) - broken


def _guessed(raw: bytes, *, cut: bool) -> Decoded | None:
    """The likeliest encoding whose text holds no control characters and no words of two alphabets.

    The default of browsers is taken instead when it is nearly as likely. Encodings of the past count only where none
    of the present is possible.
    """
    if _NO_TEXT.search(raw.decode("latin-1")):
        return None
    candidates = list(_candidates(raw, _STILL_WRITTEN, cut=cut)) or list(_candidates(raw, None, cut=cut))
    if not candidates:
        return None
    chosen = candidates[0]
    for other in candidates:
        if other[0] == _DEFAULT and candidates[0][2] < _CLEARLY * other[2]:
            chosen = other
    encoding, text, likeness = chosen
    rivals = [other for _, other_text, other in candidates if other_text != text]
    return Decoded(text, encoding, certain=likeness >= _CLEARLY * max(rivals, default=0))


def _candidates(raw: bytes, among: Iterable[str] | None, *, cut: bool) -> Iterator[tuple[str, str, float]]:
    """Encodings (Python names) with the text and how likely it is, the likeliest first."""
    import chardet  # noqa: PLC0415 (most texts are UTF-8)

    found = chardet.detect_all(raw, ignore_threshold=True, include_encodings=among, no_match_encoding="windows-1252")
    for one in found:
        if one["encoding"] is None:
            continue
        codec = codecs.lookup(one["encoding"])
        try:
            text = codec.decode(raw, "ignore" if cut else "strict")[0]
        except UnicodeDecodeError:
            continue
        if not _mixes_alphabets(text[:_LOOKED_AT]):
            yield codec.name, text, one["confidence"]


def _mixes_alphabets(text: str) -> bool:
    """Whether words such as `cafй` or `kως` are more than the odd exception."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(len({_alphabet(letter) for letter in word} & _ALPHABETS) > 1 for word in words)
    return mixed * _FEW > len(words)


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
