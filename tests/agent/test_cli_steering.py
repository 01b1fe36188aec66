"""What people, models and plans wrote steers no terminal, and breaks no table, whatever command shows it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from agent.app import App
from agent.channels.terminal.controls import printable
from agent.cli import run
from agent.cli.ask import _show
from agent.cli.guard import guarded
from agent.cli.invocation import Invocation
from agent.config import AppConfig
from agent.contracts import Incoming, Plan, PlanStep
from agent.errors import AgentError
from aura_core.scheduler.job import FiringEnd, Job
from aura_core.scheduler.job_queue import ended

RED = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eback"
LINES = f"first\nsecond\r\n{RED}"
HARMLESS = "first second [31mred]0;title 2J back"
TASKS = """
say: {meta: {title: "Say \\e[31m it"}, steps: [], returns: "a \\e[31mb\\x9b2J"}
stop: {steps: [{stop: "no \\e[31m"}]}
fail: {steps: [{set: {a: "{{ {}['\\e[31m'] }}"}}]}
many: {steps: [], returns: ["\\e[31m\\x9b2J\\u202e"]}
"""


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AURA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home/plugins/lab/tasks").mkdir(parents=True)
    (tmp_path / "home/plugins/lab/plan.yaml").write_text("name: lab\n")
    (tmp_path / "home/plugins/lab/tasks/all.yaml").write_text(TASKS)


def steers(text: str) -> bool:
    return printable(text) != text


def said(capsys: pytest.CaptureFixture[str]) -> str:
    found = capsys.readouterr()
    assert not steers(found.out + found.err)
    return found.out + found.err


def test_what_the_doctor_says_of_a_broken_plan(capsys, tmp_path):
    (tmp_path / "home/plugins/lab/actions").mkdir()
    (tmp_path / "home/plugins/lab/actions/broken.py").write_text(f"raise ValueError({RED!r})\n")
    run(["doctor"])
    assert "[31mred" in said(capsys)


def test_the_list_of_jobs_and_what_is_said_of_one_that_is_removed(capsys, tmp_path):
    assert run(["schedule", "add", "lab/say", "--every", "1h", "--title", LINES]) == 0
    assert HARMLESS in said(capsys)

    async def failed() -> Job:
        async with App.open(AppConfig.load(), program="test", durable=False) as app:
            (job,) = await app.schedules.jobs.upcoming()
            firing = await app.schedules.jobs.run_now(job.id)
            end = FiringEnd("error", LINES)
            await app.schedules.jobs.change(job.id, lambda job: ended(job, firing, end))
            return job

    job = asyncio.run(failed())
    assert job.title == LINES
    assert run(["schedule"]) == 0
    listed = said(capsys)
    assert len([line for line in listed.splitlines() if HARMLESS in line]) == 2
    assert run(["schedule", "remove", job.id]) == 0
    assert f"({HARMLESS}, every 1h) is removed." in said(capsys)


def test_the_list_of_runs_and_one_of_them(capsys, tmp_path):
    async def asked() -> str | None:
        async with App.open(AppConfig.load(), program="test") as app:
            message = Incoming(session_id=f"s {RED}", person="terminal:me", text=LINES, dest={"channel": "nowhere"})
            run_id = await app.submit_command(message, "lab/fail", {})
            assert run_id is not None
            await app.outcome(run_id)
            return run_id

    run_id = asyncio.run(asked())
    assert run_id is not None
    assert run(["runs"]) == 0
    assert HARMLESS in said(capsys)
    assert run(["runs", "show", run_id]) == 0
    assert not steers(capsys.readouterr().err)


def test_the_catalogue_and_how_a_task_ends(capsys):
    assert run(["tasks"]) == 0
    assert "Say [31m it" in said(capsys)
    assert run(["run", "lab/stop"]) == 0
    assert "no [31m" in said(capsys)
    assert run(["run", "lab/fail"]) == 1
    assert "[31m" in said(capsys)


def test_a_result_is_as_it_is_in_a_pipe_and_harmless_on_a_terminal(capsys, monkeypatch):
    assert run(["run", "lab/say"]) == 0
    assert capsys.readouterr().out == "a \x1b[31mb\x9b2J\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(["run", "lab/say"]) == 0
    assert capsys.readouterr().out == "a [31mb2J\n"


def test_json_says_the_same_and_steers_nothing(capsys):
    assert run(["run", "lab/many"]) == 0
    document = said(capsys)
    assert json.loads(document) == ["\x1b[31m\x9b2J\u202e"]


def test_an_error_of_a_command_steers_nothing(capsys):
    def command() -> None:
        raise AgentError(f"nothing of {RED}\nThe second line stays.")

    assert guarded(command, Invocation()) == 1
    assert said(capsys).splitlines() == ["nothing of [31mred]0;title 2J back", "The second line stays."]


def test_a_plan_that_is_shown(capsys):
    _show(Plan(steps=[PlanStep(id="1", title=LINES, instruction=RED)], repairs=[LINES]))
    assert said(capsys).count(HARMLESS) == 2
