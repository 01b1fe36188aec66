"""Opening a chat: which terminal this is, whether a model is there, the greeting, and then the loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from agent.channels.terminal.board import Board
from agent.channels.terminal.chat import Chat
from agent.channels.terminal.draw import notice_view
from agent.channels.terminal.fetch import fetch_model
from agent.channels.terminal.person import terminal_person
from agent.channels.terminal.plain import PlainTerminal
from agent.channels.terminal.signs import signs_for
from agent.channels.terminal.welcome import fitting_examples, welcome_view
from agent.config import EMBEDDED_MODEL
from agent.errors import ModelMissingError
from agent.llm.known_models import MODELS
from aura_core.errors import AuraError
from aura_core.language.display import in_short

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from agent.app import App
    from agent.channels.terminal.terminal import Terminal

PIPE_WIDTH = 160
HISTORY_FILE = "chat_history"


async def run_chat(app: App, *, session_id: str, fetch: bool = False) -> None:
    """Chats in this process's terminal until the person leaves.

    Args:
        app: the app, opened.
        session_id: the session to chat in.
        fetch: fetch the embedded model without asking if no model is there.
    """
    person = terminal_person()
    board = Board()
    terminal, around = _terminal(app, board, session_id, person)
    chat = Chat(app, terminal, board, session_id=session_id, person=person)
    with _signals(terminal):
        await _greet(app, terminal, session_id, person)
        await _need_a_model(app, terminal, fetch=fetch)
        with around:
            await chat.run()


def is_live() -> bool:
    """Whether this process has a terminal that an input line can be drawn in."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _terminal(app: App, board: Board, session_id: str, person: str) -> tuple[Terminal, AbstractContextManager[None]]:
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    console = Console(file=sys.stdout, width=width, highlight=False)  # the real stdout: the chat puts another there
    signs = signs_for(sys.stdout.encoding)
    if not is_live():
        return PlainTerminal(console, signs), nullcontext()
    from agent.channels.terminal.commands import OWN_COMMANDS  # noqa: PLC0415 (only a live terminal pays for these)
    from agent.channels.terminal.completion import ChatCompleter  # noqa: PLC0415 (the same)
    from agent.channels.terminal.live import LiveTerminal  # noqa: PLC0415 (the same)

    profile = app.profile_of(person)

    def commands() -> dict[str, str]:
        return {**{f"/{name}": card.title for name, card in app.commands(profile).items()}, **OWN_COMMANDS}

    completer = ChatCompleter(commands, app.sessions.files(session_id))
    terminal = LiveTerminal(console, signs, board, completer, app.config.home / HISTORY_FILE)
    return terminal, terminal.running()


@contextmanager
def _signals(terminal: Terminal) -> Generator[None]:
    """Ctrl-C stops the run, or leaves a chat of plain lines where none is going on; SIGTERM and SIGHUP leave.

    An input line in raw mode gets Ctrl-C as a key; between two lines, and with plain ones, it is a signal.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def leave() -> None:
        if task is not None:
            task.cancel()

    def interrupted() -> None:
        if not terminal.on_interrupt() and not terminal.live:
            leave()

    handlers = {signal.SIGINT: interrupted, signal.SIGTERM: leave, signal.SIGHUP: leave}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


async def _greet(app: App, terminal: Terminal, session_id: str, person: str) -> None:
    """Who is there, with which model; what to do with it the first time."""
    title = Text().append("Aura", style="bold cyan")
    title.append(f"  {app.model.describe()} · session {session_id} · /help", style="dim")
    await terminal.show(Text(), title)
    if not await app.sessions.history(session_id, 1):
        files = await app.sessions.file_names(session_id)
        profile = app.profile_of(person)
        examples = fitting_examples(app, profile, files)
        await terminal.show(Text(), welcome_view(app, profile, examples, terminal.signs))
    for line in in_short(app.framework.problems):
        await terminal.show(notice_view(f"A plan was left out: {line}", "yellow"))


async def _need_a_model(app: App, terminal: Terminal, *, fetch: bool) -> None:
    """Without a model: offers to fetch one, or names the ways on; commands work all the same."""
    try:
        await app.model.check()
    except ModelMissingError as error:
        missing = str(error)
    else:
        return
    name = app.config.llm.model or EMBEDDED_MODEL
    if not fetch:
        fetch = terminal.live and await _yes(terminal, f"No model is there yet. Fetch {name} now (about 1 GB)?")
    if fetch:
        missing = await _fetch(app, terminal, name)
        if not missing:
            await terminal.show(notice_view("The model is there.", "green"))
            return
    await terminal.show(Text(), notice_view(missing, "yellow"), notice_view("Until then only /commands work."))


async def _fetch(app: App, terminal: Terminal, name: str) -> str:
    """Fetches a model; Ctrl-C stops that. Returns why there is none, or nothing."""
    size = f" ({MODELS[name].size / 1e9:.1f} GB)" if name in MODELS else ""
    await terminal.show(
        notice_view(f"{name}{size} is fetched now, once. Ctrl-C stops it; next time it goes on from there.")
    )
    fetching = asyncio.ensure_future(fetch_model(terminal.console, app.config, name))
    terminal.on_interrupt = fetching.cancel
    await asyncio.wait({fetching})
    if fetching.cancelled():
        return f"Stopped. `aura model pull {name}` goes on where it was."
    error = fetching.exception()
    if error is None or isinstance(error, AuraError):
        return str(error or "")
    raise error


async def _yes(terminal: Terminal, question: str) -> bool:
    terminal.console.print(f"  {escape(question)} [bold]\\[Y/n][/bold]")
    try:
        return (await terminal.read()).strip().casefold() in ("", "y", "yes", "да", "д", "是", "好")
    except EOFError:
        return False
