"""JobRunner: what a job's run is: an ordinary durable run, under its owner's profile, with the firing's id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from agent.config import AppConfig
from agent.contracts import Command, Dest, Incoming, RunOutcome, RunRequest, Transport
from agent.dispatcher import Dispatcher
from agent.run.outcomes import RUN_TASK
from agent.schedules.owner import JobOwner, owner_of, profile_of
from aura_core.durable.protocol import Engine
from aura_core.errors import AuraError, ScheduleError
from aura_core.ground.logger import get_logger
from aura_core.scheduler.job import Firing, FiringEnd, Job

EVENT_INPUT = "event"
"""A task that has an input of this name learns what happened."""
ENDS: Mapping[str, FiringEnd] = {"ok": FiringEnd(), "cancelled": FiringEnd("cancelled")}


class JobRunner:
    """Runs firings; the same firing again goes on with its run, or finds that it has ended.

    Args:
        config: says who belongs to which profile.
        engine: runs durably.
        dispatcher: says what a profile may use.
        transports: channels by name.
        settled: waits until a run has ended, or all that is left of it waits for a person.
        cancel: cancels a run.
    """

    def __init__(
        self,
        config: AppConfig,
        *,
        engine: Engine,
        dispatcher: Dispatcher,
        transports: Mapping[str, Transport],
        settled: Callable[[str], Awaitable[RunOutcome]],
        cancel: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._config = config
        self._engine = engine
        self._dispatcher = dispatcher
        self._transports = transports
        self._settled = settled
        self._cancel = cancel
        self._said: set[str] = set()
        self._log = get_logger("agent.schedules")

    def accepts(self, job: Job) -> bool:
        """Whether the result could be delivered by this program; a job for another channel waits for that one."""
        try:
            channel = owner_of(job.owner).channel
        except ScheduleError as error:
            if job.id not in self._said:
                self._said.add(job.id)
                self._log.error("job unreadable", job=job.id, reason=str(error))
            return False
        return not channel or channel in self._transports

    async def start(self, job: Job, firing: Firing) -> FiringEnd:
        """Runs a firing to its end; see `aura_core.scheduler.Scheduler`."""
        owner = owner_of(job.owner)
        if await self._engine.get(firing.id) is None:
            try:
                request = self._request(job, firing, owner)
            except AuraError as error:
                self._log.warning("job refused", job=job.id, task=job.task, reason=str(error))
                await self._tell(owner, f"{job.title or job.task} could not run: {error}", f"{firing.id}/refused")
                return FiringEnd("refused", str(error))
            await self._engine.start(RUN_TASK, request.model_dump(mode="json"), id=firing.id)
        await self._engine.resume(firing.id)
        outcome = await self._settled(firing.id)
        if outcome.status == "waiting":
            if not owner.channel:
                await self._cancel(firing.id)
                question = outcome.questions[0].text if outcome.questions else "something"
                return FiringEnd("error", f"It asked {question!r}, and nobody is there to answer; it was cancelled.")
            await self._engine.outcome(firing.id)
            outcome = await self._settled(firing.id)
        return ENDS.get(outcome.status) or FiringEnd("error", outcome.answer)

    def _request(self, job: Job, firing: Firing, owner: JobOwner) -> RunRequest:
        """The run of a firing.

        Raises:
            NotAllowedError: the profile does not allow the task (any more).
            NotFoundError: the task is not there (any more).
        """
        profile = profile_of(owner, self._config)
        card = self._dispatcher.card(job.task, profile)
        inputs = dict(job.inputs)
        if firing.event and EVENT_INPUT in card.properties:
            inputs.setdefault(EVENT_INPUT, firing.event)
        text = f"(scheduled) {job.title or card.title}"
        incoming = Incoming(session_id=owner.session_id, person=owner.person, text=text, dest=Dest(owner.dest))
        command = Command(task=card.task, inputs=inputs)
        return RunRequest(
            run_id=firing.id,
            incoming=incoming,
            profile=profile.name,
            permissions=profile,
            source="schedule",
            command=command,
        )

    async def _tell(self, owner: JobOwner, text: str, key: str) -> None:
        transport = self._transports.get(owner.channel)
        if transport is None:
            return
        try:
            await transport.send_text(owner.dest, text, key=key)
        except AuraError as error:
            self._log.warning("the owner of a job was not told", key=key, error=str(error))
