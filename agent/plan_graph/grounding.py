"""Whether a value stems from the person's words, memory, files or an earlier result, or was invented.

Small models invent addresses and file names. What they invent is not used; the person is asked instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, cast

from agent.plan_graph.values import choices

URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'`]+|\b(?:[\w-]+\.)+(?:[a-z]{2,})(?::\d+)?(?:/[^\s<>\"'`]*)?", re.IGNORECASE
)
"""An address in a text, also without its scheme."""
_NO_NAME = r"\s<>\"'`:;,()/，。；：！？、"
FILE_NAME = re.compile(rf"(?<![^{_NO_NAME}])[^{_NO_NAME}]+(?:/[^{_NO_NAME}]+)*\.[A-Za-z][A-Za-z0-9]{{0,5}}\b")
"""Something that looks like a file name with an extension."""
SPEAKS_OF_FILES = re.compile(
    r"\b(?:files?|documents?|tables?|folder|datei|fichier|archivo)\b|файл|документ|таблиц|文件|文档|表格", re.IGNORECASE
)
_POINTS = re.compile(
    r"\b(?:it|this|that|them|these|those)\b|\b(?:это|этот|эту|эти|его|её|ее|их|из него)\b|它|这|請|请.*一下",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:(?<![\w)])[+-])?(?<![A-Za-z\d])\d+(?:[.,]\d+)*")
"""A number in a text: "3.20", "1,000", -5; not the one in "mp3"."""
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
PATH_FORMATS = ("path", "file-path")
_WORD = re.compile(r"[^\W_]+")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
SHORTEST_NAME = 3
"""Letters that a word of a file's name needs to be recognised in a sentence."""
_TRAILING = ".,;:!?)]}>»”’。，；：！？）】》"


@dataclass(frozen=True, slots=True)
class KnownWords:
    """Everything that a grounded value may stem from.

    Attributes:
        request: the person's words now.
        background: memory, earlier words of the conversation, earlier results, as one text.
        files: names of the session's files. That a file is there does not mean that the person speaks of it.
    """

    request: str
    background: str = ""
    files: Sequence[str] = ()

    @property
    def said(self) -> str:
        """Everything that was said, as one text."""
        return f"{self.request}\n{self.background}"

    @property
    def text(self) -> str:
        """Everything that was said, and the files that are meant by it."""
        return "\n".join([self.said, *mentioned_files(self)])


def mentioned_files(known: KnownWords) -> list[str]:
    """The files that the person speaks of: by name, by a word of the name, by an ending that only one of them has.

    If there is only one file at all, "the file" and "it" mean that one.
    """
    if len(known.files) == 1 and (SPEAKS_OF_FILES.search(known.request) or _POINTS.search(known.request)):
        return list(known.files)
    said = _squeezed(known.said)
    endings = [PurePosixPath(file.casefold()).suffix.lstrip(".") for file in known.files]
    return [
        file
        for file, ending in zip(known.files, endings, strict=True)
        if _stem_said(file, said) or (endings.count(ending) == 1 and ending and _stands_in(ending, said))
    ]


def _stem_said(file: str, said: str) -> bool:
    """Whether a word of the file's name is said, or one that begins or ends a little differently: report, reports."""
    words = _WORD.findall(PurePosixPath(file.casefold()).stem.replace("_", " "))
    long_enough = [word for word in words if len(word) >= SHORTEST_NAME or _WIDE.search(word)]
    return any(
        _stands_in(word, said) or _stands_in(word.rstrip("s"), said) or f" {word}" in said for word in long_enough
    )


