"""Laws of a job's queue, whatever happens to the job in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aura_core.errors import ScheduleError
from aura_core.scheduler.job import Firing, FiringEnd, Job
from aura_core.scheduler.job_documents import job_of, value_of
from aura_core.scheduler.job_queue import asked, begun, corrected, ended, fired, redeclared
from aura_core.scheduler.misfire import MOST
from aura_core.scheduler.triggers import Cron, Every, next_after

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TRIGGERS = st.sampled_from([Every(1.0, START), Every(60.0, START), Every(3600.0, START), Cron("*/7 * * * *", "UTC")])
POLICIES = st.sampled_from(["skip", "once", "all"])
STEPS = st.one_of(
    st.tuples(st.just("clock"), st.integers(-7200, 7200)),
    st.tuples(st.sampled_from(["event", "asked", "end", "begin", "edit"]), st.integers(1, 5)),
)


@dataclass
class World:
    """A job, a clock, and what has run."""

    job: Job
    now: datetime = START
    ended: list[str] = field(default_factory=list[str])

    def step(self, name: str, number: int) -> None:
        if name == "clock":
            before, self.now = self.now, self.now + timedelta(seconds=number)
            self.job = corrected(self.job, self.now) if self.now < before else self.job
            self.job, _ = fired(self.job, self.now)
        elif name == "end" and self.job.queue:
            self.ended.append(self.job.queue[0].id)
            self.job = ended(self.job, self.job.queue[0], FiringEnd())
        elif name == "begin":
            self.job = begun(self.job)
        elif name == "edit":
            self.job = redeclared(self.job, Job("a", "b/c", Every(60.0 * number, self.now), missed="all"), self.now)
        elif name in ("event", "asked"):
            self.ask(Firing("", "a", self.now, "event" if name == "event" else "asked"))

    def ask(self, firing: Firing) -> None:
        try:
            self.job, _ = asked(self.job, firing)
        except ScheduleError:
            assert len(self.job.queue) == MOST


@given(TRIGGERS, POLICIES, st.lists(STEPS, max_size=40))
def test_whatever_happens_a_queue_is_bounded_its_moments_are_different_and_no_job_is_silenced(trigger, policy, steps):
    world = World(Job("a", "b/c", trigger, missed=policy, next_at=next_after(trigger, START)))
    for step in steps:
        world.step(*step)
        job = world.job
        names = [firing.id for firing in job.queue]
        assert len(names) == len(set(names)) <= MOST
        assert job.next_at is not None
        assert job.next_at <= (next_after(job.trigger, world.now) or job.next_at), "it waits for a future that is gone"
    assert job_of("a", value_of(world.job)) == world.job
    world.step("clock", 0)
    while world.job.queue:
        world.step("end", 1)
        world.step("clock", 0)
    assert world.job.next_at > world.now
    assert world.job.last_status == ("ok" if world.ended else "")


@given(TRIGGERS, POLICIES, st.integers(0, 10**6))
def test_firing_twice_at_one_moment_is_firing_once(trigger, policy, late):
    job = Job("a", "b/c", trigger, missed=policy, next_at=next_after(trigger, START))
    now = START + timedelta(seconds=late)
    once, _ = fired(job, now)
    assert fired(once, now) == (once, None)
    assert all(firing.due <= now for firing in once.queue)
