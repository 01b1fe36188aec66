"""JobRunner: what a job's run is: an ordinary durable run, under its owner's profile, with the firing's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.addresses import Address
from agent.config import AppConfig
from agent.contracts import Command, Dest, Incoming, RunOutcome, RunRequest
from agent.delivery import Channels
from agent.dispatcher import Dispatcher
from agent.run.outcomes import RUN_TASK
from agent.run.runs import Runs
from agent.schedules.owner import JobOwner, owner_of, profile_of
from agent.schedules.receivers import receivers
from agent.schedules.telling import Telling
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
        telling: reaches those who are to know.
    """

    config: AppConfig
    dispatcher: Dispatcher
    channels: Channels
    runs: Runs
    telling: Telling
    _said: set[str] = field(default_factory=set[str], init=False)

    def accepts(self, job: Job) -> bool:
        """Whether the result could be delivered by this program; a job for another channel waits for that one."""
        try:
            reached = self.telling.reached(job, owner_of(job.owner))
        except ScheduleError as error:
            if job.id not in self._said:
                self._said.add(job.id)
                _log.error("job unreadable", job=job.id, reason=str(error))
            return False
        return not reached or reached[0].channel in self.channels

    async def start(self, job: Job, firing: Firing) -> FiringEnd:
        """Runs a firing to its end; see `aura_core.scheduler.Scheduler`."""
        owner = owner_of(job.owner)
        reached = self.telling.reached(job, owner)
        end = await self._run(job, firing, owner, reached)
        await self.telling.unheard(job, firing, end, reached)
        problems = receivers(job.deliver, self.config).problems
        if end.status == "ok" and problems:
            return FiringEnd("ok", f"not everybody was told: {'; '.join(problems)}")
        return end

    async def _run(self, job: Job, firing: Firing, owner: JobOwner, reached: Sequence[Address]) -> FiringEnd:
        engine = self.runs.engine
        if await engine.get(firing.id) is None:
            try:
                request = self._request(job, firing, owner, reached)
            except AuraError as error:
                _log.warning("job refused", job=job.id, task=job.task, reason=str(error))
                said = text_of(error) or ""
                await self.telling.failure(job, firing, "refused", f"could not run: {said}", reached)
                return FiringEnd("refused", said)
            await engine.start(RUN_TASK, request.model_dump(mode="json"), id=firing.id)
        await engine.resume(firing.id)
        outcome = await self.runs.settled(firing.id)
        if outcome.status == "waiting":
            if outcome.questions and not reached:
                await self.runs.cancel(firing.id)
                asked = outcome.questions[0].text
                return FiringEnd("error", f"It asked {asked!r}, and nobody is there to answer; it was cancelled.")
            await engine.outcome(firing.id)
            outcome = await self.runs.settled(firing.id)
        await self._tell(job, firing, outcome, reached)
        return ENDS.get(outcome.status) or FiringEnd("error", outcome.answer)

    async def _tell(self, job: Job, firing: Firing, outcome: RunOutcome, reached: Sequence[Address]) -> None:
        """Tells what the run itself has not: all if it broke off, and everybody but the one in whose chat it ran."""
        record = await self.runs.history.record(firing.id)
        if record.status == "failed":
            await self.telling.failure(job, firing, "broke-off", f"failed. {outcome.answer}", reached)
        elif outcome.status in ("ok", "error"):
            request = RunRequest.model_validate(record.args).incoming
            others = [address for address in reached if address.dest != request.dest.root]
            await self.telling.copies(firing, outcome, request.session_id, others if len(reached) > 1 else ())

    def _request(self, job: Job, firing: Firing, owner: JobOwner, reached: Sequence[Address]) -> RunRequest:
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
        at = reached[0] if reached else Address(owner.person, owner.session_id, owner.dest)
        incoming = Incoming(
            session_id=at.session_id, person=at.person, text=text, dest=Dest(at.dest), untrusted=owner.untrusted
        )
        command = Command(task=card.task, inputs=inputs)
        return RunRequest(
            run_id=firing.id,
            incoming=incoming,
            profile=profile.name,
            permissions=profile,
            source="schedule",
            command=command,
        )
