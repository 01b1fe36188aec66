"""The caller of a command's order: this terminal, or the script that runs the command."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.cli.invocation import err, remark, say_notices
from agent.cli.questions import Answers
from aura_core.storage.losses import Losses

if TYPE_CHECKING:
    from pathlib import Path

    from agent.cli.watch import Watch
    from agent.contracts import Question
    from aura_core.ground.events import EventBus


class CommandCaller:
    """Implements `agent.channels.local.caller.Caller` on standard error and standard input.

    Args:
        home: AURA_HOME.
        given: answers to questions, in order, before anybody is asked.
    """

    def __init__(self, home: Path, given: Sequence[str]) -> None:
        self.run_id = ""
        self._home = home
        self._answers = Answers(given)
        self._watch: Watch | None = None

    async def began(self, run_id: str) -> None:
        """See `Caller`."""
        self.run_id = run_id

    async def say(self, text: str, style: str = "") -> None:
        """See `Caller`."""
        remark(text, style)

    async def lost(self, notices: list[str]) -> None:
        """See `Caller`."""
        say_notices(notices, Losses(self._home).seen)

    async def to(self, question: Question) -> str | None:
        """See `Caller`."""
        if self._watch is None:
            return await self._answers.to(question)
        self._watch.pause()
        answer = await self._answers.to(question)
        if answer is not None:
            self._watch.go_on()
        return answer

    @asynccontextmanager
    async def watching(self, events: EventBus, run_id: str) -> AsyncGenerator[None]:  # noqa: ARG002 (all events are of this run)
        """See `Caller`."""
        from agent.cli.watch import Watch

        async with Watch(events, err()).running() as self._watch:
            yield
        self._watch = None
