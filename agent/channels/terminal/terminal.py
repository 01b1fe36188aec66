"""What the chat needs of a terminal; `live.py` is one with an input line of its own, `plain.py` one of plain lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType

    from agent.channels.terminal.board import RunBoard
    from agent.channels.terminal.signs import Signs
    from agent.progress import Progress


class Terminal(Protocol):
    """Where the chat reads lines and shows things.

    Attributes:
        live: it draws while the person types; otherwise a request is finished before the next line is read.
        console: rich's console of its output.
        signs: the marks it can show.
        on_interrupt: called at Ctrl-C; returns whether there was something to stop.
    """

    live: bool
    console: Console
    signs: Signs
    on_interrupt: Callable[[], bool]

    async def read(self) -> str:
        """The next thing the person typed.

        Raises:
            EOFError: there is no more: Ctrl-D, or the end of the input.
        """
        ...

    async def show(self, *parts: RenderableType) -> None:
        """Shows things for good, above whatever is live."""
        ...

    async def event(self, event: Progress, run: RunBoard) -> None:
        """A run moved; the board knows already."""
        ...
