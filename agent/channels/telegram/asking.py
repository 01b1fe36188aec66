"""Questions in the chat: shown once, answered by tap or words, and afterwards the message tells the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import CallbackQuery

from agent.channels.telegram.destination import Destination
from agent.channels.telegram.keyboard import keyboard_of, parse_tap, question_part
from agent.channels.telegram.question_book import Asked, QuestionBook
from agent.channels.telegram.sending import Sender
from agent.contracts import Question

if TYPE_CHECKING:
    from agent.app import App

ANSWERED, CLOSED = "✅ {}", "⏹ This question is closed."
WRITE_IT = "✏️ Write your answer as a message."
TOO_OLD = "This button is too old. Ask again, please."
NOT_YOURS = "Only the person who was asked may answer."
TOAST = 180


class Asking:
    """The questions of one bot.

    Args:
        app: takes the answers.
        sender: shows and edits messages.
        book: remembers which message shows which question.
    """

    def __init__(self, app: App, sender: Sender, book: QuestionBook) -> None:
        self._app = app
        self._sender = sender
        self._book = book

    async def show(self, dest: dict[str, Any], question: Question) -> None:
        """Shows a question, once, also when a run repeats it after a crash."""
        if self._closed(question) is not None:
            return
        place = Destination.of(dest)
        self._book.add(question, place.chat_id)
        part = question_part(question)
        method = SendMessage(
            chat_id=place.chat_id,
            text=part.text,
            entities=part.entities(),
            reply_markup=keyboard_of(question),
            message_thread_id=place.thread_id,
        )
        message_id = await self._sender.send(f"question:{question.id}", method)
        if message_id is not None:
            self._book.shown(question.id, message_id)
            if (known := self._closed(question)) is not None:  # while the message was on its way
                await self._show_end(known)

    def _closed(self, question: Question) -> Asked | None:
        known = self._book.by_id(question.id)
        return known if known is not None and known.closed else None

    async def tapped(self, query: CallbackQuery, person: str) -> None:
        """Takes a tap; taps that come twice, late or from someone else are answered politely."""
        tap = parse_tap(query.data or "")
        known = self._book.by_token(tap.token) if tap else None
        asked = self._in_message(known, query)
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

    async def answered(self, asked: Asked, text: str, person: str) -> bool:
        """Takes words as the answer to this question; False if the app does not."""
        self._book.choose(asked.question.id, text)
        if not await self._app.answer(asked.question.id, text, person=person):
            if await self._is_open(asked):
                self._book.unchoose(asked.question.id)
                return False
            known = self._book.by_id(asked.question.id)
            taken = known is not None and known.choice == text
            await self.close(asked.question.id, "")
            return taken
        await self.close(asked.question.id, text)
        return True

    async def close(self, question_id: str, answer: str) -> None:
        """Takes the buttons away and shows the answer; harmless when that was done before."""
        asked = self._book.close(question_id, answer)
        if asked is not None and asked.message_id is not None:
            await self._show_end(asked)

    async def close_run(self, run_id: str) -> None:
        """Closes what is left of a run that ended."""
        for asked in self._book.open(run_id):
            await self.close(asked.question.id, "")

    async def settle(self) -> None:
        """Closes messages of questions that were answered or dropped while the bot was away."""
        for asked in self._book.open():
            if not await self._is_open(asked):
                await self.close(asked.question.id, "")

    def about(self, chat_id: int, reply_to: int | None, person: str) -> Asked | None:
        """The question that a text certainly answers: it replies to it, or "Other…" was tapped."""
        replied = self._book.by_message(chat_id, reply_to) if reply_to is not None else None
        return replied or self._book.awaited(chat_id, person)

    def _in_message(self, asked: Asked | None, query: CallbackQuery) -> Asked | None:
        """The question in the message that was tapped: that it was sent could perhaps not be written down."""
        if asked is None or query.message is None or query.message.message_id == asked.message_id:
            return asked
        self._book.shown(asked.question.id, query.message.message_id)
        return self._book.by_id(asked.question.id)

    async def _show_end(self, asked: Asked) -> None:
        footer = ANSWERED.format(asked.choice) if asked.choice else CLOSED
        await self._sender.surely(_edit(asked, footer), asked.chat_id)

    async def _choose(self, query: CallbackQuery, asked: Asked, choice: str, person: str) -> None:
        if await self.answered(asked, choice, person):
            await self._toast(query, "")
            return
        known = self._book.by_id(asked.question.id)
        if known is not None and known.closed:
            await self._toast(query, f"Already answered: {known.choice}" if known.choice else CLOSED)
        else:
            await self._toast(query, NOT_YOURS)

    async def _await_words(self, query: CallbackQuery, asked: Asked, person: str) -> None:
        if not await self._is_open(asked):
            await self.close(asked.question.id, "")
            await self._toast(query, CLOSED)
            return
        self._book.await_words(asked.question.id, asked.chat_id, person)
        await self._toast(query, WRITE_IT)
        await self._sender.surely(_edit(asked, WRITE_IT, buttons=True), asked.chat_id)

    async def _is_open(self, asked: Asked) -> bool:
        still = await self._app.questions(asked.question.session_id)
        return any(question.id == asked.question.id for question in still)

    async def _toast(self, query: CallbackQuery, text: str) -> None:
        method = AnswerCallbackQuery(callback_query_id=query.id, text=text[:TOAST] or None)
        await self._sender.perhaps_now(method, query.from_user.id)


def _edit(asked: Asked, footer: str, *, buttons: bool = False) -> EditMessageText:
    part = question_part(asked.question, footer=footer)
    return EditMessageText(
        chat_id=asked.chat_id,
        message_id=asked.message_id,
        text=part.text,
        entities=part.entities(),
        reply_markup=keyboard_of(asked.question) if buttons else None,
    )
