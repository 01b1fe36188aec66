"""How a job moves on: pure functions from a job to the same job after something has happened to it.

Each is applied to the job as it is kept at that moment, so an edit or a removal that came before it counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from aura_core.errors import ScheduleError
from aura_core.scheduler.events import JobSkipped
from aura_core.scheduler.job import Firing, FiringEnd, Job, firing_id
from aura_core.scheduler.misfire import MOST, moments_to_run
from aura_core.scheduler.triggers import Cron, Every, next_after

GRACE = timedelta(minutes=1)
"""What is noticed later than this was missed: the program was away, or the machine asleep."""
TICK = timedelta(microseconds=1)
Moved = tuple[Job, JobSkipped | None]
"""The job afterwards; and if it was to run and does not, why."""


def fired(job: Job, now: datetime) -> Moved:
    """The job with the moments that have come in its queue, and its next one planned; the same if it is not due.

    A job never runs beside itself. While its run goes on, a moment is skipped, or queued if the job wants them all.
    What was missed is not skipped for that reason: the job stays due until the run has ended; and so it does while its
    queue is full.

    Raises:
        ScheduleError: its time zone is gone.
    """
    due = job.next_at
    if due is None or due > now:
        return job, None
    busy = _busy(job)
    if busy and (job.missed == "all" or (job.missed == "once" and now - due > GRACE)):
        return job, None
    planned = replace(job, next_at=next_after(job.trigger, now))
    moments = [] if busy else moments_to_run(job.trigger, job.missed, due, now, GRACE)
    if moments:
        room = MOST - len(job.queue)
        return _queued(planned, [Firing(firing_id(job.id, moment), job.id, moment) for moment in moments[-room:]]), None
    if busy and firing_id(job.id, due) in _ids(job):
        return planned, None  # the clock was put back: it is this moment that runs
    return planned, JobSkipped(job, due, "still running" if busy else "missed")


def asked(job: Job, firing: Firing) -> Moved:
    """The job with a firing in its queue that no clock asked for; it gets an id of its own.

    Raises:
        ScheduleError: a person asks, and too many wait already.
    """
    if firing.reason == "event" and _busy(job):
        return job, JobSkipped(job, firing.due, "still running")
    if len(job.queue) >= MOST:
        raise ScheduleError(f"{len(job.queue)} runs of the job {job.id} wait already.")
    due = firing.due
    if job.last_at is not None and timedelta(0) <= job.last_at - due < timedelta(seconds=1):
        due = job.last_at + TICK  # several at one moment
    return _queued(job, [replace(firing, id=firing_id(job.id, due), due=due)]), None


def begun(job: Job) -> Job:
    """The job while the first firing of its queue runs."""
    return replace(job, last_status="running", last_message="") if job.queue else job


def ended(job: Job, firing: Firing, end: FiringEnd) -> Job:
    """The job after a firing; the first end of a firing counts."""
    if firing.id not in _ids(job):
        return job
    queue = tuple(one for one in job.queue if one.id != firing.id)
    return replace(job, queue=queue, last_status=end.status, last_message=end.message)


def corrected(job: Job, now: datetime) -> Job:
    """The job planned anew if it was planned while the clock was ahead of the truth: it would wait for that future.

    A true clock has no moment of a job between now and the planned one. What has no moment although its rule gives
    one is planned as well.
    """
    if not isinstance(job.trigger, Cron | Every) or (job.next_at is not None and job.next_at <= now):
        return job
    next_at = next_after(job.trigger, now)
    earlier = next_at is not None and (job.next_at is None or next_at < job.next_at)
    return replace(job, next_at=next_at) if earlier else job


def redeclared(job: Job, declared: Job, now: datetime) -> Job:
    """The job as its plan declares it now; its moments change only with its trigger, and an interval counts on."""
    said = replace(
        declared,
        created_at=job.created_at,
        next_at=job.next_at,
        last_at=job.last_at,
        last_status=job.last_status,
        last_message=job.last_message,
        queue=job.queue,
    )
    before, after = job.trigger, declared.trigger
    if isinstance(before, Every) and isinstance(after, Every) and before.seconds == after.seconds:
        return replace(said, trigger=before)
    return said if before == after else replace(said, next_at=next_after(after, now))


def _queued(job: Job, firings: Iterable[Firing]) -> Job:
    new = [firing for firing in firings if firing.id not in _ids(job)]
    if not new:
        return job
    waits = new[0].reason == "asked" and job.last_status != "running"
    status = "asked" if waits else "running"
    return replace(job, queue=(*job.queue, *new), last_at=new[-1].due, last_status=status, last_message="")


def _busy(job: Job) -> bool:
    """Whether there is no room in the queue for what nobody asks for by hand."""
    return len(job.queue) >= (MOST if job.missed == "all" else 1)


def _ids(job: Job) -> set[str]:
    return {firing.id for firing in job.queue}
