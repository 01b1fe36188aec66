"""Requests that point at something nobody named: "translate it", with no conversation before it."""

from __future__ import annotations

import re

from agent.contracts import PlanStep
from agent.phrases import Language, language_of, phrase

_ENGLISH = re.compile(
    r"\W*(?:(?:please|can|could|would|will|you|now|just|and|then|ok|okay|hey|aura)\W+)*"
    r"(?!is\b|was\b|are\b|were\b|does\b|did\b|has\b|like\b|love\b|what\b|who\b|how\b|why\b|when\b|where\b|i\b)[a-z]+\s+"
    r"(?P<it>it|this|that|them|these|those)\b"
    r"(?:\s+(?:into|to|in|as|for|with|please|now|again|back|and|text|file|document|page|article|letter|one)\b[^:\"]*)?\W*",
    re.IGNORECASE,
)
_RUSSIAN = re.compile(
    r"\W*(?:(?:пожалуйста|теперь|а|и|ну)\W+)*\w+(?:и|й|ь|те)\s+(?P<it>это|его|её|ее|их|этот|эту|эти|из него|из этого)\b"
    r"(?:\s+(?:на|в|во|как|для|с|и|пожалуйста|текст|файл|документ|письмо|статью)\b[^:«\"]*)?\W*",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"\W*(?=.*(?:请|請|帮|幫|一下|它|这个|这|那个))"
    r"(?:请|請|帮我|幫我|把)*(?P<it>它|这个|这|那个)?[\u4e00-\u9fff]{2,6}\W*"
)
PATTERNS: dict[Language, re.Pattern[str]] = {"en": _ENGLISH, "ru": _RUSSIAN, "zh": _CHINESE}


def pointed_at(request: str) -> str | None:
    """The word by which a request points at something that it does not name; None if it names what it is about.

    Only whole requests of that form count: a verb, the pointing word, and perhaps into what or for whom.
    """
    pattern = PATTERNS.get(language_of(request))
    match = pattern.fullmatch(request) if pattern else None
    return None if match is None else match["it"] or ""


def question_about(request: str, word: str) -> PlanStep:
    """The question to ask, as the only step of a plan."""
    language = language_of(request)
    text = phrase("which", language).format(word=word) if word else phrase("what", language)
    return PlanStep(id="ask", kind="ask_user", title=text, question=text)
