"""Markdown as Telegram shows it: plain text with entities, in parts of at most 4096 UTF-16 units.

Entities carry the form, so nothing can fail to parse; a part that ends inside a code block ends its entity, and the
next part begins with the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aiogram.types import MessageEntity
from telegramify_markdown import RenderConfig, convert, utf16_len

MAX_UNITS = 4096
MAX_ENTITIES = 100
PRIVATE_USE = range(0xE000, 0xF8FF)
BREAKS = ("\n\n", "\n", " ")
"""Where a text is best cut, best first."""


@dataclass(frozen=True, slots=True)
class Span:
    """A form over a stretch of text; offset and length in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None

    def entity(self) -> MessageEntity:
        """The same as aiogram's type."""
        return MessageEntity(
            type=self.type, offset=self.offset, length=self.length, url=self.url, language=self.language
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One message's text and its forms."""

    text: str
    spans: tuple[Span, ...] = ()

    def entities(self) -> list[MessageEntity]:
        """The forms as aiogram's types; Telegram ignores more than 100."""
        return [span.entity() for span in self.spans[:MAX_ENTITIES]]


def render(markdown: str) -> Part:
    """Converts Markdown, whatever its length; what looks like HTML stays as it was written.

    Args:
        markdown: as a model or a task wrote it.
    """
    source = _clean(markdown)
    # One character stands in for "<" while Markdown is read, else tags in a person's text would vanish.
    stand_in = next(chr(code) for code in PRIVATE_USE if chr(code) not in source)
    text, found = convert(source.replace("<", stand_in), latex_escape=False, config=_symbols())
    spans = [
        Span(item.type, item.offset, item.length, _restored(item.url, stand_in), _restored(item.language, stand_in))
        for item in found
    ]
    return Part(text.replace(stand_in, "<"), tuple(spans))


def parts_of(markdown: str, *, limit: int = MAX_UNITS) -> list[Part]:
    """Markdown as messages, in order, none empty and none longer than `limit` UTF-16 units."""
    return split(render(markdown), limit)


def split(whole: Part, limit: int = MAX_UNITS) -> list[Part]:
    """Cuts at paragraphs, lines, words, or anywhere, whichever comes first and keeps a part at least half full.

    White space at a cut is dropped, as Telegram would do itself; nothing else is.
    """
    offsets = _offsets(whole.text)
    parts: list[Part] = []
    for start, end in pairwise(_cuts(whole.text, offsets, limit)):
        inner = whole.text[start:end]
        first = start + len(inner) - len(inner.lstrip())
        last = first + len(inner.strip())
        if first < last:
            spans = _clipped(whole.spans, offsets[first], offsets[last])
            parts.append(Part(whole.text[first:last], spans))
    return parts


def shorten(text: str, units: int) -> str:
    """The beginning of a text that fits into so many UTF-16 units, with "…" where it was cut."""
    if utf16_len(text) <= units:
        return text
    kept: list[str] = []
    left = units - 1
    for character in text:
        left -= utf16_len(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def _cuts(text: str, offsets: Sequence[int], limit: int) -> list[int]:
    cuts = [0]
    while offsets[-1] - offsets[cuts[-1]] > limit:
        start = cuts[-1]
        end = _last_within(offsets, start, limit)
        cuts.append(_best_cut(text, start, end))
    return [*cuts, len(text)]


def _last_within(offsets: Sequence[int], start: int, limit: int) -> int:
    """The largest index whose text from `start` fits; at least one character, so that it always goes on."""
    low, high = start + 1, min(len(offsets) - 1, start + limit)
    while low < high:
        middle = (low + high + 1) // 2
        if offsets[middle] - offsets[start] <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _best_cut(text: str, start: int, end: int) -> int:
    half = start + (end - start) // 2
    for mark in BREAKS:
        found = text.rfind(mark, half, end)
        if found > start:
            return found + len(mark)
    return end


def _clipped(spans: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    clipped: list[Span] = []
    for span in spans:
        first, last = max(span.offset, start), min(span.offset + span.length, end)
        if first < last:
            clipped.append(replace(span, offset=first - start, length=last - first))
    return tuple(clipped)


def _offsets(text: str) -> list[int]:
    """The UTF-16 offset of every character, and of the end."""
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + (2 if character > "\uffff" else 1))
    return offsets


def _clean(text: str) -> str:
    """Without lone surrogates and NUL, which neither the converter nor JSON can carry."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _restored(value: str | None, stand_in: str) -> str | None:
    return value.replace(stand_in, "<") if value else None


def _symbols() -> RenderConfig:
    """Plain headings and bullets instead of the library's pictures."""
    config = RenderConfig.isolated()
    symbols = config.markdown_symbol
    symbols.heading_level_1 = symbols.heading_level_2 = symbols.heading_level_3 = symbols.heading_level_4 = ""
    symbols.unordered_list_item = "•"
    symbols.task_uncompleted = "☐"
    return config
