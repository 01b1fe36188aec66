"""The few words that code itself says in an answer, in the language of the request where it is known."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "ru", "zh", "other"]
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")
_ENGLISH = re.compile(
    r"\b(?:the|a|an|is|are|what|how|when|who|where|why|which|my|me|i|you|it|to|of|and|in|on|for|please|show|list|make|"
    r"write|save|read|find|get|send|explain|fix|open|tell|do|add|delete|convert|translate|fetch|then|this|that|hello|hi|thanks?|yes|no)\b",
    re.IGNORECASE,
)
PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "failed": "did not work",
        "blocked": "not done because of that",
        "files": "Files",
        "nothing": "There is no result.",
        "unserved": "I did not do: “{parts}”.",
        "incomplete": "(This text is incomplete: the model stopped before its end.)",
    },
    "ru": {
        "failed": "не получилось",
        "blocked": "поэтому не сделано",
        "files": "Файлы",
        "nothing": "Результата нет.",
        "unserved": "Не сделано: «{parts}».",
        "incomplete": "(Текст неполный: модель остановилась, не дописав его.)",
    },
    "zh": {
        "failed": "没有成功",
        "blocked": "因此没有执行",
        "files": "文件",
        "nothing": "没有结果。",
        "unserved": "没有做：“{parts}”。",
        "incomplete": "（这段文字不完整：模型没有写完就停止了。）",
    },
}


def language_of(text: str) -> Language:
    """The language of a request, as far as its letters and little words tell."""
    letters = len(_LETTER.findall(text))
    if _KANA.search(text):
        return "other"
    if 2 * len(_CYRILLIC.findall(text)) > letters:
        return "ru"
    if 3 * len(_HAN.findall(text)) > letters:
        return "zh"
    return "en" if not letters or (text.isascii() and _ENGLISH.search(text)) else "other"


def name_of(language: Language) -> str:
    """The language's English name, for a prompt; empty if it is not known."""
    return {"en": "English", "ru": "Russian", "zh": "Chinese"}.get(language, "")


def phrase(name: str, language: Language) -> str:
    """One of `PHRASES`; English where the language has none."""
    return PHRASES.get(language, PHRASES["en"])[name]
