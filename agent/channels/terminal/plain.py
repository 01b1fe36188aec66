"""A terminal of plain lines: one request per line in, one line per step out. For pipes, files and dumb terminals."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING

from rich.text import Text

from agent.channels.terminal.controls import printable
from agent.channels.terminal.draw import duration
from agent.progress import PlanMade, StepEnded

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rich.console import Console, RenderableType

    from agent.channels.terminal.board import RunBoard
    from agent.channels.terminal.draw import Signs
    from agent.progress import Progress


class Lines:
    """Lines of a stream, read by a thread of its own, so that waiting for one can be cancelled.

    The thread is a daemon: nothing can wake a blocked read, so it ends with the stream or with the process.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._thread: threading.Thread | None = None

    async def next(self) -> str:
        """The next line without its end.

        Raises:
            EOFError: the stream has ended.
        """
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._pump, args=(loop,), name="stdin", daemon=True)
            self._thread.start()
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise EOFError
        return line

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for line in self._stream:
                loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\r\n"))
            loop.call_soon_threadsafe(self._lines.put_nowait, None)
        except (RuntimeError, ValueError, OSError):
            return  # the loop or the stream was closed: nobody waits for lines any more


class PlainTerminal:
    """Reads lines, writes lines; nothing moves."""

    live = False

    def __init__(self, console: Console, signs: Signs, stream: TextIO | None = None) -> None:
        self.console = console
        self.signs = signs
        self.on_interrupt: Callable[[], bool] = lambda: False
        self._lines = Lines(stream or sys.stdin)

    async def read(self) -> str:
        """The next line; see `Terminal.read`."""
        return await self._lines.next()

    async def show(self, *parts: RenderableType) -> None:
        """Prints."""
        for part in parts:
            self.console.print(part, soft_wrap=not self.console.is_terminal)

    async def event(self, event: Progress, run: RunBoard) -> None:
        """Prints a plan when it is made and a step when it ends."""
        if isinstance(event, PlanMade) and run.rows:
            self.console.print(Text("New plan:" if event.plan.revision else "Plan:", style="bold"))
            for row in run.rows.values():
                after = f"  (after {', '.join(row.step.depends_on)})" if row.step.depends_on else ""
                self.console.print(Text(f"  {row.step.id}. {printable(row.title)}{after}"))
        elif isinstance(event, StepEnded):
            row = run.rows[event.step.id]
            mark, style = self.signs.states[row.state]
            line = Text("  ").append(mark, style=style).append(f" {printable(row.title)}  {duration(row.seconds)}")
            if row.note:
                line.append(f"\n    {printable(row.note)}", style="red" if row.state == "error" else "dim")
            self.console.print(line, soft_wrap=not self.console.is_terminal)
