"""What the bot remembers: updates that came, messages that were sent, questions, cards, strangers.

All of it is documents, so that neither a restart nor a kill repeats or forgets anything. Runs and their answers are
recorded by the app; here is only what Telegram needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import TypeVar

from aiogram.types import Update
from pydantic import TypeAdapter, ValidationError

from agent.channels.telegram.destination import Destination
from agent.contracts import Contract, Question
from aura_core.ground.logger import get_logger
from aura_core.storage.documents import Document, Documents, Json, change

ValueT = TypeVar("ValueT")
INBOX = "telegram/inbox"
SENDINGS = "telegram/sendings"
MESSAGES = "telegram/messages"
QUESTIONS = "telegram/questions"
OPEN_QUESTIONS = "telegram/open_questions"
CARDS = "telegram/cards"
GUESTS = "telegram/guests"

KEPT_SECONDS = 90 * 86_400
KEPT_UPDATES = 10_000
DAY_SECONDS = 86_400
SUPERGROUPS_BELOW = -(10**12)
UNDELIVERABLE = -1
LARGEST_MESSAGE_ID = 10**12


def _read(kind: type[ValueT], document: Document | None) -> ValueT | None:
    """What a document holds; None if that is nothing, or cannot be read: this is logged, and stops nothing else."""
    if document is None or (document.value is None and not document.damage):
        return None
    try:
        return _adapter(kind).validate_python(document.value)
    except ValidationError as error:
        reason = document.damage or error.errors()[0]["msg"]
        get_logger(__name__).error("record_unreadable", kind=kind.__name__, key=document.key, reason=reason)
        return None


@cache
def _adapter(kind: type[ValueT]) -> TypeAdapter[ValueT]:
    return TypeAdapter(kind)


class Records:
    """Everything that is remembered, by what it is about.

    Args:
        documents: where it is kept.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.inbox = Inbox(documents)
        self.sendings = Sendings(documents)
        self.questions = Questions(documents)
        self.cards = Cards(documents)
        self.guests = Guests(documents)

    async def forget(self) -> None:
        """Forgets what no restart can need any more: all that did not change for 90 days and is over."""
        await self.inbox.forget()
        await self.questions.keep_open()
        before = time.time() - KEPT_SECONDS
        for namespace in (SENDINGS, MESSAGES, QUESTIONS, GUESTS):
            await self._documents.forget(namespace, before)


class Inbox:
    """Updates that arrived. Of one that was handled only the number is left, so that it is not taken twice.

    The key is the number, padded so that documents come in the order of the updates; the value is the update, or None.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def put(self, update: Update) -> bool:
        """Stores an update; False if it came before."""
        body = update.model_dump(mode="json", exclude_none=True)
        return await self._documents.put(INBOX, _inbox_key(update.update_id), body, expected=0) is not None

    async def done(self, update_id: int) -> None:
        """The update was handled."""
        await self._documents.put(INBOX, _inbox_key(update_id), None)

    async def unhandled(self) -> list[Update]:
        """Updates that a killed process left behind, oldest first."""
        documents = await self._documents.list(INBOX)
        return [update for document in documents if (update := _read(Update, document)) is not None]

    async def forget(self) -> None:
        """Keeps the numbers of the latest 10,000 updates, and whatever came since the oldest unhandled one."""
        documents = await self._documents.list(INBOX)
        if len(documents) > KEPT_UPDATES:
            kept = sorted(document.updated_at for document in documents)[-KEPT_UPDATES]
            waiting = (document.updated_at for document in documents if _read(Update, document) is not None)
            await self._documents.forget(INBOX, min([kept, *waiting]))


def _inbox_key(update_id: int) -> str:
    return f"{update_id:020d}"


@dataclass(frozen=True, slots=True)
class Sending:
    """One message that was begun.

    Attributes:
        after: the newest message id that was known then.
        message_id: the message; None while it is not known whether it arrived; -1 if Telegram will not take it.
    """

    after: int = 0
    message_id: int | None = None


class Sendings:
    """What was sent under which key, and which messages exist."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def get(self, key: str) -> Sending | None:
        """The sending of that key, if it was begun."""
        return _read(Sending, await self._documents.get(SENDINGS, key))

    async def begin(self, key: str, chat_id: int) -> Sending:
        """Remembers that a message is about to be sent."""
        sending = Sending(after=await self.newest(chat_id))
        await self._documents.put(SENDINGS, key, asdict(sending))
        return sending

    async def end(self, key: str, chat_id: int, message_id: int) -> None:
        """Remembers how it ended."""
        ended = self._documents.put(SENDINGS, key, asdict(Sending(message_id=message_id)))
        if message_id == UNDELIVERABLE:
            await ended
        else:
            await asyncio.gather(ended, self.record_message(chat_id, message_id))  # both in one commit

    async def record_message(self, chat_id: int, message_id: int) -> None:
        """Remembers that a message exists (seed 004)."""
        await self._documents.put(MESSAGES, _message_key(chat_id, message_id), message_id)

    async def newest(self, chat_id: int) -> int:
        """The newest message id known in the chat's numbering; 0 if none is."""
        found = await self._documents.list(MESSAGES, prefix=_numbering(chat_id), limit=1)
        return LARGEST_MESSAGE_ID - int(found[0].key.rpartition("/")[2]) if found else 0

    async def unknown_after(self, chat_id: int, after: int, count: int) -> list[int]:
        """Those of the next `count` message ids after `after` that no known message has."""
        numbers = range(after + 1, after + 1 + count)
        found = await asyncio.gather(
            *(self._documents.get(MESSAGES, _message_key(chat_id, number)) for number in numbers)
        )
        return [number for number, known in zip(numbers, found, strict=True) if known is None]


