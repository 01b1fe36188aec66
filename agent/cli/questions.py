"""Who answers the questions of a run without a chat: `--answer` in order, then the person at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.channels.terminal.lines import Lines
from agent.cli.invocation import err

if TYPE_CHECKING:
    from agent.contracts import Question


class Answers:
    """Gives one answer per question, as long as there are any; shows on standard error what it asks.

    Args:
        given: the `--answer` values.
    """

    def __init__(self, given: Sequence[str]) -> None:
        self._given = list(given)
        self._lines = Lines(sys.stdin) if sys.stdin.isatty() else None

    async def to(self, question: Question) -> str | None:
        """The answer; None if there is none and nobody can be asked."""
        if self._given:
            return self._given.pop(0)
        if self._lines is None:
            return None
        return await self._typed(question, self._lines)

    async def _typed(self, question: Question, lines: Lines) -> str | None:
        """What the person at the terminal types; None at the end of the input."""
        from agent.channels.terminal.draw import question_view
        from agent.channels.terminal.signs import signs_for

        console = err()
        signs = signs_for(console.encoding)
        console.print(question_view(question, signs))
        while True:
            console.print(f"[bold yellow]answer {signs.prompt}[/] ", end="")
            try:
                answer = (await lines.next()).strip()
            except EOFError:
                return None
            if answer:
                return answer
