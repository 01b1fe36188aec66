"""JobRunner: what a job's run is: an ordinary durable run, under its owner's profile, with the firing's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.config import AppConfig
from agent.contracts import Command, Dest, Incoming, RunRequest
from agent.delivery import Channels, Parcel
from agent.dispatcher import Dispatcher
from agent.run.outcomes import RUN_TASK
from agent.run.runs import Runs
from agent.schedules.owner import JobOwner, owner_of, profile_of
from aura_core.errors import AuraError, ScheduleError
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import text_of
from aura_core.scheduler.job import Firing, FiringEnd, Job

EVENT_INPUT = "event"
"""A task that has an input of this name learns what happened."""
ENDS: Mapping[str, FiringEnd] = {"ok": FiringEnd(), "cancelled": FiringEnd("cancelled")}


_log = get_logger("agent.schedules")


@dataclass(frozen=True, slots=True)
class JobRunner:
    """Runs firings; the same firing again goes on with its run, or finds that it has ended.

    Attributes:
        config: says who belongs to which profile.
        dispatcher: says what a profile may use.
        channels: those that are here.
        runs: begins, awaits and cancels them.
    """

    config: AppConfig
    dispatcher: Dispatcher
    channels: Channels
    runs: Runs
    _said: set[str] = field(default_factory=set[str], init=False)

    def accepts(self, job: Job) -> bool:
        """Whether the result could be delivered by this program; a job for another channel waits for that one."""
        try:
            channel = owner_of(job.owner).channel
        except ScheduleError as error:
            if job.id not in self._said:
                self._said.add(job.id)
                _log.error("job unreadable", job=job.id, reason=str(error))
            return False
        return not channel or channel in self.channels

    async def start(self, job: Job, firing: Firing) -> FiringEnd:
        """Runs a firing to its end; see `aura_core.scheduler.Scheduler`."""
        owner, engine = owner_of(job.owner), self.runs.engine
        if await engine.get(firing.id) is None:
            try:
                request = self._request(job, firing, owner)
            except AuraError as error:
                _log.warning("job refused", job=job.id, task=job.task, reason=str(error))
                text, dest = f"{job.title or job.task} could not run: {text_of(error)}", Dest(owner.dest)
                parcel = Parcel(key=f"{firing.id}/refused", session_id=owner.session_id, dest=dest, text=text)
                await self.runs.deliveries.hand_over(parcel)
                return FiringEnd("refused", text_of(error) or "")
            await engine.start(RUN_TASK, request.model_dump(mode="json"), id=firing.id)
        await engine.resume(firing.id)
        outcome = await self.runs.settled(firing.id)
        if outcome.status == "waiting":
            if outcome.questions and not owner.channel:
                await self.runs.cancel(firing.id)
                asked = outcome.questions[0].text
                return FiringEnd("error", f"It asked {asked!r}, and nobody is there to answer; it was cancelled.")
            await engine.outcome(firing.id)
            outcome = await self.runs.settled(firing.id)
        return ENDS.get(outcome.status) or FiringEnd("error", outcome.answer)

    def _request(self, job: Job, firing: Firing, owner: JobOwner) -> RunRequest:
        """The run of a firing.

        Raises:
            NotAllowedError: the profile does not allow the task (any more).
            NotFoundError: the task is not there (any more).
        """
        profile = profile_of(owner, self.config)
        card = self.dispatcher.card(job.task, profile)
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