def _numbering(chat_id: int) -> str:
    """The numbering of a chat's messages: a supergroup has its own, all other chats share one."""
    return f"{chat_id}/" if chat_id < SUPERGROUPS_BELOW else "shared/"


def _message_key(chat_id: int, message_id: int) -> str:
    """Sorts the newest message of a numbering first."""
    return f"{_numbering(chat_id)}{LARGEST_MESSAGE_ID - message_id:012d}"


class Asked(Contract):
    """A question that was shown.

    Attributes:
        question: the question.
        chat_id: where.
        message_id: in which message; None while that is not known.
        choice: what was tapped or written, as soon as it is known.
        awaited_from: the person who tapped "Other…" last, as `channel:id`; empty if nobody did.
        closed: whether it is over.
    """

    question: Question
    chat_id: int
    message_id: int | None = None
    choice: str | None = None
    awaited_from: str = ""
    closed: bool = False


def token_of(question_id: str) -> str:
    """A short name of a question for callback data, which holds 64 bytes; the same after a restart."""
    return hashlib.sha256(question_id.encode()).hexdigest()[:20]


class Questions:
    """Which question stands in which message, so that an old button still works.

    A question is a document under its token. Until its message shows that it is over, it is also listed, under its chat
    and token, with its run as the value.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def add(self, question: Question, chat_id: int) -> None:
        """Remembers a question before it is shown; a second time changes nothing."""
        token, asked = token_of(question.id), Asked(question=question, chat_id=chat_id)
        await self._documents.put(QUESTIONS, token, asked.model_dump(mode="json"), expected=0)
        await self._documents.put(OPEN_QUESTIONS, f"{chat_id}/{token}", question.run_id)

    async def shown(self, question_id: str, message_id: int) -> Asked | None:
        """Remembers the question's message; returns the question as it stands now."""
        _, asked = await self._change(question_id, lambda found: {**found, "message_id": message_id})
        return asked

    async def by_token(self, token: str) -> Asked | None:
        """The question of a button."""
        return _read(Asked, await self._documents.get(QUESTIONS, token))

    async def by_id(self, question_id: str) -> Asked | None:
        """The question of that id, if this channel showed it."""
        return await self.by_token(token_of(question_id))

    async def by_message(self, chat_id: int, message_id: int) -> Asked | None:
        """The open question that a message shows."""
        return next((asked for asked in await self.open(chat_id) if asked.message_id == message_id), None)

    async def awaited(self, chat_id: int, person: str) -> Asked | None:
        """The open question whose "Other…" this person tapped last."""
        return next((asked for asked in await self.open(chat_id) if asked.awaited_from == person), None)

    async def open(self, chat_id: int | None = None, run_id: str = "") -> list[Asked]:
        """Questions that are not over, of a chat, of a run or of all."""
        return [asked for asked in await self._listed(chat_id, run_id) if not asked.closed]

    async def to_be_shown(self) -> list[Asked]:
        """Questions that are over and whose message may not show it: a kill came in between."""
        return [asked for asked in await self._listed() if asked.closed]

    async def _listed(self, chat_id: int | None = None, run_id: str = "") -> list[Asked]:
        entries = await self._documents.list(OPEN_QUESTIONS, prefix="" if chat_id is None else f"{chat_id}/")
        questions: list[Asked] = []
        for entry in entries:
            if run_id not in ("", entry.value):
                continue
            asked = await self.by_token(entry.key.rpartition("/")[2])
            if asked is None:  # damaged, which is logged once
                await self._documents.delete(OPEN_QUESTIONS, entry.key)
            else:
                questions.append(asked)
        return questions

    async def choose(self, question_id: str, choice: str) -> None:
        """Remembers what was tapped, before the app is told, so that a restart in between can still show it."""
        await self._change(question_id, lambda found: {**found, "choice": found["choice"] or choice})

    async def unchoose(self, question_id: str) -> None:
        """Forgets a tap that the app did not take."""
        await self._change(question_id, lambda found: found if found["closed"] else {**found, "choice": None})

    async def await_words(self, question_id: str, chat_id: int, person: str) -> None:
        """The person's next plain text answers this question, and no other."""
        if (before := await self.awaited(chat_id, person)) is not None:
            await self._change(before.question.id, lambda found: {**found, "awaited_from": ""})
        await self._change(question_id, lambda found: {**found, "awaited_from": person})

    async def close(self, question_id: str, answer: str) -> Asked | None:
        """Closes a question; None if it was closed before or is unknown. The answer that was given stays."""
        before, asked = await self._change(
            question_id,
            lambda found: found if found["closed"] else {**found, "closed": True, "choice": answer or found["choice"]},
        )
        return None if before is None or before.closed else asked

    async def end_shown(self, asked: Asked) -> None:
        """The question's message shows that it is over."""
        await self._documents.delete(OPEN_QUESTIONS, f"{asked.chat_id}/{token_of(asked.question.id)}")

    async def keep_open(self) -> None:
        """Marks open questions as changed now, so that they are not forgotten while they wait."""
        for asked in await self.open():
            found = await self._documents.get(QUESTIONS, token_of(asked.question.id))
            if found is not None:
                await self._documents.put(QUESTIONS, found.key, found.value, expected=found.revision)

    async def _change(self, question_id: str, changed: Callable[[Json], Json]) -> tuple[Asked | None, Asked | None]:
        """Changes a question that is there and can be read; it before and after."""
        token = token_of(question_id)
        if await self.by_token(token) is None:
            return None, None
        before, after = await change(self._documents, QUESTIONS, token, lambda found: found and changed(found))
        return before and Asked.model_validate(before), after and Asked.model_validate(after)


class Cards:
    """Cards that look alive in a chat, by their run."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def add(self, run_id: str, place: Destination) -> None:
        """Remembers where a card is about to be shown."""
        await self._documents.put(CARDS, run_id, asdict(place))

    async def remove(self, run_id: str) -> None:
        """The card shows that the run is over."""
        await self._documents.delete(CARDS, run_id)

    async def alive(self) -> dict[str, Destination]:
        """Where the card of each run is."""
        documents = await self._documents.list(CARDS)
        return {it.key: place for it in documents if (place := _read(Destination, it)) is not None}


class Guests:
    """Strangers who were told how the owner lets them in."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def may_be_told(self, user_id: int) -> bool:
        """Whether a stranger was not told within a day; if so, it counts as done now."""
        known = await self._documents.get(GUESTS, str(user_id))
        if known is not None and time.time() - known.updated_at < DAY_SECONDS:
            return False
        revision = 0 if known is None else known.revision
        return await self._documents.put(GUESTS, str(user_id), value=True, expected=revision) is not None
