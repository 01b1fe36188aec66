"""The live plan on standard error while a command waits for a run; nothing where it is not a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live

from agent.channels.terminal.board import Board
from agent.channels.terminal.draw import FRAMES_PER_SECOND, run_view
from agent.channels.terminal.signs import signs_for
from agent.progress import Progress

if TYPE_CHECKING:
    from aura_core.ground.events import EventBus, Subscription


class Watch:
    """Draws the runs of one event bus while it is not paused."""

    def __init__(self, events: EventBus, console: Console) -> None:
        self._events = events
        self._console = console
        self._signs = signs_for(console.encoding)
        self._board = Board()
        self._live: Live | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Watch]:
        """Draws for the block; leaves the finished plan on the screen."""
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            yield self
            return
        with self._events.subscribe(Progress) as events:
            self.go_on()
            task = asyncio.create_task(self._draw(events))
            try:
                yield self
            finally:
                task.cancel()
                for event in events.pending():
                    self._board.apply(event)
                self.pause()

    def pause(self) -> None:
        """Leaves the screen to somebody else, e.g. a question."""
        if self._live is not None:
            self._live.update(self._view(), refresh=True)
            self._live.stop()
            self._live = None

    def go_on(self) -> None:
        """Draws again."""
        if self._console.is_terminal and not self._console.is_dumb_terminal and self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=False)
            self._live.start()

    async def _draw(self, events: Subscription[Progress]) -> None:
        while True:
            for event in events.pending():
                self._board.apply(event)
            if self._live is not None:
                self._live.update(self._view(), refresh=True)
            await asyncio.sleep(1 / FRAMES_PER_SECOND)

    def _view(self) -> RenderableType:
        now = self._board.now()
        return Group(*(run_view(run, now, self._signs, live=not run.over) for run in self._board.runs.values()))
