"""Reminders and jobs the whole way: asked for in a chat or on the command line, delivered by a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from tests.e2e.program import Program, is_planning, plan
from tests.fixtures.telegram_emulator import Emulator, Person

OWNER = 1001


class Chat:
    """`aura chat` on pipes: lines are typed, and what it says is waited for."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)

    def type(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def wait_for(self, words: str) -> str:
        while True:
            line = self._lines.get(timeout=60)
            if words in line:
                return line


@pytest.fixture
def aura(tmp_path, scripted_model) -> Program:
    return Program(tmp_path / "home", scripted_model.environment)


@contextmanager
def chatting(aura: Program) -> Iterator[Chat]:
    process = aura.start("chat")
    try:
        yield Chat(process)
        process.stdin.close()
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_reminder_appears_in_the_terminal_between_two_lines(aura):
    with chatting(aura) as chat:
        chat.type("/remind in 1 second to stretch")
        chat.wait_for("I will remind you on")
        chat.wait_for("⏰ stretch")
        chat.type("/reminders")
        chat.wait_for("There are no reminders.")
        chat.type("/schedule")
        chat.wait_for("Nothing runs by itself for you.")


def test_what_was_asked_for_in_one_program_is_delivered_by_the_next(aura, scripted_model):
    step = ("reminders/add", {"text": "stretch", "when": "in 1 second"})
    scripted_model.say(plan(step), when=is_planning)
    scripted_model.say("I will remind you to stretch.", times=None)
    assert aura.json("ask", "remind me in 1 second to stretch")["status"] == "ok"
    with chatting(aura) as chat:
        chat.wait_for("⏰ stretch")
        chat.type("/reminders")
        chat.wait_for("There are no reminders.")


def test_a_running_chat_takes_up_what_the_command_line_adds(aura):
    with chatting(aura) as chat:
        job = aura.json("schedule", "add", "aura_base/calculate", "expression=6*7", "--every", "1h")
        assert (job["when"], job["task"], job["channel"]) == ("every 1h", "aura_base/calculate", "terminal")
        done = aura("schedule", "run", job["id"])
        assert done.returncode == 0
        assert f"job:{job['id']}:" in done.stderr
        chat.wait_for("42")
        while (listed := aura.json("schedule", "list")[0])["last_status"] != "ok":
            assert listed["last_status"] in ("asked", "running")
    assert "6*7" in str(listed["inputs"])
    assert aura("schedule", "remove", job["id"]).returncode == 0
    assert aura("schedule").stderr.startswith("Nothing runs by itself yet.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["notes/list"], "exactly one of cron, every, at and on_event"),
        (["notes/list", "--cron", "99 * * * *"], "is not a cron rule"),
        (["notes/list", "--every", "1x"], "is not a duration"),
        (["notes/list", "--at", "tomorrow"], "is not a time"),
        (["notes/list", "--at", "2020-01-01 10:00"], "has passed"),
        (["notes/list", "--at", "9999-12-31T23:59", "--timezone", "America/New_York"], "out of reach"),
        (["notes/list", "--at", "18:00", "--timezone", "Europe/Berln"], "Europe/Berlin"),
        (["notes/list", "--every", "1h", "--timezone", "Nowhere"], "There is no time zone 'Nowhere'"),
        (["notes/add", "text=\udcff", "--every", "1h"], "'text=\\udcff' is not UTF-8."),
        (["notes/list", "--every", "1h", "--title", "\udcff"], "'\\udcff' is not UTF-8."),
        (["notes/list", "--on", "task.faild"], "task.failed"),
        (["notes/list", "--every", "1h", "--missed", "twice"], "not one of skip, once and all"),
        (["notes/list", "--every", "1h", "--to", "nobody"], "telegram:ID"),
        (["notes/list", "--every", "1h", "--to", "telegram:5"], "may not use notes/list"),
        (["notes/lst", "--every", "1h"], "notes/list"),
        (["notes/add", "txt=x", "--every", "1h"], "text"),
    ],
)
def test_a_job_that_cannot_be_is_explained(aura, arguments, words):
    done = aura("schedule", "add", *arguments)
    assert done.returncode == 1
    assert words in done.stderr.replace("\n", " ")
    assert aura("schedule", "run", "nope").returncode == 1
    assert aura("schedule", "remove", "nope").returncode == 1
    assert "There is no job '\\udcff'" in aura("schedule", "remove", "\udcff").stderr


