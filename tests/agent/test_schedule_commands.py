"""Listing, removing and running jobs by their id: what is said of those whose plan is broken, away or gone."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from agent.app import App
from agent.cli import run
from agent.config import AppConfig
from agent.schedules.commands import remove_job, run_job
from agent.schedules.owner import JobOwner
from agent.schedules.status import known_jobs
from aura_core.errors import NotFoundError, ScheduleError
from aura_core.scheduler.triggers import Every
from tests.agent.test_schedules import ME, TASKS, Lab

TICK, ALARM = "lab/tick", "lab/alarm@event"


@pytest.fixture
def lab(plan_folder: Path, open_app) -> Lab:
    return Lab(plan_folder, open_app)


@pytest.fixture
async def mine(lab: Lab) -> str:
    """A person's job beside those of the plan; nothing runs any more."""
    async with lab.running() as app:
        trigger, owner = Every(60, lab.clock()), JobOwner(person=ME)
        job = await app.schedules.user_jobs.put("mine", "lab/ask", {}, trigger, owner=owner, missed="once", title="")
        return job.id


class CommandLine:
    """What `aura schedule` does, in a program that runs no jobs."""

    def __init__(self, app: App) -> None:
        self.about = (app.framework.plans, app.schedules.jobs)

    async def list(self):
        return await known_jobs(*self.about)

    async def remove(self, name: str):
        return await remove_job(*self.about, name)

    async def run(self, name: str):
        return await run_job(*self.about, name)


@contextlib.asynccontextmanager
async def command_line(tmp_path: Path, *folders: Path):
    config = AppConfig.load({"AURA_HOME": str(tmp_path / "home"), "AURA_PLANS": ":".join(map(str, folders))}, tmp_path)
    async with App.open(config, program="aura schedule", durable=False) as app:
        yield CommandLine(app)


async def test_jobs_of_a_plan_that_is_gone_are_said_to_be_and_can_be_removed(tmp_path, plan_folder: Path, mine):
    shutil.rmtree(plan_folder / "lab")
    async with command_line(tmp_path, plan_folder) as commands:
        listing = await commands.list()
        assert not listing.waiting
        assert listing.gone[TICK].startswith("the plan lab is gone; it goes, too, when")
        assert listing.gone[mine] == "the plan lab is gone; its run will be refused"
        with pytest.raises(ScheduleError, match="The job lab/tick cannot run: the plan lab is gone"):
            await commands.run(TICK)
        assert (await commands.remove(TICK)).id == TICK
        assert (await commands.remove(mine)).id == mine
        assert [job.id for job in (await commands.list()).jobs] == [ALARM]


async def test_a_job_whose_task_is_gone_or_declares_it_no_more_is_said_to_be(tmp_path, plan_folder: Path, mine):
    tasks = plan_folder / "lab/tasks/lab.yaml"
    tasks.write_text(TASKS.replace(", schedule: {every: 1h, inputs: {text: tock}}", "").replace("alarm:", "alert:"))
    async with command_line(tmp_path, plan_folder) as commands:
        listing = await commands.list()
        assert set(listing.gone) == {TICK, ALARM}
        assert listing.gone[TICK].startswith("the task lab/tick does not declare it any more; ")
        assert listing.gone[ALARM].startswith("the task lab/alarm is gone; ")
        with pytest.raises(ScheduleError, match="declared in the task lab/alert"):
            await commands.remove("lab/alert@event")
        assert (await commands.remove(TICK)).id == TICK


async def test_of_a_plan_whose_folder_is_away_nobody_can_tell(tmp_path, plan_folder: Path, mine):
    plan_folder.rename(tmp_path / "elsewhere")
    async with command_line(tmp_path, plan_folder) as commands:
        listing = await commands.list()
        assert not listing.gone
        assert "nobody can tell whether the plan lab is there" in listing.waiting[TICK]
        assert str(plan_folder) in listing.waiting[TICK]
        with pytest.raises(ScheduleError, match="of a plan and cannot be removed by itself: nobody can tell"):
            await commands.remove(TICK)
        _, waits = await commands.run(TICK)
        assert "nobody can tell" in waits
        assert (await commands.remove(mine)).id == mine


async def test_a_plan_with_mistakes_is_said_to_have_them_also_while_another_folder_is_away(
    tmp_path, plan_folder: Path, mine
):
    (plan_folder / "lab/tasks/lab.yaml").write_text(TASKS + "broken: {stepps: []}\n")
    async with command_line(tmp_path, plan_folder, tmp_path / "away") as commands:
        listing = await commands.list()
        assert set(listing.waiting) == {TICK, ALARM, mine}
        assert all(why.startswith("the plan lab has mistakes") for why in listing.waiting.values())
        assert all("still has the version before them runs it meanwhile" in why for why in listing.waiting.values())
        with pytest.raises(ScheduleError, match="the plan lab has mistakes"):
            await commands.remove(TICK)


async def test_a_job_whose_task_needs_what_happened_is_not_asked_for_by_hand(tmp_path, plan_folder: Path, mine):
    async with command_line(tmp_path, plan_folder) as commands:
        with pytest.raises(ScheduleError, match="needs the event that starts it; `aura run lab/alarm event=…`"):
            await commands.run(ALARM)
        assert {job.last_status for job in (await commands.list()).jobs} == {""}
    optional = TASKS.replace("event: {type: object, required: true}", "event: {type: object, default: {}}")
    assert optional != TASKS
    (plan_folder / "lab/tasks/lab.yaml").write_text(optional)
    async with command_line(tmp_path, plan_folder) as commands:
        firing, _ = await commands.run(ALARM)
        assert firing.job == ALARM


async def test_a_job_that_was_asked_for_and_not_begun_is_said_to_be_asked_for(tmp_path, plan_folder: Path, mine):
    async with command_line(tmp_path, plan_folder) as commands:
        _, waits = await commands.run(TICK)
        assert waits == ""
        jobs = {job.id: job for job in (await commands.list()).jobs}
        assert jobs[TICK].last_status == "asked"
        with pytest.raises(NotFoundError):
            await commands.run("lab/tock")
        with pytest.raises(ScheduleError, match="declared in the task lab/tick"):
            await commands.remove(TICK)


@pytest.mark.parametrize(
    "command", [["schedule"], ["runs"], ["runs", "cancel", "x"], ["run", "aura_base/now"], ["bot"]], ids=" ".join
)
def test_a_damaged_file_of_an_older_aura_is_said_by_whatever_takes_it_over(
    monkeypatch, capsys, tmp_path: Path, command
):
    monkeypatch.setenv("AURA_HOME", str(tmp_path))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    (tmp_path / "jobs.db").write_bytes(b"nonsense" * 1000)
    run(command)
    said = capsys.readouterr().err
    assert "jobs.db of an older Aura was damaged" in " ".join(said.split())
    assert list(tmp_path.glob("jobs.damaged-*.db"))
    run(["schedule"])  # nobody sits before it, so it is told until a person says that they have seen it
    assert "jobs.db of an older Aura was damaged" in " ".join(capsys.readouterr().err.split())
    run(["doctor", "--seen"])
    assert "of an older Aura was damaged" in " ".join(capsys.readouterr().out.split())
    run(["schedule"])
    assert "damaged" not in capsys.readouterr().err
