"""Scheduler: jobs start when they are due, once per moment, also after a stop, a kill or a change of the clock."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import pytest
import structlog.testing
import tzlocal

from aura_core.data.plan_state import StateSetAside
from aura_core.errors import HomeNotWritableError, NotFoundError, ScheduleError
from aura_core.execution.task_events import TaskChanged
from aura_core.ground.events import EventBus
from aura_core.interrupts.events import InterruptFired
from aura_core.language.posix_zone import posix_zone
from aura_core.scheduler import job_queue, triggers, zones
from aura_core.scheduler.events import JobEnded, JobFired, JobSkipped
from aura_core.scheduler.job import Firing, FiringEnd, Job
from aura_core.scheduler.jobs import Jobs, no_job
from aura_core.scheduler.old_file import copy_jobs
from aura_core.scheduler.scheduler import KEPT, Scheduler
from aura_core.scheduler.six_fields import told_of_seconds
from aura_core.scheduler.topics import TOPICS
from aura_core.scheduler.triggers import At, Cron, Every, OnEvent, next_after
from aura_core.scheduler.when import trigger_of
from aura_core.scheduler.zones import machine_timezone
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments
from aura_core.tasklet import TaskError

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Store(SqliteDocuments):
    """Documents that a test can interrupt or break."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failures: list[Exception] = []
        self.before_put: Callable[[], Awaitable[object]] | None = None
        self.broken: Exception | None = None
        self.looks = 0

    async def revision(self, namespace: str) -> int:
        self.looks += 1
        if self.broken is not None:
            raise self.broken
        return await super().revision(namespace)

    async def put(self, namespace, key, value, *, expected=None):
        if self.failures:
            raise self.failures.pop()
        interrupt, self.before_put = self.before_put, None
        if interrupt is not None:
            await interrupt()
        return await super().put(namespace, key, value, expected=expected)


