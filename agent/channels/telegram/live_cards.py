"""The live card: one message per run, edited while the run goes on, folded when it is over; and "typing" meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from aiogram.methods import EditMessageText, SendChatAction

from agent.channels.telegram.asking import Asking
from agent.channels.telegram.background import logged
from agent.channels.telegram.card import Card
from agent.channels.telegram.destination import Destination
from agent.channels.telegram.sending import Sender
from agent.channels.telegram.store import Store
from agent.channels.telegram.text import Part
from agent.channels.telegram.transport import NO_PREVIEW, message
from agent.progress import Progress, QuestionClosed, RunEnded
from aura_core.errors import RunNotFoundError
from aura_core.ground.events import Subscription

if TYPE_CHECKING:
    from agent.app import App

REDRAW_SECONDS = 1.2
TYPING_SECONDS = 4.0
SILENT_SECONDS = 900.0
"""A run that says nothing for so long shows no "typing" any more."""
LOOK_AFTER_SECONDS = 15.0
"""A run that works and says nothing for so long is looked up: it may have broken off without a word."""
BROKE_OFF = "This request could not be finished because of an error on my side; it is in the log. Please try again."
REMEMBERED_RUNS = 200
"""Runs that ended: what they still say while they tidy up draws no new card."""


class CardBook:
    """Which runs have a card, and where: kept over restarts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def expect(self, run_id: str, dest: dict[str, Any]) -> None:
        """Remembers where a run's card belongs."""
        self._store.run(
            "INSERT OR IGNORE INTO cards (run_id, dest, at) VALUES (?, ?, ?)", run_id, json.dumps(dest), time.time()
        )

    def place(self, run_id: str) -> Destination | None:
        """Where the run's card belongs, if that is known."""
        row = self._store.row("SELECT dest FROM cards WHERE run_id = ?", run_id)
        return Destination.of(json.loads(row["dest"])) if row else None

    def folded(self, run_id: str) -> None:
        """Remembers that the card is done with."""
        self._store.run("UPDATE cards SET folded = 1 WHERE run_id = ?", run_id)

    def unfolded(self) -> list[str]:
        """Runs whose card still looks alive."""
        return [row["run_id"] for row in self._store.rows("SELECT run_id FROM cards WHERE NOT folded")]


class LiveCard:
    """One run's card while the run goes on.

    Args:
        run_id: the run.
        fallback: where the card goes if no message began the run.
        app: where the run is looked up.
        sender: makes the calls.
        book: remembers where the card belongs.
    """

    def __init__(self, run_id: str, fallback: Destination, app: App, sender: Sender, book: CardBook) -> None:
        self.run_id = run_id
        self._app = app
        self.place = fallback
        self._card = Card()
        self._sender = sender
        self._book = book
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        self._shown: Part | None = None
        self._quiet = False
        self._heard = time.monotonic()

    def take(self, event: Progress) -> None:
        """Hears of the run."""
        self._card.take(event)
        self._heard = time.monotonic()
        self._changed.set()
        if self._card.ended is not None:
            self._over.set()

    def quiet(self) -> None:
        """The answer is on its way: no more "typing" for what is left to do after it."""
        self._quiet = self._card.phase == "answering"

    async def run(self) -> None:
        """Draws until the run is over, then folds."""
        self._book.expect(self.run_id, {"chat_id": self.place.chat_id})
        while not self._over.is_set():
            await self._type()
            await _either(self._over, REDRAW_SECONDS)
            if self._over.is_set():
                break
            self._changed.clear()
            await self._draw()
            await _either(self._changed, TYPING_SECONDS)
            await self._look()
        await fold(self.run_id, self._card, self.place, self._sender, self._book)

    async def _look(self) -> None:
        """Notices a run that broke off, and says so."""
        if not self._card.working or time.monotonic() - self._heard < LOOK_AFTER_SECONDS:
            return
        outcome = await self._app.run_detail(self.run_id)
        if outcome.status in ("running", "waiting") or self._over.is_set():
            return
        self._card = Card.of(outcome)
        self._over.set()
        if outcome.status == "error":
            place = self._place()
            await self._sender.once(f"{self.run_id}/broke-off", message(place, Part(BROKE_OFF)))

    async def _type(self) -> None:
        silent = time.monotonic() - self._heard > SILENT_SECONDS
        if self._card.working and not self._quiet and not silent:
            place = self._place()
            method = SendChatAction(chat_id=place.chat_id, action="typing", message_thread_id=place.thread_id)
            await self._sender.perhaps_now(method, place.chat_id)

    async def _draw(self) -> None:
        part = self._card.live()
        if part == self._shown:
            return
        place, key = self._place(), card_key(self.run_id)
        message_id = self._sender.message_of(key)
        if message_id is None:
            shown = await self._sender.once(key, message(place, part)) is not None
        else:
            shown = await self._sender.perhaps(_edit(place, message_id, part), place.chat_id)
        if shown:
            self._shown = part

    def _place(self) -> Destination:
        self.place = self._book.place(self.run_id) or self.place
        return self.place