@pytest.mark.parametrize(
    ("variable", "verdict", "words"),
    [
        ("Europe/Berlin", "ok", "Europe/Berlin, "),
        ("EST5EDT,M3.2.0,M11.1.0", "note", "TZ=EST5EDT,M3.2.0,M11.1.0, a rule without a name"),
        ("Europe/Berln", "note", "TZ=Europe/Berln names no zone, so it is UTC here"),
    ],
)
def test_whose_clock_jobs_go_by_is_said(aura, monkeypatch, variable, verdict, words):
    monkeypatch.setenv("TZ", variable)
    time.tzset()
    try:
        (found,) = [one for one in json.loads(aura("doctor", "--json").stdout) if one["what"] == "Time zone"]
        assert found["verdict"] == verdict
        assert words in found["text"]
        job = aura.json("schedule", "add", "notes/list", "--cron", "30 8 * * *")
        assert "T08:30:00" in job["next_at"]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_job_of_a_plan_is_listed_before_it_ever_ran_and_cannot_be_removed(tmp_path, aura):
    folder = tmp_path / "plans/lab"
    folder.joinpath("tasks").mkdir(parents=True)
    folder.joinpath("plan.yaml").write_text("name: lab\n")
    folder.joinpath("tasks/tick.yaml").write_text(
        "meta: {schedule: {cron: '0 8 * * *', timezone: Asia/Tokyo}}\nsteps: []\n"
    )
    aura.environment["AURA_PLANS"] = str(folder.parent)
    (job,) = aura.json("schedule", "list")
    assert (job["id"], job["when"], job["source"]) == ("lab/tick", "cron 0 8 * * * (Asia/Tokyo)", "plan")
    assert "lab/tick" in aura("schedule").stdout
    assert aura("schedule", "run", "lab/tick").returncode == 0
    done = aura("schedule", "remove", "lab/tick")
    assert done.returncode == 1
    assert "declared in the task lab/tick" in done.stderr.replace("\n", " ")
    folder.joinpath("tasks/wrong.yaml").write_text("stepps: []\n")
    assert "lab/tick waits: the plan lab has mistakes" in aura("schedule").stderr
    assert "has mistakes" in aura.json("schedule", "list")[0]["waits"]
    assert "It waits: the plan lab has mistakes" in aura("schedule", "run", "lab/tick").stderr
    shutil.rmtree(folder)
    listed = aura("schedule")
    assert "last: asked" in listed.stdout
    assert "lab/tick does not run: the plan lab is gone" in listed.stderr
    assert "the plan lab is gone" in aura.json("schedule", "list")[0]["gone"]
    assert aura("schedule", "remove", "lab/tick").returncode == 0
    assert aura("schedule").stderr.startswith("Nothing runs by itself yet.")


def test_a_job_that_cannot_be_read_is_said_in_the_list_and_can_be_removed(tmp_path, aura):
    job = aura.json("schedule", "add", "aura_base/calculate", "expression=6*7", "--every", "1h")["id"]
    assert "Calculate expression=6*7" in aura("schedule").stdout
    with sqlite3.connect(Path(aura.environment["AURA_HOME"]) / "aura.db") as connection:
        connection.execute("UPDATE documents SET value = 'nonsense' WHERE namespace = 'jobs'")
    connection.close()
    assert f"The job {job} cannot be read" in aura("schedule").stderr
    assert "it could not be read" in aura("schedule", "remove", job).stderr
    assert aura("schedule").stderr.startswith("Nothing runs by itself yet.")


@pytest.fixture
def telegram() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def olga(telegram: Emulator) -> Person:
    return telegram.person(OWNER)


@pytest.fixture
def bot(aura: Program, telegram: Emulator):
    aura.environment |= {**telegram.environment, "AURA_TELEGRAM_OWNERS": f"[{OWNER}]"}

    @contextmanager
    def started() -> Iterator[subprocess.Popen[str]]:
        process = aura.start("bot")
        try:
            yield process
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=30)
                assert "Traceback" not in errors, errors
        finally:
            process.kill()
            process.wait()

    return started


async def test_a_reminder_that_fell_due_while_the_bot_was_killed_comes_once_when_it_is_back(bot, olga: Person):
    with bot() as process:
        olga.send("/remind in 1 second to stretch")
        await olga.wait_for("I will remind you on")
        kill(process)
    with bot():
        await olga.wait_for("⏰ stretch")
        olga.send("/reminders")
        await olga.wait_for("There are no reminders.")
        olga.send("/schedule")
        await olga.wait_for("Nothing runs by itself for you.")
    assert len(olga.saying("⏰ stretch")) == 1


async def test_a_kill_while_a_reminder_is_sent_does_not_send_it_twice(bot, olga: Person, telegram: Emulator):
    with bot() as process:
        telegram.faults.add("sendMessage", "hang_after", seconds=60, only="⏰ stretch")
        olga.send("/remind in 1 second to stretch")
        await olga.wait_for("⏰ stretch")
        kill(process)
    with bot():
        olga.send("/reminders")
        await olga.wait_for("There are no reminders.")
    assert len(olga.saying("⏰ stretch")) == 1
