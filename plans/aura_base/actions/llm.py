"""Work on text with the language model: `llm.summarise`, `llm.extract`, `llm.translate`, `llm.write`.

The instruction is the author's or the person's; the text to work on goes to the model as data, so that nothing that
stands in it is obeyed. A text longer than the model reads at once is worked on piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from aura_core.api import (
    ActionError,
    Context,
    IncompleteTextError,
    LanguageModelService,
    action,
    config,
    requires_services,
)

TOKENS_PER_WORD = 8
"""Generous, since what is cut off is of no use: models write more than they are told to, and some scripts cost more."""
CHARS_PER_TOKEN = 2
SHORTEST_ANSWER = 256
LONGEST_ANSWER = 2_000
SHORTEST_PIECE = 500
"""Characters below which a piece is not halved when the model's answer to it was cut off."""
_FENCE = re.compile(r"```[\w-]*\n(.*?)\n?```", re.DOTALL)
_ITEMS: dict[str, Any] = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"type": "string"}}},
    "required": ["items"],
    "additionalProperties": False,
}


def pieces(text: str, size: int) -> list[str]:
    """Cuts a text into pieces of at most `size` characters, between paragraphs, lines, sentences or words.

    Joined again with nothing between them, the pieces are the text.
    """
    parts: list[str] = []
    start = 0
    while len(text) - start > size:
        window = text[start : start + size]
        cut = next(
            (at + len(mark) for mark in ("\n\n", "\n", ". ", "。", " ") if (at := window.rfind(mark)) > size // 3), size
        )
        parts.append(text[start : start + cut])
        start += cut
    return [*parts, text[start:]]


def _checked(text: str) -> list[str]:
    if not text.strip():
        raise ActionError("There is no text to work on; pass the text itself, e.g. the result of an earlier step.")
    longest: int = config("llm.max_chars", 72_000)
    if len(text) > longest:
        raise ActionError(f"The text has {len(text):,} characters; at most {longest:,} are worked on at once.")
    return pieces(text.strip(), config("llm.chunk_chars", 6_000))


def _plain(answer: Any) -> str:
    """The model's text without a code fence around all of it.

    Raises:
        ActionError: the model answered nothing.
    """
    text = str(answer).strip()
    if fenced := _FENCE.fullmatch(text):
        text = fenced[1].strip()
    if not text:
        raise ActionError("The model answered nothing; try again, or word the request differently.")
    return text


def _answer_tokens(chars: int) -> int:
    return max(SHORTEST_ANSWER, min(LONGEST_ANSWER, chars // CHARS_PER_TOKEN))


async def _each(
    parts: list[str], instruct: Callable[[str], str], llm: LanguageModelService, context: Context, max_tokens: int
) -> list[str]:
    """One model call a piece, one after the other: the embedded model has one slot, and order keeps budgets exact."""
    answers: list[str] = []
    for number, part in enumerate(parts, 1):
        place = f" (part {number} of {len(parts)})" if len(parts) > 1 else ""
        answers += await _halved(part, instruct(place), llm, context, max_tokens)
    return answers


async def _halved(
    part: str, instruction: str, llm: LanguageModelService, context: Context, max_tokens: int
) -> list[str]:
    """The answers to a piece: one, or those to its halves where one would be cut off by its bound."""
    try:
        return [_plain(await llm.write(instruction, data=part, max_tokens=max_tokens, run=context.run))]
    except IncompleteTextError:
        halves = pieces(part, -(-len(part) // 2) + 1)
        if len(part) < SHORTEST_PIECE or len(halves) == 1:
            raise
    return [text for half in halves for text in await _halved(half, instruction, llm, context, max_tokens)]


@action("llm.summarise")
@requires_services(llm="llm")
async def summarise(text: str, llm: LanguageModelService, context: Context, words: int = 80, focus: str = "") -> str:
    """Says in few words what a text says.

    Args:
        text: what is summarised; longer texts piece by piece, then the summaries together.
        llm: the language model.
        context: the running task's.
        words: about how long the summary may be.
        focus: what matters most; empty is everything.

    Returns:
        The summary, in the language of the text.
    """
    about = f" Dwell on: {focus.strip()}." if focus.strip() else ""

    def instruct(place: str) -> str:
        return (
            f"Summarise the text{place} in at most {words} words, in the language of the text.{about} "
            "State only what it says. Answer with the summary alone."
        )

    max_tokens = max(SHORTEST_ANSWER, min(LONGEST_ANSWER, words * TOKENS_PER_WORD))
    parts = _checked(text)
    while len(parts) > 1:
        summaries = await _each(parts, instruct, llm, context, max_tokens)
        shorter = pieces("\n\n".join(summaries), config("llm.chunk_chars", 6_000))
        if len(shorter) >= len(parts):
            return "\n\n".join(summaries)
        parts = shorter
    return "\n\n".join(await _each(parts, instruct, llm, context, max_tokens))


@action("llm.extract")
@requires_services(llm="llm")
async def extract(text: str, what: str, llm: LanguageModelService, context: Context) -> dict[str, Any]:
    """Takes out of a text everything of a kind.

    Args:
        text: where to look.
        what: e.g. "e-mail addresses", "the tasks and who does them".
        llm: the language model.
        context: the running task's.

    Returns:
        `{count, items, text}`: the items in order, each once, and as a list in Markdown.
    """
    found: dict[str, None] = {}
    for part in _checked(text):
        answer = await llm.write(
            f"List every one of these that the text holds: {what.strip()}. Copy each exactly as it stands there. "
            'Answer with JSON {"items": […]}; an empty list if there is none.',
            data=part,
            schema=_ITEMS,
            max_tokens=_answer_tokens(len(part)),
            run=context.run,
        )
        items = cast("dict[str, list[str]]", answer).get("items", [])
        found |= dict.fromkeys(item.strip() for item in items if item.strip())
    shown = "\n".join(f"- {item}" for item in found) or f"The text holds none: {what.strip()}."
    return {"count": len(found), "items": list(found), "text": shown}


@action("llm.translate")
@requires_services(llm="llm")
async def translate(text: str, language: str, llm: LanguageModelService, context: Context) -> str:
    """Translates a text.

    Args:
        text: what is translated; longer texts piece by piece.
        language: into which language, e.g. "German".
        llm: the language model.
        context: the running task's.

    Returns:
        The translation, paragraphs as in the text.
    """
    parts = _checked(text)
    answers = await _each(
        parts,
        lambda _: (
            f"Translate the text into {language.strip()}. Keep its paragraphs. Answer with the translation alone."
        ),
        llm,
        context,
        LONGEST_ANSWER,
    )
    return "\n\n".join(answers)


@action("llm.write")
@requires_services(llm="llm")
async def write(instruction: str, llm: LanguageModelService, context: Context, data: str = "", words: int = 0) -> str:
    """Writes a new text.

    Args:
        instruction: what to write, e.g. "a haiku about rain".
        llm: the language model.
        context: the running task's.
        data: what it shall be based on, e.g. the result of an earlier step.
        words: about how long; 0 leaves it open.

    Returns:
        The text.
    """
    if not instruction.strip():
        raise ActionError("What shall be written? The instruction is empty.")
    if data.strip():
        (data, *more) = _checked(data)
        if more:
            raise ActionError("The text to write from is too long for one go; summarise it first.")
    length = f"\nWrite about {words} words." if words else ""
    answer = await llm.write(
        f"{instruction.strip()}{length}\nAnswer with the text alone, without an introduction or remarks.",
        data=data.strip(),
        max_tokens=max(SHORTEST_ANSWER, words * TOKENS_PER_WORD) if words else None,
        run=context.run,
    )
    return _plain(answer)
