"""A terminal of plain lines: one request per line in, one line per step out. For pipes, files and dumb terminals."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.text import Text

from agent.channels.terminal.controls import printable
from agent.channels.terminal.draw import duration
from agent.channels.terminal.lines import Lines
from agent.progress import PlanMade, StepEnded

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rich.console import Console, RenderableType

    from agent.channels.terminal.board import RunBoard
    from agent.channels.terminal.signs import Signs
    from agent.progress import Progress


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
