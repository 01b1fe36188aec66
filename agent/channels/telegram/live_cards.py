"""The live card: one message per run, edited while the run goes on, folded when it is over; and "typing" meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

from aiogram.methods import EditMessageText, SendChatAction

from agent.channels.telegram.asking import Asking
from agent.channels.telegram.card import Card
from agent.channels.telegram.destination import CHANNEL, Destination
from agent.channels.telegram.failures import logged
from agent.channels.telegram.records import Cards
from agent.channels.telegram.sending import Sender
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


class LiveCard:
    """One run's card while the run goes on.

    Args:
        run_id: the run.
        place: the chat of its session.
        app: where the run is looked up.
        sender: makes the calls.
        cards: remembers that the card looks alive.
    """

    def __init__(self, run_id: str, place: Destination, app: App, sender: Sender, cards: Cards) -> None:
        self.run_id = run_id
        self.place = place
        self._app = app
        self._card = Card()
        self._sender = sender
        self._cards = cards
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
        await self._find_place()
        while not self._over.is_set():
            await self._type()
            await _either(self._over, REDRAW_SECONDS)
            if self._over.is_set():
                break
            self._changed.clear()
            await self._draw()
            await _either(self._changed, TYPING_SECONDS)
            await self._look()
        await fold(self.run_id, self._card, self.place, self._sender, self._cards)

    async def _find_place(self) -> None:
        """The card belongs where the answer goes."""
        with contextlib.suppress(RunNotFoundError):
            dest = await self._app.destination(self.run_id)
            if dest.get("channel") == CHANNEL:
                self.place = Destination.of(dest)

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
            await self._sender.once(f"{self.run_id}/broke-off", message(self.place, Part(BROKE_OFF)))

    async def _type(self) -> None:
        silent = time.monotonic() - self._heard > SILENT_SECONDS
        if self._card.working and not self._quiet and not silent:
            chat_id, thread_id = self.place.chat_id, self.place.thread_id
            method = SendChatAction(chat_id=chat_id, action="typing", message_thread_id=thread_id)
            await self._sender.perhaps_now(method, chat_id)

    async def _draw(self) -> None:
        part = self._card.live()
        if part == self._shown:
            return
        key = card_key(self.run_id)
        message_id = await self._sender.message_of(key)
        if message_id is None:
            await self._cards.add(self.run_id, self.place)
            shown = await self._sender.once(key, message(self.place, part)) is not None
        else:
            shown = await self._sender.perhaps(_edit(self.place, message_id, part), self.place.chat_id)
        if shown:
            self._shown = part


class LiveCards:
    """The cards of all runs of this channel.

    Args:
        app: where runs are looked up.
        sender: makes the calls.
        cards: remembers which cards look alive.
        asking: its questions close when a run closes them.
    """

    def __init__(self, app: App, sender: Sender, cards: Cards, asking: Asking) -> None:
        self._app = app
        self._sender = sender
        self._cards = cards
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
        for run_id, place in (await self._cards.alive()).items():
            if run_id in running:
                continue
            try:
                outcome = await self._app.run_detail(run_id)
            except RunNotFoundError:
                await self._cards.remove(run_id)
                continue
            if outcome.status not in ("running", "waiting"):
                await fold(run_id, Card.of(outcome), place, self._sender, self._cards)

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
        card = self._live[event.run_id] = LiveCard(event.run_id, place, self._app, self._sender, self._cards)
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


async def fold(run_id: str, card: Card, place: Destination, sender: Sender, cards: Cards) -> None:
    """Turns a card into its summary, if it was ever shown."""
    part = card.folded()
    message_id = await sender.found(card_key(run_id), message(place, part))
    if message_id is not None:
        await sender.surely(_edit(place, message_id, part), place.chat_id)
    await cards.remove(run_id)


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
