"""What an update means: a tap, a command, an answer, a request, or a stranger at the door."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiogram import Bot
from aiogram.types import CallbackQuery, Message, MessageOriginUser, Update

from agent.channels.telegram.asking import Asking
from agent.channels.telegram.commands import Command, Commands, parse_command
from agent.channels.telegram.destination import Destination, destination_of, person_of, session_of
from agent.channels.telegram.files import attached_to, take
from agent.channels.telegram.records import Guests, Sendings
from agent.channels.telegram.sending import Sender
from agent.channels.telegram.text import Part, split
from agent.channels.telegram.transport import message as message_to
from agent.contracts import Dest, Incoming, Profile
from agent.schedules.chat_command import schedule_answer
from aura_core.data.outside_names import keep_name

if TYPE_CHECKING:
    from agent.app import App

GUEST_PROFILE = "guest"
WELCOME = (
    "Hello! This is somebody's private assistant, and it does not know you yet. "
    "Your Telegram id is {0}. Its owner lets you in with AURA_TELEGRAM_OWNERS=[{0}] in the "
    "environment, or with telegram.owners in aura.yaml, and a restart of the bot."
)
NOTHING_IN_IT = "I can read text, photos, documents and voice files. Write what you need, please."
STRANGE_COMMAND = "I do not know /{}. /help lists all commands."


class Updates:
    """Turns updates into calls of the app.

    Args:
        app: takes requests and answers.
        bot: downloads files; `await bot.me()` was called before.
        sender: replies.
        asking: the questions.
        commands: the commands.
        guests: remembers which strangers were told how to get in.
        sendings: remembers which messages exist.
        username: the bot's own name.
    """

    def __init__(
        self,
        app: App,
        bot: Bot,
        sender: Sender,
        *,
        asking: Asking,
        commands: Commands,
        guests: Guests,
        sendings: Sendings,
        username: str,
    ) -> None:
        self._app = app
        self._bot = bot
        self._sender = sender
        self._asking = asking
        self._commands = commands
        self._guests = guests
        self._sendings = sendings
        self._username = username.lower()
        self._built_in = {
            "start": self._start,
            "help": self._help,
            "new": self._new,
            "stop": self._stop,
            "forget": self._forget,
            "tasks": self._tasks,
            "schedule": self._schedule,
            "id": self._id,
        }

    async def handle(self, turn: list[Update]) -> None:
        """Handles one update, or the updates of one album.

        Raises:
            AgentError: for the person to read.
            AiogramError: Telegram could not be reached; trying again may help.
        """
        first = turn[0]
        if first.callback_query is not None:
            await self._tap(first.callback_query)
        messages = [update.message for update in turn if update.message is not None]
        for message in messages:
            await self._sendings.record_message(message.chat.id, message.message_id)
        if messages and messages[0].from_user is not None and not messages[0].from_user.is_bot:
            await self._message(first, messages, person_of(messages[0].from_user.id))

    async def say(self, update: Update, text: str) -> None:
        """Replies to an update with a few words, once."""
        place = _place_of(update)
        if place is None:
            return
        for number, part in enumerate(split(Part(text))):
            await self._sender.once(f"reply:{update.update_id}#{number}", message_to(place, part))

    async def say_now(self, update: Update, text: str) -> bool:
        """Replies without noting it anywhere; False if that does not work at once. Strangers hear nothing."""
        source = update.message or update.callback_query
        place, user = _place_of(update), source.from_user if source is not None else None
        if place is None or user is None or self._is_guest(person_of(user.id)):
            return True
        return await self._sender.perhaps_now(message_to(place, Part(text)), place.chat_id)

    async def _tap(self, query: CallbackQuery) -> None:
        person = person_of(query.from_user.id)
        if self._is_guest(person):
            await self._asking.refuse(query)
            return
        await self._asking.tapped(query, person)

    async def _message(self, update: Update, messages: list[Message], person: str) -> None:
        message, profile = messages[0], self._app.profile_of(person)
        private = message.chat.type == "private"
        words = next((text for item in messages if (text := item.text or item.caption)), "").strip()
        forwarded = any(is_from_others(item) for item in messages)
        command = None if forwarded else parse_command(words)
        if command is not None and command.bot not in ("", self._username):
            return
        if self._is_guest(person):
            if private:
                await self._greet(message.chat.id)
            return
        if private:
            await self._commands.show_menu(message.chat.id, profile)
        incoming = Incoming(
            session_id=session_of(message.chat.id),
            person=person,
            text=self._without_mention(words),
            dest=Dest(destination_of(message)),
            key=f"telegram:{update.update_id}",
            files=await self._files(messages, profile),
            untrusted=forwarded,
        )
        if command is not None:
            await self._command(update, incoming, command, profile)
        elif not incoming.text and not incoming.files:
            await self.say(update, NOTHING_IN_IT)
        elif not await self._is_answer(message, incoming):
            await self._app.submit(incoming)

    def _is_guest(self, person: str) -> bool:
        """Whether nobody let this person in."""
        return self._app.profile_of(person).name == GUEST_PROFILE

    async def _greet(self, user_id: int) -> None:
        """Says how to get in, at most once a day per person, and nothing else."""
        if await self._guests.may_be_told(user_id):
            part = Part(WELCOME.format(user_id))
            await self._sender.once(f"guest:{user_id}:{int(time.time())}", message_to(Destination(user_id), part))

    async def _files(self, messages: list[Message], profile: Profile) -> list[str]:
        folder = self._app.sessions.files(session_of(messages[0].chat.id))
        found = [attached for message in messages if (attached := attached_to(message)) is not None]
        names = [await take(self._bot, attached, folder, profile.max_file_bytes) for attached in found]
        if any(is_from_others(message) for message in messages):
            for name in names:
                await asyncio.to_thread(keep_name, folder, name, from_outside=True)
        return names

    async def _is_answer(self, message: Message, incoming: Incoming) -> bool:
        """Whether the message answers an open question, and was taken as its answer."""
        text = incoming.text
        if incoming.files:
            text = f"{text}\n(attached files: {', '.join(incoming.files)})".strip()
        replied = message.reply_to_message.message_id if message.reply_to_message else None
        asked = await self._asking.about(message.chat.id, replied, incoming.person)
        if asked is not None and await self._asking.answered(
            asked, text, incoming.person, key=incoming.key, untrusted=incoming.untrusted
        ):
            return True
        return await self._app.reply(
            incoming.session_id, text, person=incoming.person, key=incoming.key, untrusted=incoming.untrusted
        )

    async def _command(self, update: Update, incoming: Incoming, command: Command, profile: Profile) -> None:
        if command.name in self._built_in:
            await self.say(update, await self._built_in[command.name](incoming, profile))
            return
        card = self._commands.plugins(profile).get(command.name)
        if card is None:
            await self.say(update, STRANGE_COMMAND.format(command.name))
            return
        inputs = self._app.dispatcher.parse_command_inputs(card, command.rest)
        await self._app.submit_command(incoming, card.task, inputs)

    def _without_mention(self, words: str) -> str:
        """The words without this bot's own @name, which groups need to address it."""
        return " ".join(word for word in words.split(" ") if word.lower() != f"@{self._username}").strip()

    async def _start(self, _: Incoming, profile: Profile) -> str:
        return f"Hello! I am Aura.\n\n{self._commands.help_text(profile)}"

    async def _help(self, _: Incoming, profile: Profile) -> str:
        return self._commands.help_text(profile)

    async def _tasks(self, _: Incoming, profile: Profile) -> str:
        return self._commands.tasks_text(profile)

    async def _schedule(self, incoming: Incoming, profile: Profile) -> str:
        words = incoming.text.partition(" ")[2]
        return await schedule_answer(self._app.schedules.user_jobs, incoming.person, words, profile)

    async def _new(self, incoming: Incoming, _: Profile) -> str:
        await self._app.new_conversation(incoming.session_id)
        return "A new conversation. Your files and what I remember stay."

    async def _stop(self, incoming: Incoming, _: Profile) -> str:
        stopped = await self._app.stop(incoming.session_id)
        return f"Stopped {stopped} request{'s' if stopped > 1 else ''}." if stopped else "Nothing was running."

    async def _forget(self, incoming: Incoming, _: Profile) -> str:
        count = await self._app.forget_plans(incoming.person)
        return f"Forgot how {count} earlier requests were planned." if count else "No earlier plans are kept."

    async def _id(self, incoming: Incoming, _: Profile) -> str:
        return f"Your id is {incoming.person.rpartition(':')[2]}; this chat's is {incoming.dest.root['chat_id']}."


def is_from_others(message: Message) -> bool:
    """Whether somebody else than its sender wrote a message: it was forwarded, and not from the sender's own."""
    origin, sender = message.forward_origin, message.from_user
    if origin is None:
        return False
    return not (isinstance(origin, MessageOriginUser) and sender is not None and origin.sender_user.id == sender.id)


def _place_of(update: Update) -> Destination | None:
    """Where a reply to an update goes."""
    message = update.message or (update.callback_query.message if update.callback_query else None)
    if message is None:
        return None
    return Destination.of(destination_of(message)) if isinstance(message, Message) else Destination(message.chat.id)
