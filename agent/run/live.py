"""LiveRun: the in-memory side of one run in this process: its meter, its speculation, whether it waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from agent.contracts import Contract, Profile, RunRequest
from agent.llm.meter import Meter
from agent.run.state import RunState
from agent.steps.speculation import Speculation


class Opened(Contract):
    """What a run knows when it begins; recorded, so that a replay plans from the same knowledge.

    Attributes:
        history: the conversation so far, as bounded text.
        memory: MEMORY.md, bounded; empty where the profile has none.
        files: names of the session's files.
        now: local date and time, ISO 8601 with offset.
        task_key: the conversation that the run belongs to.
    """

    history: str = ""
    memory: str = ""
    files: list[str] = Field(default_factory=list)
    now: str = ""
    task_key: str = "main"


@dataclass(slots=True)
class LiveRun:
    """One run while it is in this process.

    Attributes:
        request: its durable arguments.
        profile: under which it runs.
        meter: counts what all of its steps spend, side by side ones together.
        state: rebuilt on replay.
        opened: set by the first step.
        speculation: read-only steps started early.
        waiting: set while all that is left waits for a person.
        seconds: working seconds so far, waiting for the person not counted.
        has_turn: whether it is the session's turn to work.
        resumed: whether it began in an earlier process.
    """

    request: RunRequest
    profile: Profile
    meter: Meter
    state: RunState = field(default_factory=RunState)
    opened: Opened = field(default_factory=Opened)
    speculation: Speculation = field(default_factory=Speculation)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: float = 0.0
    has_turn: bool = False
    resumed: bool = False

    @property
    def id(self) -> str:
        """The run's id, which is also its correlation id."""
        return self.request.run_id

    @property
    def session_id(self) -> str:
        """The session it belongs to."""
        return self.request.incoming.session_id

    @property
    def dest(self) -> dict[str, Any]:
        """Where its answer goes."""
        return self.request.incoming.dest

    @property
    def text(self) -> str:
        """The person's words, with the files that came along named."""
        incoming = self.request.incoming
        if not incoming.files:
            return incoming.text
        return f"{incoming.text}\n(attached files: {', '.join(incoming.files)})".strip()
