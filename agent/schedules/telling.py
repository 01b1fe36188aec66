"""Telling: the results and failures of a job reach the chats of those who are to know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.addresses import Address
from agent.config import AppConfig
from agent.contracts import Dest, RunOutcome
from agent.delivery import Channels, Deliveries, Parcel
from agent.schedules.owner import JobOwner
from agent.schedules.receivers import owner_address, receivers
from aura_core.scheduler.job import Firing, FiringEnd, Job

TOLD_ONCE = "This is told once, until it works again; whom `deliver` in its schedule names is told each time."


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells people what became of jobs.

    Attributes:
        config: knows the profiles.
        channels: those that are here.
        deliveries: hand texts and files over, later if a channel is away.
    """

    config: AppConfig
    channels: Channels
    deliveries: Deliveries
    _failing: set[str] = field(default_factory=set[str], init=False)

    def reached(self, job: Job, owner: JobOwner) -> tuple[Address, ...]:
        """Who is told of a job, those first whose channel is here; the first one's chat is where it runs."""
        if owner.channel:
            return (Address(owner.person, owner.session_id, owner.dest),)
        found = receivers(job.deliver, self.config).addresses
        return tuple(sorted(found, key=lambda address: address.channel not in self.channels))

    async def copies(self, firing: Firing, outcome: RunOutcome, session_id: str, to: Iterable[Address]) -> None:
        """Hands the answer and the files of a run to others than the one in whose chat it ran.

        Args:
            firing: its id is that of the run.
            outcome: how the run ended.
            session_id: whose files they are.
            to: the others.
        """
        files = {file.path: file.caption for result in outcome.results for file in result.artifacts}
        for address in to:
            key, dest = f"{firing.id}/copy/{address.person or address.channel}", Dest(address.dest)
            await self.deliveries.hand_over(Parcel(key=key, session_id=session_id, dest=dest, text=outcome.answer))
            for path, caption in files.items():
                await self.deliveries.hand_over(
                    Parcel(key=f"{key}/{path}", session_id=session_id, dest=dest, file=path, caption=caption)
                )

    async def failure(self, job: Job, firing: Firing, kind: str, text: str, to: Iterable[Address]) -> None:
        """Tells of a failure that no run has told.

        Args:
            job: the job.
            firing: the time of it that failed.
            kind: tells the message from others of the same firing.
            text: what went wrong, behind the job's title.
            to: who is told.
        """
        for number, address in enumerate(to):
            key = f"{firing.id}/{kind}/{number}" if number else f"{firing.id}/{kind}"
            told = f"{job.title or job.task} {text}"
            parcel = Parcel(key=key, session_id=address.session_id, dest=Dest(address.dest), text=told)
            await self.deliveries.hand_over(parcel)

    async def unheard(self, job: Job, firing: Firing, end: FiringEnd, reached: Sequence[Address]) -> None:
        """Tells the owner of a plan's job that fails and tells nobody: once, until it works again."""
        if end.status == "ok":
            self._failing.discard(job.id)
        elif end.status in ("error", "refused") and not reached and job.id not in self._failing:
            self._failing.add(job.id)
            here = [address for address in owner_address(self.config) if address.channel in self.channels]
            told = (
                f"failed: {end.message}\n\n(It is told once, until it works again; `deliver` in its schedule names who"
            )
            await self.failure(job, firing, "unheard", f"{told} is told always.)", here)