class LiveCards:
    """The cards of all runs of this channel.

    Args:
        app: where runs are looked up.
        sender: makes the calls.
        book: remembers where the cards belong.
        asking: its questions close when a run closes them.
    """

    def __init__(self, app: App, sender: Sender, book: CardBook, asking: Asking) -> None:
        self._app = app
        self._sender = sender
        self._book = book
        self._asking = asking
        self._live: dict[str, LiveCard] = {}
        self._ended: deque[str] = deque(maxlen=REMEMBERED_RUNS)

    async def watch(self, events: Subscription[Progress]) -> None:
        """Follows all runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            async for event in events:
                self._take(event, group)

    def quiet(self, chat_id: int) -> None:
        """The answer to one of a chat's runs is on its way."""
        for card in self._live.values():
            if card.place.chat_id == chat_id:
                card.quiet()

    async def settle(self, running: set[str]) -> None:
        """Folds the cards of runs that ended while the bot was away."""
        for run_id in self._book.unfolded():
            place = self._book.place(run_id)
            if run_id in running or place is None:
                continue
            try:
                outcome = await self._app.run_detail(run_id)
            except RunNotFoundError:
                self._book.folded(run_id)
                continue
            if outcome.status not in ("running", "waiting"):
                await fold(run_id, Card.of(outcome), place, self._sender, self._book)

    def _take(self, event: Progress, group: asyncio.TaskGroup) -> None:
        if event.run_id in self._ended:
            return
        card = self._live.get(event.run_id)
        if card is None:
            card = self._begin(event, group)
        card.take(event)
        if isinstance(event, QuestionClosed):
            group.create_task(logged(self._asking.close(event.question_id, event.answer), "closing a question"))
        elif isinstance(event, RunEnded):
            self._ended.append(event.run_id)
            group.create_task(logged(self._asking.close_run(event.run_id), "closing a run's questions"))

    def _begin(self, event: Progress, group: asyncio.TaskGroup) -> LiveCard:
        place = Destination.of_session(event.session_id) or Destination(0)
        card = self._live[event.run_id] = LiveCard(event.run_id, place, self._app, self._sender, self._book)
        group.create_task(self._follow(card))
        return card

    async def _follow(self, card: LiveCard) -> None:
        try:
            await logged(card.run(), "the live card")
        finally:
            del self._live[card.run_id]


def card_key(run_id: str) -> str:
    """Under which key a run's card is sent."""
    return f"card:{run_id}"


async def fold(run_id: str, card: Card, place: Destination, sender: Sender, book: CardBook) -> None:
    """Turns a card into its summary, if it was ever shown."""
    key, part = card_key(run_id), card.folded()
    if sender.is_doubtful(key):
        await sender.once(key, message(place, part))
    elif (message_id := sender.message_of(key)) is not None:
        await sender.surely(_edit(place, message_id, part), place.chat_id)
    book.folded(run_id)


def _edit(place: Destination, message_id: int, part: Part) -> EditMessageText:
    return EditMessageText(
        chat_id=place.chat_id,
        message_id=message_id,
        text=part.text,
        entities=part.entities(),
        link_preview_options=NO_PREVIEW,
    )


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Waits for the event, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
