"""Jobs in the agent: run under their owner's profile, delivered to the chat that asked, once, also after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from agent.app import App
from agent.schedules import user_jobs
from agent.schedules.chat_command import schedule_answer
from agent.schedules.owner import JobOwner
from agent.schedules.status import known_jobs
from aura_core.errors import InputError, NotFoundError, ScheduleError
from aura_core.scheduler.events import JobEnded
from aura_core.scheduler.job import Firing, Job, firing_id
from aura_core.scheduler.triggers import Every, OnEvent
from aura_core.scheduler.when import trigger_of
from aura_core.scheduler.zones import machine_timezone
from aura_core.services import ScheduledJob
from aura_core.tasklet import RunInfo
from plans.aura_base.days.words import long_moment
from tests.agent.conftest import KeepingTransport, incoming
from tests.fixtures.old_home import unpack
from tests.fixtures.reminders import DATES

ME = "terminal:me"
RUN = RunInfo(corr_id="r", session_id="s", person=ME, dest={"channel": "test"}, source="command")
ACTIONS = """
from pathlib import Path
from types import SimpleNamespace
from aura_core.api import ActionError, action

LOG = Path(__file__).parent.parent / "log.txt"

@action("say", effects="write")
def say(text: str) -> str:
    with LOG.open("a") as log:
        log.write(text + "\\n")
    if text == "fail":
        raise ActionError("It broke.")
    return text
"""
TASKS = """
say:
  meta: {title: Say it, effects: write, inputs: {text: {type: string, required: true}}}
  steps: [{action: say, params: {text: "{{ inputs.text }}"}, output_to: said}]
  returns: "{{ said }}"
ask:
  meta: {title: Ask, priority: 7}
  steps: [{ask: "Really?", output_to: answer}]
  returns: "{{ answer }}"
tick:
  meta: {title: Tick, schedule: {every: 1h, inputs: {text: tock}}, inputs: {text: {type: string}}}
  steps: [{action: say, params: {text: "{{ inputs.text }}"}}]
alarm:
  meta: {title: Alarm, on_event: "task.failed:lab/say", inputs: {event: {type: object, required: true}}}
  steps: [{action: say, params: {text: "{{ inputs.event.task }}: {{ inputs.event.error.message }}"}}]
