"""Caller: whoever waits for an order, in this program or beyond the socket: is told, is shown progress, is asked."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agent.contracts import Dest, Question

if TYPE_CHECKING:
    from aura_core.ground.events import EventBus

CHANNEL = "local"
"""Where answers of commands go. The command prints them itself, so this channel shows nothing."""


def command_dest(lasting: str) -> Dest:
    """Where a command's run answers.

    Args:
        lasting: the channel for what comes when the command has ended long ago, such as a reminder.
    """
    return Dest({"channel": CHANNEL, "lasting": {"channel": lasting}})


class Caller(Protocol):
    """What an order needs of whoever gave it.

    Attributes:
        run_id: the run that its order began or goes on with; empty if there is none.
    """

    run_id: str

    async def began(self, run_id: str) -> None:
        """The request is stored as this run."""
        ...

    async def say(self, text: str, style: str = "") -> None:
        """Shows one line beside the result; `style` is how rich would draw it."""
        ...

    async def to(self, question: Question) -> str | None:
        """The answer to a question; None if nobody gives one."""
        ...

    async def lost(self, notices: list[str]) -> None:
        """Tells what was damaged and set aside; whoever is told last knows whether a person saw it."""
        ...

    def watching(self, events: EventBus, run_id: str) -> AbstractAsyncContextManager[object]:
        """Shows the progress of a run, for the block."""
        ...


class CommandTransport:
    """The channel of commands: takes everything, and leaves it to the command to print how its run ended."""

    name = CHANNEL

    async def send_text(self, dest: dict[str, Any], text: str, *, key: str) -> None:
        """The answer: it is in the outcome. See `Transport`."""

    async def send_file(self, dest: dict[str, Any], path: Path, caption: str, *, key: str) -> None:
        """A file: it is among the artifacts of the outcome. See `Transport`."""

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        """A question: it is in the outcome. See `Transport`."""