class World:
    """A clock that a test turns, the file of a home, and what was run."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "aura.db"
        self.time = START
        self.bus = EventBus()
        self.ran: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.failing: set[str] = set()
        self.cancelling: set[str] = set()
        self.refused: set[str] = set()
        self.ends: dict[str, FiringEnd] = {}

    @property
    def begun(self) -> list[str]:
        """What a durable engine would have begun: a run that there is already is not begun again."""
        return list(dict.fromkeys(self.ran))

    async def run(self, job: Job, firing: Firing) -> FiringEnd:
        self.ran.append(firing.id)
        if job.id in self.gates:
            await self.gates[job.id].wait()
        if job.id in self.cancelling:
            raise asyncio.CancelledError
        if job.id in self.failing:
            raise RuntimeError("broken")
        return self.ends.get(job.id, FiringEnd())

    @asynccontextmanager
    async def jobs(self):
        """The jobs as a program sees them that does not run any."""
        async with Database(self.path, [DOCUMENTS]) as database:
            yield Jobs(Store(database), lambda: self.time)

    @asynccontextmanager
    async def scheduler(self, declared=None, held=no_job):
        async with self.jobs() as jobs:
            scheduler = Scheduler(
                jobs,
                self.run,
                events=self.bus,
                accepts=lambda job: job.id not in self.refused,
                look_seconds=0.02,
            )
            await scheduler.start(declared, held)
            try:
                yield scheduler
            finally:
                await scheduler.stop()

    @asynccontextmanager
    async def expecting(self, *kinds):
        """Leaves when the bus has carried events of these kinds and no others; those of different jobs may mix."""
        with self.bus.subscribe(object, lambda event: isinstance(event, JobFired | JobEnded | JobSkipped)) as events:
            found = []
            yield found
            for _ in kinds:
                found.append(await events.next())  # noqa: PERF401 (a failure shows those that came)
            assert Counter(map(type, found)) == Counter(kinds), found

    def to(self, moment: datetime, scheduler: Scheduler) -> None:
        self.time = moment
        scheduler.jobs.wake()

    async def looked(self, scheduler: Scheduler, moment: datetime | None = None) -> None:
        """Sets the clock, and returns when the scheduler has looked at everything since."""
        if moment is not None:
            self.time = moment
        scheduler.jobs.wake()
        store = store_of(scheduler)
        wanted = store.looks + 3  # one that may have begun before, one that has not, and its end
        await self.until(lambda: store.looks >= wanted)

    async def until(self, condition) -> None:
        """Lets the others go on until a condition holds."""
        while not condition():  # noqa: ASYNC110 (nothing is told when it does)
            await asyncio.sleep(0)

    async def planned(self, scheduler: Scheduler, moment: datetime) -> None:
        """Waits until the first job is due next at this moment."""
        while (await scheduler.jobs.upcoming())[0].next_at != moment:  # noqa: ASYNC110 (the same)
            await asyncio.sleep(0)


def store_of(scheduler: Scheduler) -> Store:
    store = scheduler.jobs._documents
    assert isinstance(store, Store)
    return store


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def hourly(name: str = "tea", **more) -> Job:
    return Job(name, "kitchen/tea", Every(3600, START), **more)


async def test_a_job_runs_when_it_is_due_and_not_before(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
        async with world.expecting(JobFired, JobEnded):
            world.to(START + 2 * HOUR + MINUTE / 2, scheduler)
        assert world.ran == ["job:tea:2026-11-21T13:00:00Z", "job:tea:2026-11-21T14:00:00Z"]
        (job,) = await scheduler.jobs.upcoming()
        assert (job.next_at, job.last_at) == (START + 3 * HOUR, START + 2 * HOUR)
        assert job.last_status == "ok"


async def test_a_job_for_one_moment_runs_once_and_is_gone_from_the_list(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("egg", "kitchen/egg", At(START + MINUTE)))
        async with world.expecting(JobFired, JobEnded):
            world.to(START + MINUTE, scheduler)
        assert await scheduler.jobs.upcoming() == []
        assert not (await scheduler.jobs.add(Job("egg", "kitchen/egg", At(START + HOUR)))).next_at
        assert (await scheduler.jobs.add(Job("egg", "kitchen/egg", At(START)))).trigger == At(START + MINUTE)
    async with world.scheduler():
        pass
    assert len(world.ran) == 1


async def test_of_jobs_due_at_the_same_moment_the_higher_priority_starts_first(world):
    async with world.scheduler() as scheduler:
        for name, priority in {"low": -1, "high": 5, "middle": 0}.items():
            await scheduler.jobs.add(hourly(name, priority=priority))
        async with world.expecting(*[JobFired, JobEnded] * 3):
            world.to(START + HOUR, scheduler)
        assert [name.split(":")[1] for name in world.ran] == ["high", "middle", "low"]


@pytest.mark.parametrize(
    ("policy", "runs"), [("skip", []), ("once", ["15:00"]), ("all", ["13:00", "14:00", "15:00"])]
)  # fmt: skip
async def test_moments_at_which_nothing_ran_are_treated_as_the_job_says(world, policy, runs):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly(missed=policy))
    world.time = START + 3 * HOUR + 20 * MINUTE
    expected = [JobFired, JobEnded] * len(runs) or [JobSkipped]
    async with world.scheduler(), world.expecting(*expected):
        pass
    assert [name[-9:-4] for name in world.ran] == runs


async def test_what_was_recorded_and_not_ended_runs_again_under_the_same_id(world):
    world.gates["tea"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
    del world.gates["tea"]
    async with world.scheduler(), world.expecting(JobFired, JobEnded) as seen:
        pass
    assert world.ran == ["job:tea:2026-11-21T13:00:00Z"] * 2
    async with world.scheduler():
        pass
    assert len(world.ran) == 2
    assert seen[1].end == FiringEnd()


async def test_a_job_is_not_started_beside_itself(world):
    gate = world.gates["tea"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        async with world.expecting(JobSkipped) as seen:
            world.to(START + 2 * HOUR, scheduler)
        assert (seen[0].reason, seen[0].due) == ("still running", START + 2 * HOUR)
        async with world.expecting(JobEnded):
            gate.set()
        async with world.expecting(JobFired, JobEnded):
            world.to(START + 3 * HOUR, scheduler)
    assert len(world.ran) == 2


@pytest.mark.parametrize(("policy", "runs"), [("once", ["13:00", "16:00"]), ("skip", ["13:00"])])
async def test_moments_that_were_missed_while_an_old_run_is_taken_up_again_are_made_up_for(world, policy, runs):
    gate = world.gates["tea"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly(missed=policy))
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
    world.time = START + 4 * HOUR + 20 * MINUTE
    world.ran.clear()
    async with world.scheduler() as scheduler:
        async with world.expecting(JobFired, *[JobSkipped] * (policy == "skip")):
            pass
        await world.looked(scheduler)
        assert world.ran == ["job:tea:2026-11-21T13:00:00Z"]
        async with world.expecting(JobEnded, *[JobFired, JobEnded] * (policy == "once")):
            gate.set()
        await world.planned(scheduler, START + 5 * HOUR)
    assert [name[-9:-4] for name in world.ran] == runs


async def test_an_edit_of_a_trigger_counts_that_comes_while_its_job_is_being_started(world):
    daily = Job("tea", "kitchen/tea", Cron("0 13 * * *", "UTC"), source="plan")
    quick = replace(daily, trigger=Cron("*/5 * * * *", "UTC"))
    async with world.scheduler([daily]) as scheduler:
        await world.looked(scheduler)
        store_of(scheduler).before_put = partial(scheduler.jobs.declare, [quick])
        world.to(START + HOUR, scheduler)
        await world.planned(scheduler, START + HOUR + 5 * MINUTE)
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR + 5 * MINUTE, scheduler)
    assert world.ran == ["job:tea:2026-11-21T13:05:00Z"]


async def test_an_edit_of_a_trigger_counts_that_comes_while_its_job_is_being_skipped(world):
    gate = world.gates["tea"] = asyncio.Event()
    hourly_job = hourly(source="plan")
    async with world.scheduler([hourly_job]) as scheduler:
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        edited = replace(hourly_job, trigger=Every(300, START + 2 * HOUR))
        store_of(scheduler).before_put = partial(scheduler.jobs.declare, [edited])
        world.to(START + 2 * HOUR, scheduler)
        await world.planned(scheduler, START + 2 * HOUR + 5 * MINUTE)
        gate.set()


async def test_a_job_that_wants_every_moment_waits_for_its_former_run(world):
    gate = world.gates["tea"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly(missed="all"))
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        world.to(START + 2 * HOUR, scheduler)
        await world.planned(scheduler, START + 3 * HOUR)
        assert len(world.ran) == 1
        async with world.expecting(JobEnded, JobFired, JobEnded):
            gate.set()


async def test_a_job_that_is_removed_does_not_work_off_its_queue(world):
    gate = world.gates["tea"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly(missed="all"))
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        world.to(START + 3 * HOUR, scheduler)
        await world.planned(scheduler, START + 4 * HOUR)
        assert len((await scheduler.jobs.get("tea")).queue) == 3
        await scheduler.jobs.remove("tea")
        async with world.expecting(JobEnded):
            gate.set()
        await world.looked(scheduler)
        async with world.expecting(JobFired, JobEnded):
            await scheduler.jobs.add(hourly())
            await scheduler.jobs.run_now("tea")
    assert len(world.ran) == 2


async def test_a_queue_is_bounded_and_what_finds_no_room_stays_due(world, monkeypatch):
    monkeypatch.setattr(job_queue, "MOST", 3)
    gate = world.gates["tea"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly(missed="all"))
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        for _ in range(2):
            await scheduler.jobs.run_now("tea")
        with pytest.raises(ScheduleError, match="3 runs of the job tea wait already"):
            await scheduler.jobs.run_now("tea")
        await world.looked(scheduler, START + 2 * HOUR)
        assert (await scheduler.jobs.get("tea")).next_at == START + 2 * HOUR
        async with world.expecting(JobEnded, *[JobFired, JobEnded] * 3):
            gate.set()
    assert world.ran[-1] == "job:tea:2026-11-21T14:00:00Z"


async def test_what_waits_in_the_queue_runs_as_its_job_is_described_by_then(world):
    gate = world.gates["tea"] = asyncio.Event()
    job = hourly(missed="all", source="plan")
    async with world.scheduler([job]) as scheduler:
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        world.to(START + 2 * HOUR, scheduler)
        await world.planned(scheduler, START + 3 * HOUR)
        await scheduler.jobs.declare([replace(job, inputs={"cups": 2})])
        async with world.expecting(JobEnded, JobFired, JobEnded) as seen:
            gate.set()
        assert seen[1].job.inputs == {"cups": 2}


async def test_an_input_that_is_edited_from_1_to_true_is_taken_up(world):
    async with world.jobs() as jobs:
        job = hourly(source="plan", inputs={"sugar": 1})
        await jobs.declare([job])
        await jobs.declare([replace(job, inputs={"sugar": True})])
        assert (await jobs.get("tea")).inputs["sugar"] is True


async def test_only_jobs_that_were_changed_are_read_anew(world):
    async with world.jobs() as here, world.jobs() as elsewhere:
        await here.add(hourly("tea"))
        await here.add(hourly("milk"))
        before = await here.by_id()
        await elsewhere.run_now("milk")
        after = await here.by_id()
        assert after["tea"] is before["tea"]
        assert [firing.reason for firing in after["milk"].queue] == ["asked"]
        await elsewhere.remove("tea")
        assert set(await here.by_id()) == {"milk"}


async def test_a_run_that_is_cancelled_from_inside_has_ended_and_the_queue_goes_on(world):
    gate = world.gates["tea"] = asyncio.Event()
    world.cancelling.add("tea")
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly(missed="all"))
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        world.to(START + 2 * HOUR, scheduler)
        await world.planned(scheduler, START + 3 * HOUR)
        async with world.expecting(JobEnded, JobFired, JobEnded) as seen:
            gate.set()
        assert [event.end.status for event in seen if isinstance(event, JobEnded)] == ["cancelled", "cancelled"]
        assert (await scheduler.jobs.get("tea")).last_message == "Its run was cancelled."
    async with world.scheduler():
        pass
    assert len(world.ran) == 2


async def test_a_run_that_breaks_off_is_kept_as_an_error_and_the_others_go_on(world):
    world.failing.add("bad")
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly("bad"))
        await scheduler.jobs.add(hourly("good"))
        async with world.expecting(JobFired, JobFired, JobEnded, JobEnded):
            world.to(START + HOUR, scheduler)
        jobs = {job.id: job for job in await scheduler.jobs.upcoming()}
        assert (jobs["bad"].last_status, jobs["bad"].last_message) == ("error", "RuntimeError: broken")
        assert jobs["good"].last_status == "ok"
        async with world.expecting(JobFired, JobFired, JobEnded, JobEnded):
            world.to(START + 2 * HOUR, scheduler)


async def test_a_run_for_which_there_is_no_room_is_not_ended_and_goes_on_when_there_is(world):
    full = iter([True, True])

    async def run(_job: Job, firing: Firing) -> FiringEnd:
        world.ran.append(firing.id)
        if next(full, None):
            raise HomeNotWritableError("disk full")
        return FiringEnd()

    world.run = run
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired, JobFired, JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
        assert (await scheduler.jobs.get("tea")).last_status == "ok"
    assert world.begun == ["job:tea:2026-11-21T13:00:00Z"]


NO_UTF_8 = "no file b\udcff.txt"


async def test_an_end_whose_words_are_no_utf_8_is_kept_and_the_job_goes_on(world):
    world.ends["tea"] = FiringEnd("error", NO_UTF_8)
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        for hour in (1, 2):
            async with world.expecting(JobFired, JobEnded):
                world.to(START + hour * HOUR, scheduler)
        job = await scheduler.jobs.get("tea")
        assert (job.last_status, job.last_message) == ("error", "no file b\\udcff.txt")
    async with world.scheduler():
        pass
    assert len(world.ran) == 2


async def test_what_is_no_utf_8_in_a_job_and_in_an_event_is_kept_as_signs(world):
    async with world.scheduler() as scheduler:
        await watching(world, scheduler, Job("alarm", "watch/alarm", OnEvent("task.failed"), {"name": [NO_UTF_8]}))
        async with world.expecting(JobFired, JobEnded) as seen:
            world.bus.publish(TaskChanged("a/b", "", "", "error", TaskError("OSError", NO_UTF_8, "a/b")))
        assert seen[0].job.inputs == {"name": ["no file b\\udcff.txt"]}
        assert seen[0].firing.event["error"]["message"] == "no file b\\udcff.txt"


async def test_what_is_no_json_is_refused_in_words(world):
    async with world.scheduler() as scheduler:
        with pytest.raises(ScheduleError, match="The job tea cannot be kept"):
            await scheduler.jobs.add(hourly(inputs={"of": object()}))


async def test_a_job_of_a_plan_that_cannot_be_kept_stops_no_other(world):
    bad = hourly("bad", inputs={"of": object()}, source="plan")
    async with world.scheduler([bad, hourly("good", source="plan")]) as scheduler:
        assert list(await scheduler.jobs.by_id()) == ["good"]
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)


async def test_a_job_that_this_process_cannot_run_stays_due_until_it_can(world):
    world.refused.add("egg")
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("egg", "kitchen/egg", At(START + MINUTE)))
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
        assert [name.split(":")[1] for name in world.ran] == ["tea"]
        world.refused.clear()
        async with world.expecting(JobFired, JobEnded):
            scheduler.jobs.wake()
    assert world.ran[-1] == "job:egg:2026-11-21T12:01:00Z"


async def test_a_job_that_somebody_asks_for_runs_at_once_and_keeps_its_time(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired, JobEnded):
            first = await scheduler.jobs.run_now("tea")
        async with world.expecting(JobFired, JobEnded):
            second = await scheduler.jobs.run_now("tea")
        assert first.id != second.id
        assert (await scheduler.jobs.upcoming())[0].next_at == START + HOUR
        with pytest.raises(NotFoundError, match="did you mean 'tea'"):
            await scheduler.jobs.run_now("teas")


async def test_a_run_that_was_asked_for_is_running_only_when_a_program_has_begun_it(world):
    gate = world.gates["tea"] = asyncio.Event()
    async with world.jobs() as jobs:

        async def statuses() -> list[str]:
            return [job.last_status for job in (await jobs.by_id()).values()]

        for job in (hourly(), Job("egg", "kitchen/egg", At(START + HOUR))):
            await jobs.add(job)
            await jobs.run_now(job.id)
        assert await statuses() == ["asked", "asked"]
        async with world.scheduler():
            async with world.expecting(JobFired, JobFired, JobEnded):
                pass
            assert await statuses() == ["ok", "running"]
            await jobs.run_now("tea")
            assert await statuses() == ["ok", "running"]
            async with world.expecting(JobEnded, JobFired, JobEnded):
                gate.set()
            assert await statuses() == ["ok", "ok"]


async def test_what_another_program_adds_removes_and_asks_for_counts_within_a_moment(world):
    async with world.scheduler() as scheduler, world.jobs() as other:
        async with world.expecting(JobFired, JobEnded):
            await other.add(hourly())
            await other.run_now("tea")
        world.time = START + HOUR
        async with world.expecting(JobFired, JobEnded):
            pass
        await other.remove("tea")
        world.to(START + 2 * HOUR, scheduler)
        async with world.expecting(JobFired, JobEnded):
            await other.add(hourly("coffee"))
            await other.run_now("coffee")
    assert [name.split(":")[1] for name in world.ran] == ["tea", "tea", "coffee"]


async def test_a_clock_that_was_ahead_does_not_silence_a_job(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("tea", "kitchen/tea", Cron("0 * * * *", "UTC")))
        async with world.expecting(JobFired, JobEnded):
            world.to(START + timedelta(days=900), scheduler)
        world.to(START + MINUTE, scheduler)
        await world.planned(scheduler, START + HOUR)
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)


AHEAD = START + timedelta(days=365)


@pytest.mark.parametrize("trigger", [Cron("0 * * * *", "UTC"), Every(3600, START), Every(3600, AHEAD)], ids=str)
@pytest.mark.parametrize("past", ["ran", "skipped", "added", "refused"])
@pytest.mark.parametrize("restarted", [False, True])
async def test_whatever_happened_while_the_clock_was_ahead_it_silences_no_job(world, trigger, past, restarted):
    job = Job("tea", "kitchen/tea", trigger, missed="skip" if past == "skipped" else "once")
    world.time = START if past == "skipped" else AHEAD - HOUR
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(job)
        world.to(AHEAD + (10 * MINUTE if past == "skipped" else timedelta(0)), scheduler)
        if past != "added":
            await world.planned(scheduler, AHEAD + HOUR)
        while (await scheduler.jobs.upcoming())[0].last_status == "running":  # noqa: ASYNC110 (the same)
            await asyncio.sleep(0)
        world.refused = {"tea"} if past == "refused" else set()
        if not restarted:
            world.to(START + MINUTE, scheduler)
            await world.planned(scheduler, START + HOUR)
    world.time = START + MINUTE
    async with world.scheduler() as scheduler:
        await world.planned(scheduler, START + HOUR)
        world.refused.clear()
        world.ran.clear()
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
    assert world.ran == ["job:tea:2026-11-21T13:00:00Z"]


async def test_a_clock_that_is_corrected_in_small_steps_silences_no_job(world):
    second = timedelta(seconds=1)
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("tea", "kitchen/tea", Every(5, START)))
        async with world.expecting(JobFired, JobEnded):
            world.to(START + 5 * second, scheduler)
        for step in range(1, 7):
            await world.looked(scheduler, START + 5 * second - step * 50 * second)
        assert (await scheduler.jobs.upcoming())[0].next_at == START - 290 * second
        async with world.expecting(JobFired, JobEnded):
            world.to(START - 290 * second, scheduler)
        await world.looked(scheduler, START - 291 * second)
        await world.looked(scheduler, START - 290 * second)
        assert world.begun == ["job:tea:2026-11-21T12:00:05Z", "job:tea:2026-11-21T11:55:10Z"]
        assert (await scheduler.jobs.upcoming())[0].next_at == START - 285 * second


async def test_a_clock_that_is_put_back_runs_no_moment_twice(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("tea", "kitchen/tea", Cron("0 * * * *", "UTC")))
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
        world.to(START + HOUR / 2, scheduler)
        await world.planned(scheduler, START + HOUR)
        for hours in (1, 2):
            async with world.expecting(JobFired, JobEnded):
                world.to(START + hours * HOUR, scheduler)
    assert world.begun == ["job:tea:2026-11-21T13:00:00Z", "job:tea:2026-11-21T14:00:00Z"]


def failed(task: str, corr_id: str = "") -> TaskChanged:
    return TaskChanged(task, corr_id, "", "error", TaskError("ValueError", "no milk", task))


async def watching(world: World, scheduler: Scheduler, *jobs: Job) -> None:
    for job in jobs:
        await scheduler.jobs.add(job)
    await world.looked(scheduler)


async def test_an_event_starts_the_jobs_that_wait_for_it(world):
    async with world.scheduler() as scheduler:
        assert not world.bus.has_subscribers
        await watching(world, scheduler, Job("alarm", "watch/alarm", OnEvent("task.failed:kitchen/*")))
        async with world.expecting(JobFired, JobEnded) as seen:
            world.bus.publish(failed("garden/dig"))
            world.bus.publish(TaskChanged("kitchen/tea", "r", "", "success"))
            world.bus.publish(failed("kitchen/tea", "run-1"))
        event = seen[0].firing.event
        assert (event["topic"], event["task"], event["run"]) == ("task.failed", "kitchen/tea", "run-1")
        assert event["error"]["message"] == "no milk"
        await scheduler.jobs.remove("alarm")
        await world.until(lambda: not world.bus.has_subscribers)


async def test_jobs_that_follow_from_their_own_events_do_not_go_round(world):
    async with world.scheduler() as scheduler:
        first = Job("ping", "watch/ping", OnEvent("task.failed:*/pong"))
        await watching(world, scheduler, first, Job("pong", "watch/pong", OnEvent("task.failed:*/ping")))
        async with world.expecting(JobFired, JobEnded) as seen:
            world.bus.publish(failed("a/pong"))
        own = seen[0].firing
        async with world.expecting(JobFired, JobEnded) as seen:
            world.bus.publish(failed("watch/ping", own.id))
        answer = seen[0].firing
        assert answer.chain == ("ping",)
        async with world.expecting(JobSkipped) as seen:
            world.bus.publish(failed("watch/pong", answer.id))
        assert (seen[0].job.id, seen[0].reason) == ("ping", "loop")


async def test_events_of_the_same_moment_are_different_firings(world):
    async with world.scheduler() as scheduler:
        await watching(world, scheduler, Job("alarm", "watch/alarm", OnEvent("task.*"), missed="all"))
        async with world.expecting(JobFired, JobEnded, JobFired, JobEnded):
            world.bus.publish(failed("a/b"))
            world.bus.publish(failed("a/b"))
    assert len(set(world.ran)) == 2


async def test_jobs_of_plans_are_added_changed_and_removed_with_the_plans(world):
    declared = [hourly("a", source="plan"), hourly("b", source="plan")]
    async with world.scheduler(declared) as scheduler:
        await scheduler.jobs.add(hourly("mine"))
        async with world.expecting(JobFired, JobEnded, JobFired, JobEnded, JobFired, JobEnded) as seen:
            world.to(START + HOUR, scheduler)
        assert len(seen) == 6
    world.time += HOUR / 2
    later = START + HOUR / 3
    changed = [
        Job("a", "kitchen/tea", Every(3600, later), source="plan"),
        Job("c", "x/y", Every(60, later), source="plan"),
    ]
    async with world.scheduler(changed) as scheduler:
        jobs = {job.id: job for job in await scheduler.jobs.upcoming()}
        assert set(jobs) == {"a", "c", "mine"}
        assert jobs["a"].next_at == START + 2 * HOUR
        assert jobs["a"].last_status == "ok"
        with pytest.raises(ScheduleError, match="declared in the task kitchen/tea"):
            await scheduler.jobs.remove("a")
    quicker = [Job("a", "kitchen/tea", Every(60, world.time), source="plan")]
    async with world.scheduler(quicker) as scheduler:
        job = await scheduler.jobs.get("a")
        assert job.next_at == world.time + MINUTE


async def test_what_is_edited_beside_the_trigger_keeps_every_moment(world):
    first = Job("a", "kitchen/tea", Every(3600, START), title="Tea", source="plan")
    daily = Job("b", "kitchen/tea", Cron("30 * * * *", "UTC"), source="plan")
    async with world.scheduler([first, daily]):
        pass
    world.time = START + HOUR + 10 * MINUTE
    edited = {"title": "Green tea", "inputs": {"cups": 2}, "missed": "all", "priority": 3}
    later = [replace(first, trigger=Every(3600, world.time), **edited), replace(daily, **edited)]
    async with world.scheduler(later), world.expecting(*[JobFired, JobEnded] * 2) as seen:
        pass
    assert {event.job.title for event in seen} == {"Green tea"}
    assert sorted(world.ran) == ["job:a:2026-11-21T13:00:00Z", "job:b:2026-11-21T12:30:00Z"]
    async with world.scheduler(later) as scheduler:
        assert (await scheduler.jobs.get("a")).next_at == START + 2 * HOUR


async def test_a_job_that_cannot_be_declared_now_is_kept_and_makes_up_for_what_it_missed(world):
    job = Job("a", "kitchen/tea", Every(3600, START), source="plan")
    async with world.scheduler([job]):
        pass
    world.time = START + HOUR + 10 * MINUTE
    async with world.scheduler([hourly("other", source="plan")], lambda job: job.id == "a") as scheduler:
        async with world.expecting(JobFired, JobEnded):
            world.to(START + 2 * HOUR + MINUTE, scheduler)
        assert (await scheduler.jobs.get("a")).next_at == START + HOUR
        async with world.expecting(JobFired, JobEnded):
            scheduler.declare([job])
        assert world.ran[-1] == "job:a:2026-11-21T14:00:00Z"
        assert [kept.id for kept in await scheduler.jobs.upcoming()] == ["a"]


async def test_adding_the_same_job_twice_adds_it_once(world):
    async with world.scheduler() as scheduler:
        kept = await scheduler.jobs.add(hourly(title="first"))
        again = await scheduler.jobs.add(hourly(title="second"))
        assert (kept.title, again.title) == ("first", "first")
        assert len(await scheduler.jobs.upcoming()) == 1


async def test_a_moment_that_runs_is_not_skipped_when_the_clock_is_put_back(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        world.gates["tea"] = asyncio.Event()
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
            await world.until(lambda: world.ran)
            world.to(START + HOUR - MINUTE, scheduler)
            await world.planned(scheduler, START + HOUR)
            world.to(START + HOUR, scheduler)
            await world.planned(scheduler, START + 2 * HOUR)
            world.gates["tea"].set()


async def test_a_store_that_cannot_be_used_for_a_while_is_looked_at_now_and_then_and_not_all_the_time(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        store = store_of(scheduler)
        store.broken = HomeNotWritableError("disk full")
        scheduler._look_seconds = 3600
        with structlog.testing.capture_logs() as logs:
            scheduler.jobs.wake()
            await world.until(lambda: any(entry["event"] == "jobs_not_started" for entry in logs))
            for _ in range(50):
                await asyncio.to_thread(scheduler.jobs.changed.is_set)
            assert [entry["event"] for entry in logs].count("jobs_not_started") <= 2
        store.broken = None
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)


async def test_jobs_of_plans_that_could_not_be_kept_at_once_are_kept_when_that_is_possible(world):
    async with world.scheduler([hourly("old", source="plan")]) as scheduler:
        await world.looked(scheduler)
        store_of(scheduler).failures = [HomeNotWritableError("disk full")]
        scheduler.declare([hourly("new", source="plan")])
        while list(await scheduler.jobs.by_id()) != ["new"]:  # noqa: ASYNC110 (nothing is told when it is)
            await asyncio.sleep(0)


DAMAGED = {
    "not JSON": "UPDATE documents SET value = '{\"id\"' WHERE key = 'bad'",
    "not UTF-8": "UPDATE documents SET value = CAST(x'ff7b7d' AS TEXT) WHERE key = 'bad'",
    "a number": "UPDATE documents SET value = 7 WHERE key = 'bad'",
    "bytes": "UPDATE documents SET value = x'00ff' WHERE key = 'bad'",
    "a field that is missing": "UPDATE documents SET value = '{\"job\": 1}' WHERE key = 'bad'",
}
SPOILED = {
    "another's id": ('"id": "bad"', '"id": "worse"'),
    "a policy that nobody knows": ("once", "sometimes"),
    "a trigger that nobody knows": ('"every"', '"whenever"'),
    "an interval of nothing": ("3600.0", "0"),
    "a moment without a zone": ("T12:00:00Z", "T12:00:00"),
    "a next moment that is none": ('"next_at": "2026-11-21T13:00:00Z"', '"next_at": "soon"'),
    "a last moment beyond the calendar": ('"last_at": null', '"last_at": 1e300'),
    "a next moment in the year 9999": ('"next_at": "2026', '"next_at": "9999'),
    "a next moment in the year 1": ('"next_at": "2026', '"next_at": "0001'),
    "a start in the year 9999": ("2026-11-21T12", "9999-12-31T23"),
    "a queue of something else": ('"queue": []', '"queue": [{"id": "job:bad:x"}]'),
}
SPOILING = "UPDATE documents SET value = replace(value, '{}', '{}') WHERE key = 'bad'"


def damage(world: World, statement: str) -> None:
    with sqlite3.connect(world.path) as connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        *(pytest.param(statement, id=name) for name, statement in DAMAGED.items()),
        *(pytest.param(SPOILING.format(*words), id=name) for name, words in SPOILED.items()),
    ],
)
async def test_a_job_that_cannot_be_read_is_set_aside_and_said_and_the_others_run(world, statement):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly("good"))
        await scheduler.jobs.add(Job("bad", "kitchen/tea", Every(3600.0, START), missed="once"))
    damage(world, statement)
    async with world.scheduler() as scheduler:
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
        (one,) = await scheduler.jobs.unreadable()
        assert one.job == "bad"
        assert "The job bad cannot be read (" in str(one)
        await scheduler.jobs.remove("bad")
        assert await scheduler.jobs.unreadable() == []
    assert world.ran == ["job:good:2026-11-21T13:00:00Z"]


async def test_what_can_be_read_again_counts_again(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly("tea"))
    damage(world, "UPDATE documents SET value = replace(value, 'once', 'sometimes')")
    async with world.scheduler() as scheduler:
        assert len(await scheduler.jobs.unreadable()) == 1
    damage(world, "UPDATE documents SET value = replace(value, 'sometimes', 'once')")
    async with world.scheduler() as scheduler:
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
        assert await scheduler.jobs.unreadable() == []


async def test_adding_a_job_over_one_that_cannot_be_read_is_refused_and_not_taken_for_done(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly("a"))
    damage(world, "UPDATE documents SET value = ''")
    async with world.scheduler() as scheduler:
        with pytest.raises(ScheduleError, match="schedule remove a"):
            await scheduler.jobs.add(hourly("a"))
        await scheduler.jobs.remove("a")
        assert await scheduler.jobs.add(hourly("a"))
        assert "a" in await scheduler.jobs.by_id()


async def test_a_plan_says_anew_what_its_damaged_job_was(world):
    job = hourly("a", source="plan")
    async with world.scheduler([job]):
        pass
    damage(world, "UPDATE documents SET value = ''")
    world.time += MINUTE
    async with world.scheduler([replace(job, trigger=Every(3600, world.time))]) as scheduler:
        assert (await scheduler.jobs.get("a")).next_at == START + HOUR + MINUTE
        assert await scheduler.jobs.unreadable() == []


async def test_what_cannot_be_stored_is_tried_again_and_not_lost(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        await world.looked(scheduler)
        store_of(scheduler).failures = [HomeNotWritableError("disk full"), HomeNotWritableError("disk full")]
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
    assert world.ran == ["job:tea:2026-11-21T13:00:00Z"]


async def test_a_job_that_ran_once_is_forgotten_after_a_while_also_while_the_scheduler_runs_on(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("egg", "kitchen/egg", At(START + HOUR)))
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired, JobFired, JobEnded, JobEnded):
            world.to(START + HOUR, scheduler)
        assert (await scheduler.jobs.by_id())["egg"].finished
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR + KEPT, scheduler)
        assert set(await scheduler.jobs.by_id()) == {"egg", "tea"}
        async with world.expecting(JobFired, JobEnded):
            world.to(START + 2 * HOUR + KEPT, scheduler)
        await world.looked(scheduler)
        assert set(await scheduler.jobs.by_id()) == {"tea"}


OLD_TABLES = """
CREATE TABLE jobs
  (id TEXT PRIMARY KEY, body TEXT, next_at REAL, last_at REAL, last_status TEXT, last_message TEXT);
