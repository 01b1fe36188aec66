"""Who answers the questions of a run without a chat: `--answer` in order, then the person at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from agent.channels.terminal.draw import question_view, signs_for
from agent.channels.terminal.plain import Lines

if TYPE_CHECKING:
    from agent.contracts import Question


class Answers:
    """Gives one answer per question, as long as there are any.

    Args:
        given: the `--answer` values.
        console: where questions are shown.
    """

    def __init__(self, given: Sequence[str], console: Console) -> None:
        self._given = list(given)
        self._console = console
        self._lines = Lines(sys.stdin) if sys.stdin.isatty() else None

    async def to(self, question: Question) -> str | None:
        """The answer; None if there is none and nobody can be asked."""
        if self._given:
            return self._given.pop(0)
        if self._lines is None:
            return None
        signs = signs_for(self._console.encoding)
        self._console.print(question_view(question, signs))
        while True:
            self._console.print(f"[bold yellow]answer {signs.prompt}[/] ", end="")
            try:
                answer = (await self._lines.next()).strip()
            except EOFError:
                return None
            if answer:
                return answer
