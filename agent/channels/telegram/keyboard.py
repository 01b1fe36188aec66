"""A question as a message: its text, its numbered choices, its buttons. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from telegramify_markdown import utf16_len

from agent.channels.telegram.text import Part, Span, shorten
from agent.contracts import Question

OTHER = "other"
OTHER_LABEL = "Other…"
LONGEST_LABEL = 28
"""Longer choices are written out in the text, and the buttons carry their numbers."""
ROW_WIDTH = 30
NUMBERS_PER_ROW = 5
MAX_BUTTONS = 80
MAX_QUESTION, MAX_CHOICES_TEXT = 2000, 1400
PREFIX = "q"


def token_of(question_id: str) -> str:
    """A short name of a question for callback data, which holds 64 bytes; the same after a restart."""
    return hashlib.sha256(question_id.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Tap:
    """What a button says.

    Attributes:
        token: of the question.
        choice: index of the option; None for "Other…".
    """

    token: str
    choice: int | None


def parse_tap(data: str) -> Tap | None:
    """Reads callback data; None if it is none of ours."""
    prefix, _, rest = data.partition(":")
    token, _, choice = rest.partition(":")
    if prefix != PREFIX or not token:
        return None
    if choice == OTHER:
        return Tap(token, None)
    return Tap(token, int(choice)) if choice.isdecimal() else None


def numbered(question: Question) -> bool:
    """Whether the choices are too long for buttons and stand in the text."""
    return any(utf16_len(option) > LONGEST_LABEL for option in question.options)


def keyboard_of(question: Question) -> InlineKeyboardMarkup | None:
    """The buttons; None for a question without choices."""
    if not question.options:
        return None
    token = token_of(question.id)
    labels = [str(number) if numbered(question) else option for number, option in enumerate(question.options, 1)]
    rows: list[list[InlineKeyboardButton]] = [[]]
    for index, label in enumerate(labels[:MAX_BUTTONS]):
        if rows[-1] and not _fits([button.text for button in rows[-1]], label):
            rows.append([])
        rows[-1].append(InlineKeyboardButton(text=label or "—", callback_data=f"{PREFIX}:{token}:{index}"))
    rows.append([InlineKeyboardButton(text=OTHER_LABEL, callback_data=f"{PREFIX}:{token}:{OTHER}")])
    return InlineKeyboardMarkup(inline_keyboard=rows)


def question_part(question: Question, *, footer: str = "") -> Part:
    """The question's text with its choices where they are too long for buttons, and a last line."""
    sign = "🔐" if question.purpose == "approval" else "❓"
    head = f"{sign} {shorten(question.text.strip() or 'What exactly do you mean?', MAX_QUESTION)}"
    lines = [head]
    if numbered(question):
        shown = question.options[:MAX_BUTTONS]
        share = MAX_CHOICES_TEXT // len(shown)
        lines += [f"{number}. {shorten(text, share)}" for number, text in enumerate(shown, 1)]
    if not question.options and not footer:
        footer = "Write your answer as a message."
    text = "\n".join(lines)
    if not footer:
        return Part(text)
    footer = shorten(footer, 200)
    return Part(f"{text}\n\n{footer}", (Span("italic", utf16_len(text) + 2, utf16_len(footer)),))


def _fits(row: list[str], label: str) -> bool:
    width = sum(utf16_len(text) + 2 for text in row) + utf16_len(label)
    return len(row) < NUMBERS_PER_ROW and width <= ROW_WIDTH