CREATE TABLE firings (id TEXT PRIMARY KEY, job TEXT, body TEXT, due REAL, ended_at REAL);
INSERT INTO jobs VALUES ('tea', '{"id": "tea", "task": "kitchen/tea", "missed": "all", "trigger":
  {"seconds": 3600.0, "anchor": "2026-11-21T12:00:00Z", "kind": "every"}}', 1795273200, 1795269600, 'running', '');
INSERT INTO jobs VALUES ('bad', 'nonsense', 'soon', 1e300, '', '');
INSERT INTO jobs VALUES ('worse', CAST(x'ff7b7d' AS TEXT), NULL, NULL, '', '');
INSERT INTO jobs VALUES ('odd', '{"id": "odd", "task": "a/b", "inputs": {"x": NaN}, "trigger":
  {"pattern": "task.failed", "kind": "on_event"}}', NULL, NULL, '', '');
INSERT INTO firings VALUES ('job:tea:b', 'tea',
  '{"id": "job:tea:b", "job": "tea", "due": "2026-11-21T14:00:00Z"}', 2, NULL);
INSERT INTO firings VALUES ('job:tea:a', 'tea', '{"id": "job:tea:a", "job": "tea", "due": "2026-11-21T13:00:00Z",
  "reason": "event", "event": {"task": "a/b"}, "chain": ["c"]}', 1, NULL);
