"""A terminal with an input line that stays while runs are drawn above it: prompt_toolkit reads, rich draws."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style
from rich.text import Text

from agent.channels.terminal.draw import FRAMES_PER_SECOND, answer_view, readiness_view, run_view, tail, waits_for_model

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from prompt_toolkit.completion import Completer
    from rich.console import Console, RenderableType

    from agent.channels.terminal.board import Board, RunBoard
    from agent.channels.terminal.signs import Signs
    from agent.progress import Progress

KEPT_FREE = 6
"""Lines of the window that the live region leaves to the input line and its menu."""
STYLE = Style.from_dict(
    {
        "placeholder": "ansibrightblack",
        "completion-menu.completion": "bg:default fg:default noreverse",
        "completion-menu.completion.current": "bold reverse",
        "completion-menu.meta.completion": "bg:default fg:ansibrightblack noreverse",
        "completion-menu.meta.completion.current": "bg:default fg:ansibrightblack noreverse",
    }
)


class LiveTerminal:
    """The input line, and above it every run that is not over.

    Args:
        console: rich's console of the real standard output.
        signs: marks the terminal can show.
        board: what is drawn.
        completer: completes commands and file names.
        history: file that keeps what was typed; None keeps it in memory.
    """

    live = True

    def __init__(
        self, console: Console, signs: Signs, board: Board, completer: Completer, history: Path | None
    ) -> None:
        self.console = console
        self.signs = signs
        self.on_interrupt: Callable[[], bool] = lambda: False
        self._board = board
        self._printing = asyncio.Lock()
        self._drawn_answers: dict[str, tuple[int, int, list[str]]] = {}
        self._drawn: AnyFormattedText = ""
        self._prompt: PromptSession[str] = PromptSession(
            lambda: self._drawn,
            multiline=True,
            history=_history(history),
            completer=completer,
            complete_while_typing=Condition(self._typing_a_command),
            key_bindings=self._keys(),
            placeholder=self._placeholder,
            prompt_continuation="  ",
            erase_when_done=True,
            reserve_space_for_menu=KEPT_FREE,
            style=STYLE,
            color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
        )
        self._prompt.app.before_render += self._draw

    @contextmanager
    def running(self) -> Generator[None]:
        """While the chat runs: keys stay keys between two lines too, and others' output goes above the input line."""
        with self._prompt.input.raw_mode(), patch_stdout(raw=True):
            yield

    async def read(self) -> str:
        """The next thing the person typed; see `Terminal.read`."""
        ticker = asyncio.create_task(self._tick())
        try:
            return await self._prompt.prompt_async(handle_sigint=False)
        finally:
            ticker.cancel()

    async def show(self, *parts: RenderableType) -> None:
        """Prints above the input line, in the order of the calls.

        Unlike prompt_toolkit's `run_in_terminal` the terminal stays in raw mode, so that a Ctrl-D typed meanwhile is
        a key and not the line discipline's.
        """
        app = self._prompt.app
        async with self._printing:
            if app.is_running and app.output.responds_to_cpr:
                await app.renderer.wait_for_cpr_responses()
            running = app.is_running
            if running:
                app.renderer.erase()
            for part in parts:
                self.console.print(part)
            if running:
                app.renderer.reset()
                app.renderer.request_absolute_cursor_position()
                app.invalidate()

    async def event(self, event: Progress, run: RunBoard) -> None:  # noqa: ARG002 (the board holds it already)
        """Draws anew."""
        self._prompt.app.invalidate()

    async def _tick(self) -> None:
        """Moves the spinners while there are any, and wipes the last one."""
        moving = False
        while True:
            await asyncio.sleep(1 / FRAMES_PER_SECOND)
            if self._board.active or self._board.readiness:
                moving = True
                self._prompt.app.invalidate()
            elif moving:
                moving = False
                self._prompt.app.invalidate()

    def _draw(self, _: object) -> None:
        """Draws what stands above the input line and its label, once for each frame: the layout asks ten times."""
        asked = any(run.questions for run in self._board.active)
        label = Text(f"answer {self.signs.prompt} " if asked else f"{self.signs.prompt} ")
        label.stylize("bold yellow" if asked else "bold cyan")
        lines = [*self._live_lines(), "", *tail(self.console, label, 1)]
        self._drawn = ANSI("\n".join(lines))

    def _placeholder(self) -> AnyFormattedText:
        if any(run.questions for run in self._board.active):
            return [("class:placeholder", "your answer")]
        if self._board.active:
            return [("class:placeholder", "Ctrl-C stops it; or ask something else meanwhile")]
        return [("class:placeholder", "Ask something, or /help")]

    def _live_lines(self) -> list[str]:
        room = max(3, self.console.size.height - KEPT_FREE)
        now, active = self._board.now(), self._board.active
        lines: list[str] = []
        for run in active:
            aside = waits_for_model(self._board.readiness) if run.phase == "planning" and not run.rows else ""
            view = run_view(run, now, self.signs, live=True, named=len(active) > 1, aside=aside)
            drawn = tail(self.console, view, room)
            lines += ["", *drawn, *self._answer_lines(run)]
        if self._board.readiness is not None and not active:
            lines += ["", *tail(self.console, readiness_view(self._board.readiness, now, self.signs), 1)]
        return lines[-room:]

    def _answer_lines(self, run: RunBoard) -> list[str]:
        """The answer so far; drawn anew only when it grew or the window changed."""
        if not run.answer:
            return []
        width, length = self.console.width, len(run.answer)
        known = self._drawn_answers.get(run.run_id)
        if known is None or known[:2] != (width, length):
            lines = ["", *tail(self.console, answer_view(run.answer), self.console.size.height)]
            self._drawn_answers = {run.run_id: (width, length, lines)}
            return lines
        return known[2]

    def _typing_a_command(self) -> bool:
        return self._prompt.default_buffer.text.startswith("/")

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.validate_and_handle()

        @keys.add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add("c-c")
        @keys.add("<sigint>")
        def _(event: KeyPressEvent) -> None:
            if not self.on_interrupt():
                event.current_buffer.reset()

        return keys


def _history(path: Path | None) -> History:
    """The file, if it can be written and read; memory otherwise."""
    if path is None:
        return InMemoryHistory()
    try:
        path.touch(mode=0o600)
        with path.open("ab"):
            return FileHistory(str(path))
    except OSError:
        return InMemoryHistory()
