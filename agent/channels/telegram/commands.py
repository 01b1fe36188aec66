"""Commands: the built-in ones, the plugins' ones, and the menu that shows them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from aiogram.methods import SetMyCommands
from aiogram.types import BotCommand, BotCommandScopeChat, BotCommandScopeDefault

from agent.channels.own_commands import BUILT_IN, menu_name
from agent.channels.telegram.sending import Sender
from agent.channels.telegram.text import shorten
from agent.contracts import Profile, TaskCard
from aura_core.generations.events import PlansReloaded

if TYPE_CHECKING:
    from agent.app import App

FOR_ALL = ("start", "id")
"""What people see in the menu who may not use the assistant."""
MAX_COMMANDS = 100
MAX_DESCRIPTION = 200


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was written.

    Attributes:
        name: without the slash, in small letters.
        bot: the bot that it names; empty if none.
        rest: what follows.
    """

    name: str
    bot: str
    rest: str


def parse_command(text: str) -> Command | None:
    """Reads `/name@bot rest`; None if it is none."""
    if not text.startswith("/"):
        return None
    head, _, rest = text[1:].replace("\n", " \n", 1).partition(" ")
    name, _, bot = head.partition("@")
    return Command(name.lower(), bot.lower(), rest.strip()) if name else None


class Commands:
    """What commands there are for whom.

    Args:
        app: knows the plugins' commands.
        sender: sets the menu.
    """

    def __init__(self, app: App, sender: Sender) -> None:
        self._app = app
        self._sender = sender
        self._menus: dict[int, int] = {}
        self._reloads = 0

    def plugins(self, profile: Profile) -> dict[str, TaskCard]:
        """The plugins' commands by the name that Telegram takes; a built-in command of that name wins."""
        found: dict[str, TaskCard] = {}
        for name, card in sorted(self._app.commands(profile).items()):
            short = menu_name(name)
            if short and short not in BUILT_IN:
                found.setdefault(short, card)
        return found

    async def show_default_menu(self) -> None:
        """The menu of people who have not been let in."""
        commands = [BotCommand(command=name, description=BUILT_IN[name]) for name in FOR_ALL]
        await self._sender.perhaps_now(SetMyCommands(commands=commands, scope=BotCommandScopeDefault()), 0)

    async def show_menu(self, chat_id: int, profile: Profile) -> None:
        """The menu of a private chat; set once per chat while the bot runs, and again after plans were edited."""
        reloads = self._reloads
        if self._menus.get(chat_id) == reloads:
            return
        commands = [BotCommand(command=name, description=text) for name, text in BUILT_IN.items()]
        commands += [
            BotCommand(command=name, description=_line(card) or name) for name, card in self.plugins(profile).items()
        ]
        method = SetMyCommands(commands=commands[:MAX_COMMANDS], scope=BotCommandScopeChat(chat_id=chat_id))
        if await self._sender.perhaps_now(method, chat_id):
            self._menus[chat_id] = reloads

    async def follow_plans(self) -> None:
        """Has every menu set anew when it is needed next, after plans were edited; until cancelled."""
        with self._app.events.subscribe(PlansReloaded) as reloads:
            async for _ in reloads:
                self._reloads += 1

    def help_text(self, profile: Profile) -> str:
        """What /help says."""
        lines = [
            "Write what you need in plain words; I plan it, do it and answer. You can send files, too.",
            "If I ask something, tap a button or write the answer. Several requests wait for one another.",
            "",
            *(f"/{name} — {text}" for name, text in BUILT_IN.items()),
        ]
        plugins = self.plugins(profile)
        if plugins:
            lines += ["", "Straight to a task, without planning; in quotes, how to ask for the same in plain words:"]
            lines += [f"/{name} — {_line(card) or card.task}{_said(card)}" for name, card in plugins.items()]
        return "\n".join(lines)

    def tasks_text(self, profile: Profile) -> str:
        """What /tasks says."""
        cards = sorted(self._app.tasks(profile), key=lambda card: card.task)
        if not cards:
            return "There are no tasks that you may use."
        lines: list[str] = []
        for plan, group in groupby(cards, key=lambda card: card.plan):
            lines += ["", plan]
            lines += [
                f"• {_line(card) or card.task}" + (f" (/{menu_name(card.command)})" if card.command else "")
                for card in group
            ]
        return "\n".join(lines).strip()


def _line(card: TaskCard) -> str:
    return shorten(" ".join((card.title or card.description).split()), MAX_DESCRIPTION)


def _said(card: TaskCard) -> str:
    """The first example of a task, to follow its title."""
    return f": “{shorten(' '.join(card.examples[0].say.split()), MAX_DESCRIPTION)}”" if card.examples else ""