"""


class Clock:
    """The present, as far ahead as a test wants it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Lab:
    """An app with a plan that notes what it did, and a clock that can be put forward."""

    def __init__(self, folder: Path, open_app: Callable[..., contextlib.AbstractAsyncContextManager[App]]) -> None:
        self.log = folder / "lab" / "log.txt"
        self.clock = Clock()
        self._open = open_app
        for name, text in {
            "plan.yaml": "name: lab\nversion: 1.0.0\ntitle: Lab\n",
            "actions/say.py": ACTIONS,
            "tasks/lab.yaml": TASKS,
        }.items():
            (folder / "lab" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "lab" / name).write_text(text)

    @property
    def said(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    @contextlib.asynccontextmanager
    async def running(self, **environment: str):
        async with self._open(**environment) as app:
            app.schedules.jobs.now = self.clock
            async with app.running_jobs():
                yield app

    def forward(self, app: App, **span: float) -> None:
        self.clock.ahead += timedelta(**span)
        app.schedules.jobs.wake()


@contextlib.asynccontextmanager
async def ending(app: App, *, of: str = ""):
    """Leaves when a job's run has ended; gives how."""
    with app.events.subscribe(JobEnded, lambda event: of in event.job.id) as events:
        found: list[JobEnded] = []
        yield found
        found.append(await events.next())


@pytest.fixture
def lab(plan_folder: Path, open_app) -> Lab:
    return Lab(plan_folder, open_app)


async def test_what_a_job_returns_comes_to_the_chat_that_asked(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        job = await app.schedules.add(RUN, "lab/say", {"text": "tea is ready"}, every=3600)
        assert (job.when, job.repeats) == ("every 1h", True)
        async with ending(app, of=job.id) as ended:
            lab.forward(app, hours=1)
        assert ended[0].end.status == "ok"
        assert transport.texts == ["tea is ready"]
        runs = {run.run_id: run.text for run in await app.runs()}
        assert runs[ended[0].firing.id] == "(scheduled) Say it"
        (entry,) = await app.sessions.history("s", 5)
        assert entry["answer"] == "tea is ready"


async def test_jobs_of_plans_run_for_whoever_installed_them(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        jobs = {job.id: job for job in await app.schedules.jobs.upcoming()}
        assert set(jobs) == {"lab/tick", "lab/alarm@event"}
        async with ending(app, of="lab/tick"):
            lab.forward(app, hours=1)
        assert lab.said == ["tock"]
        assert transport.texts == []


async def test_an_event_tells_the_task_what_happened(lab: Lab):
    async with lab.running() as app:
        while not app.events.has_subscribers:  # noqa: ASYNC110 (nothing is told when it is)
            await asyncio.sleep(0)
        async with ending(app, of="alarm"):
            await app.submit_command(incoming("/say"), "lab/say", {"text": "fail"})
    assert lab.said[0] == "fail"
    assert lab.said[1].startswith("lab/say: ")
    assert "It broke." in lab.said[1]


async def test_a_job_without_anybody_to_ask_ends_at_its_question(lab: Lab):
    async with lab.running() as app:
        trigger = trigger_of(now=lab.clock(), every=60)
        owner = JobOwner(person=ME)
        await app.schedules.user_jobs.put("asks", "lab/ask", {}, trigger, owner=owner, missed="once", title="")
        async with ending(app, of="asks") as ended:
            await app.schedules.jobs.run_now("asks")
        assert ended[0].end.status == "error"
        assert "'Really?'" in ended[0].end.message


HANG = """
import asyncio
from pathlib import Path
from aura_core.api import action

GO = Path(__file__).parent.parent / "go"

@action("hang", effects="write")
async def hang() -> str:
    while not GO.exists():
        await asyncio.sleep(0.01)
    return "went on"
"""
SLOW = """
meta: {title: Slow, effects: write}
steps: [{action: say, params: {text: one}}, {action: hang, output_to: said}]
returns: "{{ said }}"
"""


async def test_a_job_for_no_chat_waits_for_what_its_plan_lacks(lab: Lab, plan_folder: Path):
    hang, slow = plan_folder / "lab/actions/hang.py", plan_folder / "lab/tasks/slow.yaml"
    hang.write_text(HANG)
    slow.write_text(SLOW)
    async with lab.running() as app:
        owner, trigger = JobOwner(person=ME), trigger_of(now=lab.clock(), every=3600)
        await app.schedules.user_jobs.put("slow", "lab/slow", {}, trigger, owner=owner, missed="once", title="")
        firing = await app.schedules.jobs.run_now("slow")
        while not lab.said:  # noqa: ASYNC110 (nobody is told)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
    hang.unlink()
    slow.write_text("steps: []\n")
    async with asyncio.timeout(30), lab.running() as app, ending(app, of="slow") as ended:
        while not app.waits_for_plan(firing.id):  # noqa: ASYNC110 (nobody is told)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert (await app.run_detail(firing.id)).status == "running"
        hang.write_text(HANG)
        (plan_folder / "lab/go").touch()
        await app.framework.reload()
    assert (ended[0].end.status, lab.said) == ("ok", ["one"])


async def test_a_job_may_ask_its_owner(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        job = await app.schedules.add(RUN, "lab/ask", {}, every=60)
        async with ending(app, of=job.id) as ended:
            await app.schedules.jobs.run_now(job.id)
            while not transport.questions:  # noqa: ASYNC110 (the same)
                await asyncio.sleep(0.01)
            await app.answer(transport.questions[0].id, "yes", person=ME)
        assert ended[0].end.status == "ok"
        assert transport.texts == ["yes"]


async def test_a_failed_job_says_so_to_its_owner_and_in_the_list(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        job = await app.schedules.add(RUN, "lab/say", {"text": "fail"}, every=60)
        async with ending(app, of=job.id):
            await app.schedules.jobs.run_now(job.id)
        assert "It broke." in transport.texts[0]
        kept = await app.schedules.jobs.get(job.id)
        assert kept.last_status == "error"
        assert "It broke." in kept.last_message


async def test_words_that_are_no_utf_8_silence_neither_the_job_nor_those_that_wait_for_events(lab: Lab):
    actions = lab.log.parent / "actions/say.py"
    actions.write_text(actions.read_text().replace('"It broke."', '"It broke \\udcff."'))
    async with lab.running() as app:
        job = await app.schedules.add(RUN, "lab/say", {"text": "fail"}, every=3600, missed="all")
        for _ in range(2):
            async with ending(app, of=job.id), ending(app, of="alarm"):
                lab.forward(app, hours=1)
        kept = await app.schedules.jobs.get(job.id)
    assert kept.last_status == "error"
    assert "It broke \\udcff." in kept.last_message
    assert sum(line.startswith("lab/say: ") for line in lab.said) == 2


async def test_a_job_whose_owner_may_not_run_it_any_more_is_refused_and_told(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        job = await app.schedules.add(RUN, "lab/say", {"text": "hello"}, every=60)
    owner = '{"owner": {"people": ["telegram:1"]}, "family": {"people": ["terminal:*"], "deny": ["lab/*"]}}'
    async with lab.running(AURA_PROFILES=owner) as app:
        async with ending(app, of=job.id) as ended:
            await app.schedules.jobs.run_now(job.id)
        assert ended[0].end.status == "refused"
        assert "may not use lab/say" in transport.texts[0]
        assert lab.said == []


async def test_a_job_that_a_person_adds_has_the_priority_of_its_task(lab: Lab):
    async with lab.running() as app:
        added = await app.schedules.user_jobs.put(
            "j",
            "lab/ask",
            {},
            trigger_of(now=app.schedules.jobs.now(), every=60),
            owner=JobOwner(person="terminal:me"),
            missed="once",
            title="",
        )
        assert added.priority == 7


async def test_only_what_may_run_can_be_added(lab: Lab):
    async with lab.running() as app:
        with pytest.raises(InputError, match="text"):
            await app.schedules.add(RUN, "lab/say", {}, every=60)
        with pytest.raises(NotFoundError, match="lab/say"):
            await app.schedules.add(RUN, "lab/sey", {}, every=60)
        with pytest.raises(ScheduleError, match="exactly one"):
            await app.schedules.add(RUN, "lab/say", {"text": "x"})
        stranger = RunInfo(corr_id="r", person="telegram:666", dest={"channel": "test"})
        with pytest.raises(Exception, match="guest"):
            await app.schedules.add(stranger, "lab/say", {"text": "x"}, every=60)
        with pytest.raises(Exception, match="somebody whose it is"):
            await app.schedules.add(RunInfo(corr_id="r"), "lab/say", {"text": "x"}, every=60)


async def test_people_see_and_remove_their_own_jobs_only(lab: Lab):
    async with lab.running() as app:
        mine = await app.schedules.add(RUN, "lab/say", {"text": "x"}, every=60, title="mine")
        owner = JobOwner(person="terminal:you")
        other = Every(60, lab.clock())
        await app.schedules.user_jobs.put(
            "yours", "lab/say", {"text": "y"}, other, owner=owner, missed="once", title=""
        )
        for _ in range(2):
            (shown,) = await app.schedules.list(RUN)
            assert (shown.id, shown.inputs.pop("text")) == (mine.id, "x")
        assert await app.schedules.list(RUN, "lab/ask") == []
        with pytest.raises(NotFoundError, match="You have no job 'yours'"):
            await app.schedules.remove(RUN, "yours")
        assert (await app.schedules.remove(RUN, mine.id)).title == "mine"


async def test_a_chat_lists_a_persons_own_jobs_and_removes_one(lab: Lab):
    async with lab.running() as app:
        asked = partial(schedule_answer, app.schedules.user_jobs, ME, profile=app.profile_of(ME))
        assert "Nothing runs by itself for you." in await asked("")
        mine = await app.schedules.add(RUN, "lab/say", {"text": "x"}, every=3600, title="my  tea")
        later = await app.schedules.add(RUN, "lab/ask", {}, at=lab.clock() + timedelta(minutes=1))
        owner = JobOwner(person="terminal:you")
        other = Every(60, lab.clock())
        await app.schedules.user_jobs.put("yours", "lab/ask", {}, other, owner=owner, missed="once", title="")
        once, again, _, how = (await asked("")).splitlines()
        assert once.startswith(f"{later.id} · lab/ask · 20")
        assert again.startswith(f"{mine.id} · my tea · every 1h, next 20")
        assert "/schedule remove ID" in how
        assert "You have no job 'yours'" in await asked("remove yours")
        assert await asked(f"remove {mine.id}") == "Removed: my tea"
        assert f"You have no job {mine.id!r}" in await asked(f"remove {mine.id}")
        assert "/schedule lists" in await asked("dance")


async def test_a_step_that_is_repeated_adds_its_job_once(lab: Lab):
    async with lab.running() as app:
        for _ in range(2):
            run = RunInfo(corr_id="r", person=ME, dest={"channel": "test"}, idempotency_key="run-1/step:s1")
            await app.schedules.add(run, "lab/say", {"text": "x"}, every=60)
            await app.schedules.add(run, "lab/say", {"text": "x"}, every=60)
        assert len(await app.schedules.list(RUN)) == 2


async def test_a_step_that_is_repeated_after_its_time_has_passed_finds_the_job_that_it_added(lab: Lab):
    async with lab.running() as app:
        for _ in range(2):
            run = RunInfo(corr_id="r", person=ME, dest={"channel": "test"}, idempotency_key="run-1/step:s1")
            at = datetime.now(UTC) + timedelta(minutes=1)
            job = await app.schedules.add(run, "lab/say", {"text": "x"}, at=at)
            async with ending(app, of=job.id) if not lab.said else contextlib.nullcontext():
                lab.forward(app, minutes=10)
        assert (job.next_at, job.repeats) == (None, False)
        with pytest.raises(ScheduleError, match="has passed"):
            await app.schedules.add(RUN, "lab/say", {"text": "x"}, at=at)
    assert lab.said == ["x"]


async def test_a_reminder_whose_step_is_repeated_after_it_came_says_when_that_was(
    lab: Lab, transport: KeepingTransport
):
    async with lab.running() as app:
        found = {"text": "stretch", "problem": "", "cron": "", "every": 0.0, "timezone": "UTC"}
        found["at"] = (datetime.now(UTC) + timedelta(minutes=1)).replace(tzinfo=None).isoformat()
        orchestrator = app.framework.orchestrator("reminders")
        add = orchestrator.runtime.actions["add"]
        said = []
        for _ in range(2):
            run = RunInfo(corr_id="r", person=ME, dest={"channel": "test"}, idempotency_key="run-1/step:s1")
            context = SimpleNamespace(run=run)
            said.append((await add.function(found, app.schedules, DATES, context))["message"])
            async with ending(app) if len(said) == 1 else contextlib.nullcontext():
                lab.forward(app, minutes=2)
        assert said[0] == said[1]


async def test_a_job_of_another_channel_waits_until_that_channel_is_there(lab: Lab, transport: KeepingTransport):
    run = RunInfo(corr_id="r", session_id="s", person=ME, dest={"channel": "elsewhere"})
    async with lab.running() as app:
        job = await app.schedules.add(run, "lab/say", {"text": "late"}, at=lab.clock() + timedelta(minutes=1))
        async with ending(app, of="lab/tick"):
            lab.forward(app, hours=1)
        assert "late" not in lab.said
        elsewhere = KeepingTransport()
        elsewhere.name = "elsewhere"
        async with ending(app, of=job.id):
            app.add_transport(elsewhere)
        assert elsewhere.texts == ["late"]
        assert transport.texts == []


async def test_a_run_that_was_begun_before_a_restart_is_not_begun_again(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        job = await app.schedules.add(RUN, "lab/say", {"text": "once"}, every=3600)
        async with ending(app, of=job.id):
            lab.forward(app, hours=1)
        kept = await app.schedules.jobs.get(job.id)
        firing = Firing(firing_id(job.id, kept.last_at), job.id, kept.last_at)
        await app.schedules.jobs.change(job.id, lambda kept: replace(kept, queue=(firing,)))  # as if killed before
    async with lab.running() as app:
        async with ending(app, of=job.id) as ended:
            app.schedules.jobs.wake()
        assert ended[0].end.status == "ok"
    assert lab.said.count("once") == 1
    assert transport.texts == ["once"]


async def test_the_jobs_of_an_old_home_go_on_and_the_run_of_one_that_had_begun(
    open_app, transport: KeepingTransport, tmp_path: Path, plan_folder: Path
):
    home = unpack(tmp_path)
    async with open_app() as app:
        hourly, tick, tea = await app.schedules.jobs.upcoming()
        assert (tick.id, str(tick.trigger)) == ("lab/tick", f"cron 0 7 * * * ({machine_timezone()})")
        assert (tea.title, tea.next_at) == ("Tea", datetime(2031, 5, 17, 18, 0, tzinfo=UTC))
        assert (hourly.title, hourly.last_status, len(hourly.queue)) == ("Hourly", "running", 1)
        firing = hourly.queue[0]
        async with ending(app, of=hourly.id) as ended, app.running_jobs():
            (question,) = [one for one in await app.questions("s") if one.run_id == firing.id]
            assert await app.answer(question.id, "yes", person=ME)
            while (await app.schedules.jobs.get(hourly.id)).queue[:1] == (firing,):  # noqa: ASYNC110 (the same)
                await asyncio.sleep(0.01)
        assert (ended[0].firing, ended[0].end.status) == (firing, "ok")
        assert "B after A yes" in transport.texts
    assert (home / "jobs.before-aura-db.db").exists()


async def test_a_plan_whose_schedule_is_wrong_is_explained_and_the_others_run(lab: Lab, plan_folder: Path):
    (plan_folder / "lab/tasks/wrong.yaml").write_text("meta: {on_event: task.faild}\nsteps: []\n")
    async with lab.running() as app:
        (problem,) = [problem for problem in app.framework.problems if "wrong" in problem.task]
        assert "did you mean 'task.failed'" in problem.message
        assert problem.line == 1
        assert {job.id for job in await app.schedules.jobs.upcoming()} == {"lab/tick", "lab/alarm@event"}


async def remind(app: App, text: str, transport: KeepingTransport) -> str:
    run_id = await app.submit_command(incoming(f"/remind {text}"), "reminders/add", {"text": text})
    assert run_id is not None
    outcome = await app.outcome(run_id)
    if outcome.status == "waiting":
        return outcome.questions[0].text
    assert outcome.status == "ok", outcome
    return transport.texts[-1]


async def test_a_reminder_comes_once_when_it_is_time(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        assert "stretch" in await remind(app, "in 10 minutes to stretch", transport)
        async with ending(app) as ended:
            lab.forward(app, minutes=10)
        assert ended[0].end.status == "ok"
        assert transport.texts[1:] == ["⏰ stretch"]
        assert await app.schedules.list(RUN) == []


async def test_reminders_are_shown_on_the_clock_that_the_settings_mean(lab: Lab, transport, tmp_path: Path):
    """It is another one than this machine's, also for what knows no clock: an interval."""
    (tmp_path / "aura.yaml").write_text("plans: {reminders: {timezone: Pacific/Kiritimati}}\n")
    zone = ZoneInfo("Pacific/Kiritimati")
    async with lab.running() as app:
        for words in ("in 3 days tea", "every 2 hours water", "every day at 9 bread"):
            told = await remind(app, words, transport)
            assert next_of(await app.schedules.list(RUN), words.split()[-1], zone) in told
        run_id = await app.submit_command(incoming("/reminders"), "reminders/list", {})
        await app.outcome(run_id)
        for job in await app.schedules.list(RUN):
            assert next_of([job], job.title, zone) in transport.texts[-1]


def next_of(jobs: list[ScheduledJob], title: str, zone: ZoneInfo) -> str:
    (moment,) = [job.next_at for job in jobs if job.title == title]
    return long_moment(moment.astimezone(zone))


async def test_a_reminder_that_was_added_as_a_job_is_known_by_what_it_says(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        trigger, owner = Every(3600, lab.clock()), JobOwner(person=ME, session_id="s", dest={"channel": "test"})
        await app.schedules.user_jobs.put(
            "mine", "reminders/remind", {"text": "hi there"}, trigger, owner=owner, missed="once", title="Reminder"
        )
        for task, inputs in (("list", {}), ("remove", {"reminder": "there"})):
            run_id = await app.submit_command(incoming(f"/{task}"), f"reminders/{task}", inputs)
            await app.outcome(run_id)
            assert "hi there" in transport.texts[-1]
        assert await app.schedules.list(RUN) == []


async def test_a_reminder_that_comes_again_stays_until_it_is_removed(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        assert "Буду напоминать" in await remind(app, "каждый день в 9 пить воду", transport)
        (reminder,) = await app.schedules.list(RUN)
        for _ in range(2):
            async with ending(app, of=reminder.id):
                lab.forward(app, days=1)
        assert transport.texts[1:] == ["⏰ пить воду"] * 2
        run_id = await app.submit_command(incoming("/x"), "reminders/remove", {"reminder": "воду"})
        await app.outcome(run_id)
        assert transport.texts[-1] == "Больше не буду напоминать: пить воду"
        assert await app.schedules.list(RUN) == []


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("buy milk", "When shall I remind you?"),
        ("buy milk today at 0:00", "has passed"),
        ("купить молоко", "Когда напомнить?"),
        ("喝水", "什么时候提醒你？"),
    ],
)
async def test_a_reminder_without_a_time_to_come_is_asked_about(lab: Lab, transport, text, question):
    async with lab.running() as app:
        asked = await remind(app, text, transport)
        assert question in asked
        assert "in 10 minutes · tomorrow at 9" in asked


async def test_an_answer_that_is_no_time_ends_with_examples(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        run_id = await app.submit_command(incoming("/remind"), "reminders/add", {"text": "milk"})
        question = (await app.outcome(run_id)).questions[0]
        await app.answer(question.id, "when pigs fly", person=ME)
        outcome = await app.outcome(run_id)
        assert outcome.status != "ok" or "pigs" in outcome.answer
        assert "I do not understand when “when pigs fly” is" in outcome.answer


async def test_events_of_jobs_of_people_can_be_waited_for_too(lab: Lab):
    async with lab.running() as app:
        job = await app.schedules.add(RUN, "lab/say", {"text": "seen"}, on_event="task.succeeded:aura_base/now")
        kept = await app.schedules.jobs.get(job.id)
        assert kept.trigger == OnEvent("task.succeeded:aura_base/now")
        assert job.next_at is None


async def test_an_edited_plan_brings_its_jobs_along(lab: Lab, plan_folder: Path):
    async with lab.running() as app:
        tasks = plan_folder / "lab/tasks/lab.yaml"
        tasks.write_text(tasks.read_text().replace("every: 1h", "every: 2m"))
        await app.framework.reload()
        while "every 2m" not in {str(job.trigger) for job in await app.schedules.jobs.upcoming()}:  # noqa: ASYNC110 (the same)
            await asyncio.sleep(0)
        async with ending(app, of="tick"):
            lab.forward(app, minutes=3)
    assert lab.said == ["tock"]


async def test_a_plan_that_is_broken_at_a_restart_keeps_its_jobs_until_it_is_mended(lab: Lab, plan_folder: Path):
    tasks = plan_folder / "lab/tasks/lab.yaml"
    whole = tasks.read_text()
    async with lab.running() as app:
        mine = await app.schedules.add(RUN, "lab/say", {"text": "mine"}, at=lab.clock() + timedelta(minutes=30))
    tasks.write_text(whole + "broken: {stepps: []}\n")
    lab.clock.ahead += timedelta(hours=1, minutes=10)
    async with lab.running() as app:
        listing = await known_jobs(app.framework.plans, app.schedules.jobs)
        assert set(listing.waiting) == {"lab/tick", "lab/alarm@event", mine.id}
        assert "the plan lab has mistakes" in listing.waiting["lab/tick"]
        await app.schedules.jobs.add(Job("now", "aura_base/now", Every(60, lab.clock())))
        async with ending(app, of="now"):
            lab.forward(app, minutes=1)
        assert lab.said == []
        tasks.write_text(whole)
        async with ending(app, of="lab/tick"), ending(app, of=mine.id):
            await app.framework.reload()
        assert sorted(lab.said) == ["mine", "tock"]
        assert not (await known_jobs(app.framework.plans, app.schedules.jobs)).waiting


async def test_a_plan_that_is_gone_takes_its_jobs_with_it(lab: Lab, plan_folder: Path):
    async with lab.running() as app:
        assert {job.id for job in await app.schedules.jobs.upcoming()} == {"lab/tick", "lab/alarm@event"}
    shutil.rmtree(plan_folder / "lab")
    async with lab.running() as app:
        assert await app.schedules.jobs.upcoming() == []


async def test_a_job_whose_owner_cannot_be_read_is_nobodys_and_stops_no_other(lab: Lab):
    async with lab.running() as app:
        bad = await app.schedules.add(RUN, "lab/say", {"text": "bad"}, every=60)
        good = await app.schedules.add(RUN, "lab/say", {"text": "good"}, every=60)
        await app.schedules.jobs.change(bad.id, lambda kept: replace(kept, owner={**kept.owner, "x": 1}))
    async with lab.running() as app:
        async with ending(app, of=good.id):
            lab.forward(app, minutes=1)
        assert set(lab.said) == {"good"}
        assert [job.id for job in await app.schedules.list(RUN)] == [good.id]
        listing = await known_jobs(app.framework.plans, app.schedules.jobs)
        assert "Whose job it is cannot be read" in listing.waiting[bad.id]
        await app.schedules.jobs.remove(bad.id)


async def test_the_owner_is_told_when_a_reminder_cannot_be_removed(lab: Lab, transport: KeepingTransport):
    async with lab.running() as app:
        for text in ("in 2 hours to drink tea", "every day at 9 drink water"):
            await remind(app, text, transport)
        run_id = await app.submit_command(incoming("/reminders"), "reminders/list", {})
        await app.outcome(run_id)
        first, second = transport.texts[-1].splitlines()[-2:]
        said = {}
        for words in ("drink", "coffee", "0", "3", "2"):
            run_id = await app.submit_command(incoming("/x"), "reminders/remove", {"reminder": words})
            said[words] = (await app.outcome(run_id)).answer
    assert {first[:2], second[:2]} == {"1.", "2."}
    assert "fits 2 reminders; say the number. 1: " in said["drink"]
    assert "There is no reminder “coffee”" in said["coffee"]
    assert "There is no reminder" in said["0"]
    assert "There is no reminder" in said["3"]
    assert "I will not remind you any more" in said["2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("in 5 minutes", "What shall I remind you of?"), ("через час " + "да " * 1500, "слишком длинно")],
)
async def test_a_reminder_of_nothing_or_of_too_much_is_explained(lab: Lab, transport: KeepingTransport, text, words):
    async with lab.running() as app:
        run_id = await app.submit_command(incoming("/remind"), "reminders/add", {"text": text})
        outcome = await app.outcome(run_id)
    assert words in outcome.answer


async def test_nobody_adds_jobs_without_end(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(user_jobs, "MOST_JOBS", 2)
    async with lab.running() as app:
        for text in ("a", "b"):
            await app.schedules.add(RUN, "lab/say", {"text": text}, every=60)
        with pytest.raises(ScheduleError, match="You have 2 jobs already"):
            await app.schedules.add(RUN, "lab/say", {"text": "c"}, every=60)


class Told(KeepingTransport):
    """A channel under another name, which keeps where things went."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.places: list[object] = []

    async def send_text(self, dest, text: str, *, key: str) -> None:
        if key not in self.keys:
            self.places.append(dest.get("chat_id"))
            await super().send_text(dest, text, key=key)


DELIVERED = """
tell:
  meta:
    title: Tell
    inputs: {{text: {{type: string}}}}
    schedule: {{every: 1h, deliver: {who}, inputs: {{text: {text}}}}}
  steps: [{{action: say, params: {{text: "{{{{ inputs.text }}}}"}}, output_to: said}}]
  returns: "{{{{ said }}}}"
asks:
  meta: {{title: Asks, schedule: {{every: 2h, deliver: {who}}}}}
  steps: [{{ask: "Really?", output_to: answer}}]
  returns: "You said {{{{ answer }}}}"
"""
FAMILY = "{owner: {people: ['telegram:1', 'terminal:*']}, family: {people: ['telegram:7', 'telegram:8']}}"


def delivered(lab: Lab, who: str, text: str = "news") -> None:
    (lab.log.parent / "tasks" / "tell.yaml").write_text(DELIVERED.format(who=who, text=text))


@pytest.mark.parametrize(
    ("who", "places"),
    [
        ("telegram:5", [5]),
        ("family", [7, 8]),
        ("[owner, 'telegram:7', family]", [1, 7, 8]),
        ("telegram:-100123", [-100123]),
    ],
)
async def test_the_results_of_a_plans_job_reach_the_chats_that_it_names(lab: Lab, who: str, places: list[int]):
    delivered(lab, who)
    telegram = Told("telegram")
    async with lab.running(AURA_PROFILES=FAMILY) as app:
        app.add_transport(telegram)
        async with ending(app, of="lab/tell") as ended:
            await app.schedules.jobs.run_now("lab/tell")
        assert (ended[0].end.status, ended[0].end.message) == ("ok", "")
    assert (telegram.texts, telegram.places) == (["news"] * len(places), places)
    assert lab.said == ["news"]


async def test_failures_of_a_plans_job_are_messages_too(lab: Lab):
    delivered(lab, "family", text="fail")
    telegram = Told("telegram")
    async with lab.running(AURA_PROFILES=FAMILY) as app:
        app.add_transport(telegram)
        for _ in range(2):
            async with ending(app, of="lab/tell"):
                await app.schedules.jobs.run_now("lab/tell")
    assert telegram.places == [7, 8, 7, 8]
    assert all("It broke." in text for text in telegram.texts)


async def test_a_job_that_tells_nobody_tells_its_owner_once_that_it_fails_until_it_works_again(lab: Lab):
    delivered(lab, "[]", text="fail")
    terminal = Told("terminal")
    async with lab.running() as app:
        app.add_transport(terminal)
        for text in ("fail", "fail", "works", "fail"):
            delivered(lab, "[]", text=text)
            await app.framework.reload()
            while (await app.schedules.jobs.get("lab/tell")).inputs["text"] != text:  # noqa: ASYNC110 (nobody is told)
                await asyncio.sleep(0.01)
            async with ending(app, of="lab/tell"):
                lab.forward(app, hours=1)
    told = [text for text in terminal.texts if text.startswith("Tell failed: ")]
    assert len(told) == 2
    assert all("It broke." in text for text in told)


async def test_a_question_of_a_plans_job_is_asked_where_its_results_go(lab: Lab):
    delivered(lab, "telegram:5")
    telegram = Told("telegram")
    async with lab.running(AURA_PROFILES=FAMILY) as app:
        app.add_transport(telegram)
        async with ending(app, of="lab/asks"):
            await app.schedules.jobs.run_now("lab/asks")
            while not telegram.questions:  # noqa: ASYNC110 (nobody is told)
                await asyncio.sleep(0.01)
            assert await app.reply("telegram-5", "yes", person="telegram:5")
    assert telegram.texts == ["You said yes"]


async def test_a_plans_job_waits_for_the_channel_that_it_names_and_says_whom_it_cannot_find(lab: Lab):
    delivered(lab, "[famly, 'telegram:5']")
    async with lab.running(AURA_PROFILES=FAMILY) as app:
        await app.schedules.jobs.run_now("lab/tell")
        await asyncio.sleep(0.3)
        assert lab.said == []
        telegram = Told("telegram")
        async with ending(app, of="lab/tell") as ended:
            app.add_transport(telegram)
        assert telegram.places == [5]
        assert "'famly' is no profile and no telegram:ID; did you mean 'family'?" in ended[0].end.message