def is_grounded(value: Any, known: KnownWords) -> bool:
    """Whether every part of a value is found in what is known.

    A short text (a name, a file) must stand there; of a longer one, every word must. A number must be one of the
    numbers there, however it is written: 3.20 is 3.2, and 3 is not.
    """
    if isinstance(value, dict):
        return all(is_grounded(part, known) for part in cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        return all(is_grounded(part, known) for part in cast("list[Any]", value))
    if value is None or isinstance(value, bool):
        return True
    text = value if isinstance(value, str) else json.dumps(value)
    if numbers := _readings(text):
        return any(numbers & _readings(number) for number in _NUMBER.findall(known.text))
    if _looks_like_address(text):
        return _bare(text) in {_bare(match) for match in _addresses(known.text)}
    haystack = _squeezed(known.text)
    needle = _squeezed(text)
    return bool(needle) and (_stands_in(needle, haystack) or _all_words_in(needle, haystack))


def _readings(text: str) -> set[Decimal]:
    """The numbers that a text may mean as a whole: "1,000" is a thousand, or one; empty if it is no number."""
    plain = text.strip()
    if _NUMBER.fullmatch(plain) is None:
        return set()
    whole = {plain.replace(",", "")} if _THOUSANDS.fullmatch(plain) else set[str]()
    part = {plain.replace(",", ".")} if plain.count(",") + plain.count(".") <= 1 else set[str]()
    return {Decimal(one) for one in whole | part}


def candidates(schema: Mapping[str, Any], known: KnownWords) -> list[Any]:
    """Values for an input that stand in the request itself: its addresses, or the choices of an enum that it names.

    Only kinds of value that can be told apart without understanding the sentence; empty for all others.
    """
    if schema.get("format") in ("uri", "url"):
        found = [_completed(match) for match in _addresses(known.request) if _is_web(match)]
    elif allowed := choices(schema):
        words = _squeezed(without_names(known.request))
        found = [choice for choice in allowed if _stands_in(_squeezed(str(choice)), words)]
    elif schema.get("format") in PATH_FORMATS:
        found = named_files(known.request)
    else:
        found = []
    return list(dict.fromkeys(found))


def named_files(text: str) -> list[str]:
    """Everything in a text that reads like a file name with an ending; addresses do not."""
    plain = " ".join(part for part in text.split() if "://" not in part)
    return [name for match in FILE_NAME.findall(plain) if (name := match.rstrip(_TRAILING))]


def without_names(text: str) -> str:
    """The text without addresses and file names: `prices.csv` does not name the form csv."""
    return FILE_NAME.sub(" ", URL.sub(" ", text))


def known_file(value: Any, known: KnownWords) -> str | None:
    """The one known file that a slightly wrong name means: another case, a missing extension, a folder in front."""
    if not isinstance(value, str) or value in known.files:
        return None
    name = PurePosixPath(value.strip().casefold()).name
    hits = [file for file in known.files if PurePosixPath(file.casefold()).name == name]
    hits = hits or [file for file in known.files if PurePosixPath(file.casefold()).stem == name]
    return hits[0] if len(hits) == 1 else None


def _addresses(text: str) -> list[str]:
    return [match.rstrip(_TRAILING) for match in URL.findall(text)]


def _looks_like_address(text: str) -> bool:
    return re.match(r"(?:https?://|www\.)\S+$", text.strip(), re.IGNORECASE) is not None


def _is_web(address: str) -> bool:
    """`notes.txt` reads like a host; without scheme or path only what does not end like a file counts."""
    return "//" in address or "/" in address or not ends_like_a_file(address)


def ends_like_a_file(name: str) -> bool:
    """Whether a bare name has an ending that makes it a file and no host."""
    return name.rsplit(".", 1)[-1].casefold() in FILE_ENDINGS


FILE_ENDINGS = frozenset(
    {
        *("txt", "md", "csv", "json", "yaml", "yml", "xml", "ini", "toml", "log", "html", "htm", "py", "js", "pdf"),
        *("doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "png", "jpg", "jpeg", "gif", "webp", "mp3", "mp4", "zip"),
    }
)
"""Endings that make a bare word a file and no host."""


def _completed(address: str) -> str:
    return address if "://" in address else f"https://{address}"


def _bare(address: str) -> str:
    text = re.sub(r"^https?://", "", address.strip().rstrip(_TRAILING), flags=re.IGNORECASE)
    return re.sub(r"^www\.", "", text, flags=re.IGNORECASE).rstrip("/").casefold()


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text.casefold().replace("\\", "/").replace("_", " ")).strip(" \"'`«»“”")


def _stands_in(needle: str, haystack: str) -> bool:
    """Whether the words stand there as words: "art" is not in "party". Chinese and Japanese have no word borders."""
    if not needle:
        return False
    before = r"(?<![^\W_])" if needle[0].isalnum() and not _WIDE.match(needle[0]) else ""
    after = r"(?![^\W_])" if needle[-1].isalnum() and not _WIDE.match(needle[-1]) else ""
    return re.search(before + re.escape(needle) + after, haystack) is not None


def _all_words_in(needle: str, haystack: str) -> bool:
    words = _WORD.findall(needle)
    return bool(words) and all(_stands_in(word, haystack) for word in words)
