"""MEMORY.md as text: dated lines that Aura adds, everything else the person's own and never touched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

HEADING = (
    "# Memory\n\nWhat Aura keeps in mind. You may edit this file; Aura only adds dated lines and moves old ones.\n\n"
)
LONGEST_FACT = 400
"""Characters of one fact."""
MOST_READ = 4000
"""Characters of memory that go into a prompt."""
_DATED = re.compile(r"^- \d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2\d|3[01]): (?P<fact>.+)$")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
_LETTER = re.compile(r"[a-zà-ÿа-яё]")
"""A letter by itself: the rest of `user's`, or `I`."""
_LEFT_OUT = "(older entries are left out here)"
_FRAME = frozenset(
    word
    for group in (
        ("the", "person", "user", "they", "their", "them", "his", "her", "this", "that", "with", "and", "from", "for"),
        ("is", "are", "was", "has", "have", "had", "does", "not", "born", "old", "years", "own", "owns", "about"),
        ("name", "named", "called", "live", "lives", "living", "work", "works", "speak", "speaks", "want", "wants"),
        ("like", "likes", "prefer", "prefers", "preferred", "favourite", "favorite", "birthday", "always", "never"),
    )
    for word in group
)
"""Words with which a fact may be phrased though the person did not use them."""


def words(text: str) -> list[str]:
    """The words of a text, for comparing: folded case, no punctuation, one per Chinese or Japanese character."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def cleaned(fact: str) -> str:
    """A fact as one line without control characters or Markdown at its beginning, at most LONGEST_FACT characters."""
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in fact)
    text = " ".join(text.split()).lstrip("-*#>•· ").rstrip(" .。;；")
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 1].rstrip() + "…"


def is_known(fact: str, memory: str) -> bool:
    """Whether a line of the memory already says it: the same words, or the fact's words in a row."""
    wanted = f" {' '.join(words(fact))} "
    return any(wanted in f" {' '.join(words(line))} " for line in memory.splitlines())


def stems_from(fact: str, source: str) -> bool:
    """Whether the fact's words are the source's: its numbers and most of its other words stand there.

    A small model invents facts, and a page may try to plant some; neither gets into the memory.
    """
    told = words(source)
    checked = [word for word in words(fact) if word not in _FRAME and not _LETTER.fullmatch(word)]
    found = [word for word in checked if any(_same(word, other) for other in told)]
    missing = [word for word in checked if word not in found]
    return (
        bool(found)
        and len(found) >= 2 * len(missing)
        and not any(letter.isdigit() for word in missing for letter in word)
    )


def _same(word: str, other: str) -> bool:
    """Equal, or two forms of one word; numbers must be equal."""
    if word == other or not (word + other).isalpha():
        return word == other
    shorter = min(len(word), len(other))
    stem = max(3, shorter - 2)
    return shorter >= stem and word[:stem] == other[:stem]


def with_facts(memory: str, facts: Sequence[str], today: date) -> str:
    """The text with one dated line per fact added at its end."""
    text = memory if memory.strip() else HEADING
    if not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"{dated(fact, today)}\n" for fact in facts)


def dated(fact: str, today: date) -> str:
    """One line of the memory."""
    return f"- {today.isoformat()}: {fact}"


def dated_lines(memory: str) -> list[str]:
    """The lines that Aura added, oldest first."""
    return [line for line in memory.splitlines() if _DATED.match(line)]


def fact_of(line: str) -> str:
    """The fact of a dated line."""
    match = _DATED.match(line)
    return match["fact"] if match else line


def date_of(line: str) -> date:
    """The date of a dated line."""
    return date.fromisoformat(line[2:12])


def replaced(memory: str, old: Sequence[str], new: Sequence[str]) -> str:
    """The text with the lines `old` gone, each as often as it is named, and `new` where the first of them stood."""
    left = list(old)
    kept: list[str] = []
    for line in memory.splitlines():
        if line not in left:
            kept.append(line)
            continue
        if len(left) == len(old):
            kept.extend(new)
        left.remove(line)
    return "\n".join(kept) + "\n"


def bounded(memory: str, limit: int = MOST_READ) -> str:
    """The memory for a prompt: the person's own lines first of all, then Aura's from the newest back, in file order."""
    if len(memory) <= limit:
        return memory
    lines = memory.splitlines()
    own = [index for index, line in enumerate(lines) if not _DATED.match(line)]
    auras = [index for index, line in enumerate(lines) if _DATED.match(line)]
    room = limit - len(_LEFT_OUT) - 1
    kept: list[int] = []
    for index in [*own, *reversed(auras)]:
        cost = len(lines[index]) + 1
        if cost <= room:
            room -= cost
            kept.append(index)
    return "\n".join([*(lines[index] for index in sorted(kept)), _LEFT_OUT])
