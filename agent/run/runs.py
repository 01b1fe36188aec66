"""Runs: what is done with runs from outside: begin one, wait until it has settled, cancel it, go on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from agent.config import AppConfig
from agent.contracts import Command, Dest, Incoming, Profile, RunOutcome, RunRequest, run_id_of
from agent.delivery import Deliveries
from agent.errors import NotAllowedError
from agent.progress import Progress, QuestionClosed, RunEnded
from agent.questions.service import QuestionService
from agent.run.missing_plugins import MissingPlugins
from agent.run.outcomes import RUN_TASK, RunHistory
from agent.run.state import LiveRun
from aura_core.durable.protocol import UNFINISHED, Engine, TaskRecord
from aura_core.ground.events import EventBus, Subscription


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of an AURA_HOME, for the program that works on it.

    Attributes:
        config: says who belongs to which profile.
        engine: remembers them.
        live: those that this process runs, by id.
        events: tell that one has moved.
        questions: closes those of a cancelled run.
        missing_plugins: knows which wait for a plan that cannot be used.
        deliveries: go on together with the runs.
    """

    config: AppConfig
    engine: Engine
    live: Mapping[str, LiveRun]
    events: EventBus
    questions: QuestionService
    missing_plugins: MissingPlugins
    deliveries: Deliveries

    @property
    def history(self) -> RunHistory:
        """What is remembered of them."""
        return RunHistory(self.engine)

    async def begin(
        self, incoming: Incoming, command: Command | None = None, profile: Profile | None = None
    ) -> str | None:
        """Stores a message and begins its run; None if a message with its key was taken before.

        Raises:
            NotAllowedError: the profile, or the person's if none is given, may use nothing.
        """
        profile = profile or self.config.profile_of(incoming.person)
        if not profile.allow:
            raise NotAllowedError(f"The profile {profile.name!r} may not use this assistant.")
        run_id = run_id_of(incoming.key)
        if await self.engine.get(run_id) is not None:
            return None
        request = RunRequest(
            run_id=run_id,
            incoming=incoming,
            profile=profile.name,
            permissions=profile,
            source="chat" if command is None else "command",
            command=command,
        )
        return await self.engine.start(RUN_TASK, request.model_dump(mode="json"), id=run_id)

    async def settled(self, run_id: str) -> RunOutcome:
        """Waits until the run has ended, or until all that is left of it waits for a person, or for its broken plan.

        Raises:
            RunNotFoundError: no such run.
        """

        async def waits(moves: Subscription[Progress]) -> RunOutcome:
            while True:
                if run_id in self.live and self.live[run_id].waiting:
                    outcome = await self.history.outcome(run_id)
                    if outcome.status == "waiting" or self.missing_plugins.told(run_id):
                        return outcome.model_copy(update={"status": "waiting"})
                await moves.next()

        with self.events.subscribe(Progress, lambda event: event.run_id == run_id) as moves:
            ended, waiting = asyncio.create_task(self.engine.outcome(run_id)), asyncio.create_task(waits(moves))
            try:
                await asyncio.wait({ended, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if not ended.done():
                    return waiting.result()
                ended.result()
                return await self.history.outcome(run_id)
            finally:
                ended.cancel()
                waiting.cancel()
                await asyncio.gather(ended, waiting, return_exceptions=True)

    async def stop(self, session_id: str) -> int:
        """Cancels the session's runs; returns when their work has really ended, and how many they were."""
        stopped = 0
        for record in await self._unfinished():
            if record.args["incoming"]["session_id"] == session_id:
                stopped += await self.cancel(record.id)
        return stopped

    async def cancel(self, run_id: str) -> bool:
        """Cancels one run and closes its questions; False if it had ended.

        Raises:
            RunNotFoundError: no such run.
        """
        record = await self.history.record(run_id)
        questions = await self.questions.open(run_id=run_id)
        if not await self.engine.cancel(run_id):
            return False
        session_id = record.args["incoming"]["session_id"]
        for question in questions:
            self.events.publish(QuestionClosed(run_id, session_id, question.id))
        await self.questions.close_left(run_id)
        self.events.publish(RunEnded(run_id, session_id, "cancelled", ""))
        return True

    async def resume(self, *, channel: str | None = None, run_id: str | None = None) -> list[str]:
        """Goes on with unfinished runs after a restart, and with answers that were not delivered; see `App.resume`."""
        resumed: list[str] = []
        for record in reversed(await self._unfinished()):
            wanted = run_id in (None, record.id) and channel in (None, Dest(record.args["incoming"]["dest"]).channel)
            if wanted and await self.engine.resume(record.id):
                resumed.append(record.id)
        if run_id is None:
            await self.deliveries.resume(channel)
        return resumed

    async def _unfinished(self) -> list[TaskRecord]:
        return list(await self.engine.list(task=RUN_TASK, statuses=UNFINISHED, limit=None))
