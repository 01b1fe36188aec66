"""Where updates arrive: stored at once, then handled in order per chat, taps and /stop ahead of everything else."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from aiogram.exceptions import AiogramError
from aiogram.types import Message, Update

from agent.channels.telegram.failures import STORE_ERRORS, described, pauses
from agent.channels.telegram.records import Inbox
from aura_core.errors import AuraError, HomeNotWritableError
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import text_of

if TYPE_CHECKING:
    from agent.channels.telegram.updates import Updates

ALBUM_SECONDS = 1.0
"""The pictures of an album arrive as updates of their own; the next one is waited for so long."""
ATTEMPTS = 4
LONGEST_PAUSE = 30.0
STOP_SECONDS = 1.0
"""What is being handled when the bot is stopped may take so long to end."""
NO_ROOM = (
    "I cannot write anything down right now: my disk is full, or may not be written. "
    "Nothing is lost; I take your message as soon as there is room."
)
NOT_TAKEN = "Sorry, I could not take this message. Please send it again in a moment."
WENT_WRONG = "Something went wrong on my side; it is in the log. Please try again, or ask differently."


@dataclass(slots=True)
class Lane:
    """The updates of one chat that wait for their turn."""

    waiting: deque[Update] = field(default_factory=deque[Update])
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


class UpdateQueue:
    """Takes updates and has them handled.

    Args:
        group: owns the workers.
        inbox: remembers the updates.
        updates: handles them.
        first_pause: seconds after the first failure; doubled each time.
    """

    def __init__(self, group: asyncio.TaskGroup, inbox: Inbox, updates: Updates, *, first_pause: float = 1.0) -> None:
        self._group = group
        self._inbox = inbox
        self._updates = updates
        self._first_pause = first_pause
        self._lanes: dict[tuple[int, bool], Lane] = {}
        self._told: set[int] = set()
        self._log = get_logger(__name__)

    async def take(self, update: Update) -> None:
        """Stores an update and has it handled; an update that was here before changes nothing.

        Raises:
            HomeNotWritableError, DurableError: it cannot be stored, so it must not be confirmed; its chat is told.
        """
        try:
            is_new = await self._inbox.put(update)
        except STORE_ERRORS:
            self._group.create_task(self._tell_no_room(update))
            raise
        self._told.discard(_chat_of(update))
        if is_new:
            self._enqueue(update)

    async def take_leftovers(self) -> None:
        """Has those updates handled that a killed process stored and did not handle."""
        for update in await self._inbox.unhandled():
            self._enqueue(update)

    def _enqueue(self, update: Update) -> None:
        name = (_chat_of(update), _is_urgent(update))
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane()
            self._group.create_task(self._work(name, lane))
        lane.waiting.append(update)
        lane.arrived.set()

    async def _work(self, name: tuple[int, bool], lane: Lane) -> None:
        await asyncio.sleep(0)
        while lane.waiting:
            first = lane.waiting.popleft()
            await self._finish([first, *await self._rest_of_album(first, lane)])
        del self._lanes[name]

    async def _finish(self, turn: list[Update]) -> None:
        """Handles a turn and notes it; a bot that is being stopped gives it a moment, so that no restart repeats it."""
        work = asyncio.create_task(self._handle(turn))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work}, timeout=STOP_SECONDS)
            raise
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _note_handled(self, update: Update) -> None:
        """Notes that an update was handled, as soon as that can be written; until then its chat waits."""
        for pause in pauses(self._first_pause, LONGEST_PAUSE):
            try:
                await self._inbox.done(update.update_id)
            except STORE_ERRORS as error:
                self._log.error("update not noted as handled", update=update.update_id, error=described(error))
                await asyncio.sleep(pause)
            else:
                return

    async def _tell_no_room(self, update: Update) -> None:
        """Tells a chat, once in a row, that nothing can be written."""
        chat_id = _chat_of(update)
        if chat_id not in self._told:
            self._told.add(chat_id)
            if not await self._updates.say_now(update, NO_ROOM):
                self._told.discard(chat_id)

    async def _rest_of_album(self, first: Update, lane: Lane) -> list[Update]:
        album = first.message.media_group_id if first.message else None
        rest: list[Update] = []
        while album:
            if lane.waiting:
                message = lane.waiting[0].message
                if message is None or message.media_group_id != album:
                    break
                rest.append(lane.waiting.popleft())
                continue
            lane.arrived.clear()
            try:
                async with asyncio.timeout(ALBUM_SECONDS):
                    await lane.arrived.wait()
            except TimeoutError:
                break
        return rest

    async def _handle(self, turn: list[Update]) -> None:
        """Handles a turn and notes it; whatever happens, the person hears of it and the bot goes on."""
        for pause in pauses(self._first_pause, LONGEST_PAUSE):
            try:
                await self._handle_once(turn)
                break
            except HomeNotWritableError as error:
                self._log.error("nothing can be written", update=turn[0].update_id, error=described(error), pause=pause)
                await self._tell_no_room(turn[0])
                await asyncio.sleep(pause)
        for update in turn:
            await self._note_handled(update)

    async def _handle_once(self, turn: list[Update]) -> None:
        """Handles a turn, with patience for Telegram and for files that cannot be stored.

        Raises:
            HomeNotWritableError: nothing can be written down.
        """
        for pause in islice(pauses(self._first_pause, LONGEST_PAUSE), ATTEMPTS):
            try:
                await self._updates.handle(turn)
            except HomeNotWritableError:
                raise
            except AuraError as error:
                await self._updates.say(turn[0], text_of(error) or WENT_WRONG)
            except (AiogramError, OSError) as error:
                self._log.warning("update not handled", update=turn[0].update_id, error=described(error), pause=pause)
                await asyncio.sleep(pause)
                continue
            except Exception:  # noqa: BLE001 (one update must not end the bot; it is logged and said)
                self._log.exception("unexpected error", update=turn[0].update_id)
                await self._updates.say(turn[0], WENT_WRONG)
            return
        await self._updates.say(turn[0], NOT_TAKEN)


def _chat_of(update: Update) -> int:
    message = update.message or (update.callback_query.message if update.callback_query else None)
    return message.chat.id if message else 0


def _is_urgent(update: Update) -> bool:
    """Whether it must not wait behind a download."""
    text = (update.message.text or "") if isinstance(update.message, Message) else ""
    return update.callback_query is not None or text.startswith("/stop")