INSERT INTO firings VALUES ('job:tea:x', 'tea', 'nonsense', 3, NULL);
INSERT INTO firings VALUES ('job:tea:y', 'tea',
  '{"id": "job:tea:y", "job": "milk", "due": "2026-11-21T14:00:00Z"}', 3, NULL);
INSERT INTO firings VALUES ('job:tea:z', 'tea',
  '{"id": "job:tea:z", "job": "tea", "due": "0001-01-01T00:00:00"}', 3, NULL);
INSERT INTO firings VALUES ('job:tea:n', 'tea',
  '{"id": "job:tea:n", "job": "tea", "due": "2026-11-21T14:00:00Z", "event": {"x": NaN}}', 3, NULL);
INSERT INTO firings VALUES ('job:tea:0', 'tea',
  '{"id": "job:tea:0", "job": "tea", "due": "2026-11-21T12:00:00Z"}', 0, 9);
"""


async def test_an_old_file_of_jobs_is_taken_over_with_what_had_not_ended(world, tmp_path):
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as old:
        old.executescript(OLD_TABLES)
        async with Database(world.path, [DOCUMENTS]) as database:
            await database.run(lambda new: copy_jobs(sqlite3.connect(tmp_path / "jobs.db"), new))
    async with world.jobs() as jobs:
        (tea,) = await jobs.upcoming()
        assert (tea.next_at, tea.last_at, tea.last_status) == (START + 3 * HOUR, START + 2 * HOUR, "running")
        assert [firing.id for firing in tea.queue] == ["job:tea:a", "job:tea:b"]
        assert tea.queue[0] == Firing("job:tea:a", "tea", START + HOUR, "event", {"task": "a/b"}, ("c",))
        assert [one.job for one in await jobs.unreadable()] == ["bad", "odd", "worse"]
    world.time = START + 2.5 * HOUR
    async with world.scheduler(), world.expecting(*[JobFired, JobEnded] * 2):
        pass
    assert world.ran == ["job:tea:a", "job:tea:b"]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({}, "none is given"),
        ({"cron": "0 8 * * *", "every": 5}, "cron and every are given"),
        ({"cron": "nonsense"}, "it has one field. Write five fields"),
        ({"cron": "61 * * * *"}, "its minute cannot be"),
        ({"cron": "0 8 * * blursday"}, "is not a cron rule"),
        ({"cron": "H * * * *"}, "is not a cron rule"),
        ({"cron": "0 0 30 2 *"}, "never met"),
        ({"cron": "0 8 * * *", "timezone": "Europe/Berln"}, "did you mean 'Europe/Berlin'?"),
        ({"cron": "0 8 * * *", "timezone": "europe/berlin"}, "did you mean 'Europe/Berlin'?"),
        ({"cron": "0 8 * * *", "timezone": "Middle-earth"}, "write a name such as Europe/Berlin"),
        ({"cron": "0 8 * * *", "timezone": "../etc/passwd"}, "There is no time zone"),
        ({"every": 60, "timezone": "Nowhere"}, "There is no time zone 'Nowhere'"),
        ({"on_event": "task.failed", "timezone": "Nowhere"}, "There is no time zone 'Nowhere'"),
        ({"every": 0.2}, "too often"),
        ({"every": 0}, "too often"),
        ({"every": float("nan")}, "too often"),
        ({"every": 1e15}, "longer than any calendar"),
        (
            {"at": START - HOUR, "timezone": "Asia/Shanghai"},
            "2026-11-21 19:00 has passed: it is 2026-11-21 20:00 in Asia",
        ),
        ({"at": datetime(9999, 12, 31, 23, 59), "timezone": "America/New_York"}, "The year 9999 is out of reach"),  # noqa: DTZ001
        ({"at": datetime(1, 1, 1), "timezone": "Asia/Shanghai"}, "The year 1 is out of reach: a job can be due from"),  # noqa: DTZ001
        ({"at": datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "timezone": "UTC"}, "The year 9999 is out of reach"),
        ({"cron": "0 8 * * *", "timezone": "TZ=nonsense"}, "There is no time zone 'TZ=nonsense'"),
        ({"cron": "0 8 * * *", "timezone": "UTC+8"}, "There is no time zone 'UTC+8'"),
        ({"on_event": "task.faild"}, "did you mean 'task.failed'?"),
        ({"on_event": "weather"}, "the events are"),
        ({"on_event": ""}, "There is no event"),
    ],
)
def test_a_when_that_can_never_be_is_explained(when, words):
    with pytest.raises(ScheduleError) as caught:
        trigger_of(now=START, **when)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "same"),
    [
        ("0 9-9 * * *", "0 9 * * *"),
        ("30-30 09-9 * * *", "30 9 * * *"),
        ("0 9-9/2,12 * * *", "0 9,12 * * *"),
        ("0 9 1-1 * *", "0 9 1 * *"),
        ("0 9 * 5-may *", "0 9 * 5 *"),
        ("0 9 * * mon-Mon", "0 9 * * 1"),
        ("0 9 * * 1-mon,fri-fri", "0 9 * * 1,5"),
        ("0 9 * * 0-0", "0 9 * * 0"),
        ("0 9 * * 7-sun", "0 9 * * 0"),
        ("0 9 * * * 30-30", "0 9 * * * 30"),
        ("0 9 * * 0-7", "0 9 * * *"),
        ("0 9 * * 00-7", "0 9 * * *"),
        ("0 9 * * 07-7", "0 9 * * 0"),
        ("0 9 * * 5-7", "0 9 * * fri,sat,sun"),
        ("0 9 * nov-feb *", "0 9 * 11,12,1,2 *"),
        ("@daily", "0 0 * * *"),
    ],
)
def test_a_range_of_one_value_means_that_value(rule, same):
    trigger = trigger_of(now=START, cron=rule, timezone="UTC")
    wanted = trigger_of(now=START, cron=same, timezone="UTC")
    assert str(trigger) == f"cron {rule} (UTC)"
    assert list(islice(trigger.after(START), 20)) == list(islice(wanted.after(START), 20))


def test_a_range_of_one_value_that_no_day_has_is_never_met():
    with pytest.raises(ScheduleError, match="never met"):
        trigger_of(now=START, cron="0 8 30-30 2-2 *")


@pytest.mark.parametrize(
    ("time", "moment"),
    [((2, 45), (1, 45)), ((2, 15), None), ((2, 30), None), ((3, 0), (2, 0)), ((1, 59), None)],
)
def test_a_time_that_comes_twice_is_to_come_until_it_has_come_for_the_second_time(time, moment):
    now = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin, when the clock has been put back
    wall = datetime(2026, 10, 25, *time)  # noqa: DTZ001 (a wall clock's)
    if moment is None:
        with pytest.raises(ScheduleError, match="has passed"):
            trigger_of(now=now, at=wall, timezone="Europe/Berlin")
    else:
        trigger = trigger_of(now=now, at=wall, timezone="Europe/Berlin")
        assert next_after(trigger, now) == datetime(2026, 10, 25, *moment, tzinfo=UTC)


def test_what_a_person_writes_for_when_becomes_a_trigger():
    assert trigger_of(now=START, cron=" 0  8 * * mon-fri ", timezone="Asia/Tokyo") == Cron(
        "0 8 * * mon-fri", "Asia/Tokyo"
    )
    assert trigger_of(now=START, cron="@daily", timezone="UTC") == Cron("@daily", "UTC")
    assert str(trigger_of(now=START, every=900)) == "every 15m"
    wall = trigger_of(
        now=START,
        at=datetime(2026, 12, 1, 9, 0),  # noqa: DTZ001 (a wall clock)
        timezone="Asia/Tokyo",
    )
    assert wall == At(datetime(2026, 12, 1, 0, 0, tzinfo=UTC))
    assert str(wall) == "at 2026-12-01 09:00:00+09:00"
    for topic in TOPICS:
        assert trigger_of(now=START, on_event=topic) == OnEvent(topic)
    assert trigger_of(now=START, on_event="task.*:notes/*") == OnEvent("task.*:notes/*")


def test_a_rule_of_six_fields_is_told_what_it_would_do():
    def told(rule: str) -> str:
        return told_of_seconds(trigger_of(now=START, cron=rule, timezone="Asia/Tokyo"), START)

    assert told("0 0 9 * * *") == (
        "The sixth field of '0 0 9 * * *' is the second: it is due every second, 60 times, in each minute that the "
        "other fields name, next at 2026-12-09 00:00:00, 2026-12-09 00:00:01, 2026-12-09 00:00:02. If its first field "
        "was meant to be the second, as some programs have it, write '0 9 * * *'."
    )
    assert "once a minute, next at 2026-11-22 08:00:30" in told("0 8 * * * 30")
    assert "2 times a minute" in told("59 8 * * * 0,30")
    assert told("59 8 31 12 fri 0").endswith("2026-12-18 08:59:00.")  # `8 31 12 fri 0` is no rule
    assert told("0 9 * * *") == told("@daily") == told_of_seconds(Every(5, START), START) == ""


def test_a_trigger_says_what_it_is():
    spelled = {86400: "every 1d", 7200: "every 2h", 90: "every 90s", 60: "every 1m", 1.5: "every 1.5s"}
    assert {seconds: str(Every(seconds, START)) for seconds in spelled} == spelled
    assert str(Cron("0 8 * * *", "UTC")) == "cron 0 8 * * * (UTC)"
    assert str(OnEvent("task.failed")) == "on task.failed"


async def test_other_things_that_happen_start_jobs_too(world):
    async with world.scheduler() as scheduler:
        fired = Job("fired", "w/f", OnEvent("interrupt.fired:lab/*"))
        aside = Job("aside", "w/a", OnEvent("data.set_aside"))
        await watching(world, scheduler, fired, aside)
        async with world.expecting(*[JobFired, JobEnded] * 2) as seen:
            world.bus.publish(InterruptFired("lab/full", "lab/empty", "began", "pause"))
            world.bus.publish(InterruptFired("lab/full", "lab/empty", "done", "pause"))
            world.bus.publish(StateSetAside("notes", world.path, "no JSON"))
            world.bus.publish("nothing that anybody knows")
        facts = {event.job.id: event.firing.event for event in seen if isinstance(event, JobFired)}
        assert facts["fired"]["interrupt"] == "lab/full"
        assert (facts["aside"]["plan"], facts["aside"]["reason"]) == ("notes", "no JSON")


async def test_an_event_that_comes_while_its_job_runs_is_skipped(world):
    gate = world.gates["alarm"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await watching(world, scheduler, Job("alarm", "watch/alarm", OnEvent("task.failed")))
        async with world.expecting(JobFired):
            world.bus.publish(failed("a/b"))
        async with world.expecting(JobSkipped) as seen:
            world.bus.publish(failed("a/b"))
        assert seen[0].reason == "still running"
        async with world.expecting(JobEnded):
            gate.set()


@pytest.mark.parametrize("mistake", [HomeNotWritableError("disk full"), ZeroDivisionError("a mistake")])
async def test_an_event_that_cannot_be_stored_is_lost_and_the_next_one_counts(world, mistake):
    async with world.scheduler() as scheduler:
        await watching(world, scheduler, Job("alarm", "watch/alarm", OnEvent("task.failed")))
        store_of(scheduler).failures = [mistake]
        async with world.expecting(JobFired, JobEnded):
            world.bus.publish(failed("a/b"))
            world.bus.publish(failed("a/b"))


@pytest.mark.parametrize("mistake", [HomeNotWritableError("disk full"), ZeroDivisionError("a mistake")])
async def test_an_end_that_cannot_be_stored_is_asked_for_again(world, mistake):
    gate = world.gates["tea"] = asyncio.Event()
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        async with world.expecting(JobFired):
            world.to(START + HOUR, scheduler)
        store_of(scheduler).failures = [mistake]
        async with world.expecting(JobFired, JobEnded):
            gate.set()
    assert world.ran == ["job:tea:2026-11-21T13:00:00Z"] * 2


async def test_a_mistake_of_the_scheduler_itself_does_not_end_it(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        store = store_of(scheduler)
        store.broken = ZeroDivisionError()
        await world.looked(scheduler)
        store.broken = None
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)


async def test_a_job_whose_time_zone_is_gone_stays_due_and_lives_again_when_it_is_there(world):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(hourly())
        await scheduler.jobs.add(Job("lost", "a/b", Cron("0 * * * *", "UTC")))
    damage(world, "UPDATE documents SET value = replace(value, 'UTC', 'Atlantis') WHERE key = 'lost'")
    async with world.scheduler() as scheduler:
        async with world.expecting(JobFired, JobEnded):
            world.to(START + HOUR, scheduler)
        (one,) = await scheduler.jobs.unreadable()
        assert "There is no time zone 'Atlantis'" in str(one)
    damage(world, "UPDATE documents SET value = replace(value, 'Atlantis', 'UTC') WHERE key = 'lost'")
    world.time = START + 1.5 * HOUR
    async with world.scheduler() as scheduler:
        async with world.expecting(JobFired, JobEnded):
            pass
        assert (await scheduler.jobs.get("lost")).next_at == START + 2 * HOUR
    assert world.ran == ["job:tea:2026-11-21T13:00:00Z", "job:lost:2026-11-21T13:00:00Z"]


async def test_a_time_zone_that_goes_while_the_scheduler_runs_leaves_its_job_due(world, monkeypatch):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("lost", "a/b", Cron("0 * * * *", "UTC")))
        await scheduler.jobs.add(hourly())
        await world.looked(scheduler)
        gone = broken(ScheduleError("no such zone"))
        with monkeypatch.context() as patch:
            patch.setattr(triggers, "zone_of", gone)
            async with world.expecting(JobFired, JobEnded) as seen:
                world.to(START + HOUR, scheduler)
        assert seen[0].job.id == "tea"
        assert (await scheduler.jobs.get("lost")).next_at == START + HOUR
        async with world.expecting(JobFired, JobEnded):
            scheduler.jobs.wake()


@pytest.mark.parametrize("trigger", [Cron("0 * * * *", "UTC"), Every(3600, START)], ids=str)
async def test_a_rule_without_a_next_moment_is_planned_at_the_start(world, trigger):
    async with world.scheduler() as scheduler:
        await scheduler.jobs.add(Job("tea", "kitchen/tea", trigger))
    damage(world, "UPDATE documents SET value = json_set(value, '$.next_at', null)")
    async with world.scheduler() as scheduler:
        await world.planned(scheduler, START + HOUR)


async def test_a_job_whose_time_has_passed_is_refused(world):
    async with world.scheduler() as scheduler:
        with pytest.raises(ScheduleError, match="would never run"):
            await scheduler.jobs.add(Job("egg", "kitchen/egg", At(START)))


def test_a_machine_that_does_not_say_its_zone_is_on_utc(monkeypatch, tmp_path):
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(tzlocal, "get_localzone_name", broken(ZoneInfoNotFoundError("no configuration")))
    monkeypatch.setattr(zones, "LOCALTIME", tmp_path / "localtime")
    assert machine_timezone() == "UTC"


def test_a_machine_whose_zone_has_no_name_goes_by_the_rule_in_its_file(monkeypatch, tmp_path):
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(tzlocal, "get_localzone_name", lambda: None)
    monkeypatch.setattr(zones, "LOCALTIME", tmp_path / "localtime")
    (tmp_path / "localtime").write_bytes(resources.files("tzdata.zoneinfo.Europe").joinpath("Berlin").read_bytes())
    assert machine_timezone() == "TZ=CET-1CEST,M3.5.0,M10.5.0/3"
    assert next_after(Cron("0 8 * * *", machine_timezone()), START) == START.replace(day=22, hour=7)
    (tmp_path / "localtime").write_bytes(b"no zone at all\n")
    assert machine_timezone() == "UTC"


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Shanghai", "Asia/Shanghai"),
        ("/usr/share/zoneinfo/Asia/Kathmandu", "Asia/Kathmandu"),
        ("EST5", "TZ=EST5"),
        ("EST5EDT,M3.2.0,M11.1.0", "TZ=EST5EDT,M3.2.0,M11.1.0"),
        ("<+0330>-3:30", "TZ=<+0330>-3:30"),
        ("FOO5BAR", "TZ=FOO5BAR"),
        ("UTC+8", "TZ=UTC+8"),
        ("Europe/Berln", "UTC"),
        ("", "UTC"),
    ],
)
def test_a_rule_goes_by_the_clock_that_every_program_of_the_machine_shows(monkeypatch, variable, name):
    monkeypatch.setenv("TZ", variable)
    time.tzset()
    try:
        assert machine_timezone() == name
        for month in (1, 4, 7, 11):
            moment = next_after(trigger_of(now=START, cron=f"30 2 15 {month} *"), START)
            assert moment is not None
            shown = time.localtime(moment.timestamp())
            assert (shown.tm_mon, shown.tm_mday, shown.tm_hour, shown.tm_min) == (month, 15, 2, 30)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("rule", ["", "Foo", "5", "EST5\nEST6", "é5", "X" * 300 + "5"])
def test_what_is_no_rule_of_a_zone_is_refused(rule):
    with pytest.raises(ValueError, match=r"not a rule|Invalid|Missing"):
        posix_zone(rule)


def broken(error: Exception):
    def raises(*_: object):
        raise error

    return raises
