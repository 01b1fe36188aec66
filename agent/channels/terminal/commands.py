"""The chat's own /commands; those of plugins come from the catalogue, and where names clash the chat's own count."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from agent.channels.own_commands import OWN_COMMANDS
from agent.channels.terminal.catalogue import MOST_EXAMPLES, searched, tasks_table, title_and_examples
from agent.channels.terminal.controls import one_line, printable
from agent.channels.terminal.draw import notice_view
from agent.channels.terminal.session_files import session_files
from agent.channels.terminal.welcome import model_view
from agent.clock import on_clock_of
from agent.schedules.chat_command import schedule_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from rich.console import RenderableType

    from agent.app import App
    from agent.contracts import Profile, TaskCard

KEYS = "Enter sends · Alt-Enter new line · Tab completes · Ctrl-C stops a run · Ctrl-D leaves"
MOST_RUNS = 10
NOTHING_KEPT = "No earlier plans are kept."


class ChatCommands:
    """Runs the chat's own commands.

    Args:
        app: the app.
        profile: what the person may do.
        session_id: the session.
        person: who is typing, as `channel:id`.
        show: shows things in the terminal.
    """

    def __init__(
        self, app: App, profile: Profile, session_id: str, person: str, show: Callable[..., Awaitable[None]]
    ) -> None:
        self._app = app
        self._profile = profile
        self._session_id = session_id
        self._person = person
        self._show = show
        self._own: dict[str, Callable[[str], Awaitable[None]]] = {
            "/help": self._help,
            "/tasks": self._tasks,
            "/files": self._files,
            "/schedule": self._schedule,
            "/runs": self._runs,
            "/new": self._new,
            "/forget": self._forget,
            "/stop": self._stop,
        }

    def about(self) -> dict[str, str]:
        """Every command with its slash and one line about it."""
        plugins = {f"/{name}": card.title for name, card in self._app.commands(self._profile).items()}
        return {**plugins, **OWN_COMMANDS}

    def plugin(self, name: str) -> TaskCard | None:
        """The task behind a plugin's command, given with its slash; None if there is none."""
        return self._app.commands(self._profile).get(name.removeprefix("/"))

    async def run(self, name: str, rest: str) -> None:
        """Runs one of the chat's own commands, or says that there is none of this name."""
        command = self._own.get(name)
        if command is not None:
            await command(rest)
            return
        near = difflib.get_close_matches(name, list(self.about()), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        await self._show(notice_view(f"There is no command {name}.{hint} /help lists them.", "yellow"))

    async def _help(self, _: str) -> None:
        await self._show(Text(), _table("  Commands", ((name, Text(about)) for name, about in OWN_COMMANDS.items())))
        plugins = {
            name: card for name, card in self._app.commands(self._profile).items() if f"/{name}" not in OWN_COMMANDS
        }
        if plugins:
            rows = ((_usage(name, card), title_and_examples(card)) for name, card in sorted(plugins.items()))
            await self._show(Text(), _table("  Commands of plugins, and how to ask for the same in plain words", rows))
        await self._show(
            Text(),
            notice_view("Everything else you type is a request in plain words."),
            notice_view(KEYS),
            Text(),
            model_view(self._app, self._profile),
        )

    async def _tasks(self, word: str) -> None:
        cards = [card for card in self._app.tasks(self._profile) if word.casefold() in searched(card)]
        if not cards:
            await self._show(notice_view(f"No task has {word!r} in its name or description. /tasks lists all."))
            return
        await self._show(Text(), tasks_table(cards, examples=MOST_EXAMPLES if word else 1))

    async def _files(self, _: str) -> None:
        folder = self._app.sessions.files(self._session_id)
        names = session_files(folder)
        if names:
            rows = ((name, Text(_size((folder / name).stat().st_size), style="dim")) for name in names)
            await self._show(Text(), _table("  Files", rows))
        await self._show(notice_view(f"{'' if names else 'No files yet. '}Folder: {folder}"))

    async def _schedule(self, words: str) -> None:
        told = await schedule_answer(self._app.schedules.user_jobs, self._person, words, self._profile)
        await self._show(Text(printable(told)))

    async def _runs(self, _: str) -> None:
        mine = [run for run in await self._app.runs(limit=50) if run.session_id == self._session_id]
        runs = mine[:MOST_RUNS] + [run for run in mine[MOST_RUNS:] if run.status in ("running", "waiting")]
        if not runs:
            await self._show(notice_view("Nothing was asked in this session yet."))
            return
        table = Table.grid(padding=(0, 2))
        for run in runs:
            at = on_clock_of(self._profile, datetime.fromtimestamp(run.created_at, tz=UTC)).strftime("%d %b %H:%M")
            table.add_row(f"  {run.run_id}", Text(at, style="dim"), Text(run.status), Text(_shortened(run.text)))
        await self._show(Text(), table)

    async def _new(self, _: str) -> None:
        await self._app.new_conversation(self._session_id)
        await self._show(notice_view("A new conversation. Files and memory are still here."))

    async def _forget(self, _: str) -> None:
        count = await self._app.forget_plans(self._person)
        await self._show(notice_view(f"Forgot how {count} earlier requests were planned." if count else NOTHING_KEPT))

    async def _stop(self, _: str) -> None:
        count = await self._app.stop(self._session_id)
        await self._show(notice_view(f"Stopped {count}." if count else "Nothing is running."))


def _table(title: str, rows: Iterable[tuple[str, Text]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    table.add_row(Text(title, style="bold"), "")
    for name, about in rows:
        table.add_row(Text(f"  {one_line(name)}"), about)
    return table


def _usage(name: str, card: TaskCard) -> str:
    inputs = " ".join(key if key in card.required else f"[{key}]" for key in card.properties)
    return f"/{name} {inputs}".rstrip()


def _shortened(text: str, length: int = 60) -> str:
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1] + "…"


def _size(count: int) -> str:
    if count < 1000:  # noqa: PLR2004 (a kilobyte)
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"  # noqa: PLR2004 (a megabyte)
