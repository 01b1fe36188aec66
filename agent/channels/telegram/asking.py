"""Questions in the chat: shown once, answered by tap or words, and afterwards the message tells the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from telegramify_markdown import utf16_len

from agent.channels.telegram.destination import Destination
from agent.channels.telegram.records import Asked, Questions, token_of
from agent.channels.telegram.sending import Sender
from agent.channels.telegram.text import Part, Span, shorten
from agent.contracts import Question
from agent.errors import AnswerMisfitError

if TYPE_CHECKING:
    from agent.app import App

ANSWERED, CLOSED = "✅ {}", "⏹ This question is closed."
WRITE_IT = "✏️ Write your answer as a message."
TOO_OLD = "This button is too old. Ask again, please."
NOT_YOURS = "Only the person who was asked may answer."
TOAST = 180
OTHER = "other"
OTHER_LABEL = "Other…"
LONGEST_LABEL = 28
"""Longer choices are written out in the text, and the buttons carry their numbers."""
ROW_WIDTH = 30
NUMBERS_PER_ROW = 5
MAX_BUTTONS = 80
MAX_QUESTION, MAX_CHOICES_TEXT = 2000, 1400
PREFIX = "q"


class Asking:
    """The questions of one bot.

    Args:
        app: takes the answers.
        sender: shows and edits messages.
        questions: remembers which message shows which question.
    """

    def __init__(self, app: App, sender: Sender, questions: Questions) -> None:
        self._app = app
        self._sender = sender
        self._questions = questions

    async def show(self, dest: dict[str, Any], question: Question) -> None:
        """Shows a question, once, also when a run repeats it after a crash."""
        known = await self._questions.by_id(question.id)
        if known is not None and known.closed:
            return
        place = Destination.of(dest)
        await self._questions.add(question, place.chat_id)
        message_id = await self._sender.send(_key(question), _message(place, question))
        if message_id is not None:
            shown = await self._questions.shown(question.id, message_id)
            if shown is not None and shown.closed:  # while the message was on its way
                await self._show_end(shown)

    async def tapped(self, query: CallbackQuery, person: str) -> None:
        """Takes a tap; taps that come twice, late or from someone else are answered politely."""
        tap = parse_tap(query.data or "")
        known = await self._questions.by_token(tap.token) if tap else None
        asked = await self._in_message(known, query)
        if tap is None or asked is None:
            await self._toast(query, TOO_OLD)
        elif asked.closed:
            await self._toast(query, f"Already answered: {asked.choice}" if asked.choice else CLOSED)
            if asked != known:
                await self._show_end(asked)
        elif tap.choice is None:
            await self._await_words(query, asked, person)
        elif tap.choice >= len(asked.question.options):
            await self._toast(query, TOO_OLD)
        else:
            await self._choose(query, asked, asked.question.options[tap.choice], person)

    async def refuse(self, query: CallbackQuery) -> None:
        """Tells someone that the question is not theirs."""
        await self._toast(query, NOT_YOURS)

    async def answered(self, asked: Asked, text: str, person: str, *, key: str = "", untrusted: bool = False) -> bool:
        """Takes words as the answer to this question; False if the app does not. For the rest see `App.answer`."""
        await self._questions.choose(asked.question.id, text)
        try:
            taken = await self._app.answer(asked.question.id, text, person=person, key=key, untrusted=untrusted)
        except AnswerMisfitError:
            await self._questions.unchoose(asked.question.id)
            raise
        if not taken:
            if await self._is_open(asked):
                await self._questions.unchoose(asked.question.id)
                return False
            known = await self._questions.by_id(asked.question.id)
            taken = known is not None and known.choice == text
            await self.close(asked.question.id, "")
            return taken
        await self.close(asked.question.id, text)
        return True

    async def close(self, question_id: str, answer: str) -> None:
        """Takes the buttons away and shows the answer; harmless when that was done before."""
        asked = await self._questions.close(question_id, answer)
        if asked is not None:
            await self._show_end(asked)

    async def close_run(self, run_id: str) -> None:
        """Closes what is left of a run that ended."""
        for asked in await self._questions.open(run_id=run_id):
            await self.close(asked.question.id, "")

    async def settle(self) -> None:
        """Closes messages of questions that were answered or dropped while the bot was away, or just before."""
        for asked in await self._questions.to_be_shown():
            await self._show_end(asked)
        for asked in await self._questions.open():
            if not await self._is_open(asked):
                await self.close(asked.question.id, "")

    async def about(self, chat_id: int, reply_to: int | None, person: str) -> Asked | None:
        """The question that a text certainly answers: it replies to it, or "Other…" was tapped."""
        replied = await self._questions.by_message(chat_id, reply_to) if reply_to is not None else None
        return replied or await self._questions.awaited(chat_id, person)

    async def _in_message(self, asked: Asked | None, query: CallbackQuery) -> Asked | None:
        """The question in the message that was tapped: that it was sent could perhaps not be written down."""
        if asked is None or query.message is None or query.message.message_id == asked.message_id:
            return asked
        return await self._questions.shown(asked.question.id, query.message.message_id)

    async def _show_end(self, asked: Asked) -> None:
        if asked.message_id is None:  # the question was settled while its message was being sent
            method = _message(Destination(asked.chat_id), asked.question)
            asked = asked.model_copy(update={"message_id": await self._sender.found(_key(asked.question), method)})
        if asked.message_id is not None:
            footer = ANSWERED.format(asked.choice) if asked.choice else CLOSED
            await self._sender.surely(_edit(asked, footer), asked.chat_id)
        await self._questions.end_shown(asked)

    async def _choose(self, query: CallbackQuery, asked: Asked, choice: str, person: str) -> None:
        if await self.answered(asked, choice, person):
            await self._toast(query, "")
            return
        known = await self._questions.by_id(asked.question.id)
        if known is not None and known.closed:
            await self._toast(query, f"Already answered: {known.choice}" if known.choice else CLOSED)
        else:
            await self._toast(query, NOT_YOURS)

    async def _await_words(self, query: CallbackQuery, asked: Asked, person: str) -> None:
        if not await self._is_open(asked):
            await self.close(asked.question.id, "")
            await self._toast(query, CLOSED)
            return
        await self._questions.await_words(asked.question.id, asked.chat_id, person)
        await self._toast(query, WRITE_IT)
        await self._sender.surely(_edit(asked, WRITE_IT, buttons=True), asked.chat_id)

    async def _is_open(self, asked: Asked) -> bool:
        still = await self._app.questions(asked.question.session_id)
        return any(question.id == asked.question.id for question in still)

    async def _toast(self, query: CallbackQuery, text: str) -> None:
        method = AnswerCallbackQuery(callback_query_id=query.id, text=text[:TOAST] or None)
        await self._sender.perhaps_now(method, query.from_user.id)


def _key(question: Question) -> str:
    return f"question:{question.id}"


def _message(place: Destination, question: Question) -> SendMessage:
    part = question_part(question)
    return SendMessage(
        chat_id=place.chat_id,
        text=part.text,
        entities=part.entities(),
        reply_markup=keyboard_of(question),
        message_thread_id=place.thread_id,
    )


def _edit(asked: Asked, footer: str, *, buttons: bool = False) -> EditMessageText:
    part = question_part(asked.question, footer=footer)
    return EditMessageText(
        chat_id=asked.chat_id,
        message_id=asked.message_id,
        text=part.text,
        entities=part.entities(),
        reply_markup=keyboard_of(asked.question) if buttons else None,
    )


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
    """Reads callback data; None if it is not ours."""
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
    if not question.strict:
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
