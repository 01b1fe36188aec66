"""kill -9 between two actions of one task: what was done is not done again, and the question is asked once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACTIONS = """
import asyncio
from pathlib import Path
from aura_core.api import action

LOG = Path(__file__).parent.parent / "log.txt"

@action("mark", effects="write")
async def mark(text: str, wait: float = 0.0) -> dict:
    with LOG.open("a") as log:
        log.write(f"{text} begins\\n")
    await asyncio.sleep(wait)
    with LOG.open("a") as log:
        log.write(f"{text} done\\n")
    return {"text": text}
"""
TASKS = """
pause:
  meta: {title: Pause, description: Ask between two marks., effects: write}
  steps:
    - {action: mark, params: {text: A}, output_to: a}
    - {ask: "Go on?", output_to: answer}
    - {action: mark, params: {text: "B after {{ a.text }} {{ answer }}"}}
loop:
  meta: {title: Loop, description: Five marks., effects: write}
  steps: [{for: 5, do: [{action: mark, params: {text: "{{ item }}", wait: 0.15}}]}]
wide:
  meta: {title: Wide, description: Six marks side by side., effects: write}
  steps:
    - for: 6
      parallel: 2
      do: [{action: mark, params: {text: "{{ item }}", wait: "{{ 0.3 + item % 2 * 0.15 }}"}}]
"""


class Program:
    """The program, its plan, and what its actions have done."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.lab = folder / "plans/lab"
        self.home.mkdir()
        for name, text in {
            "plan.yaml": "name: lab\nversion: 1.0.0\ntitle: Lab\n",
            "actions/marks.py": ACTIONS,
            "tasks/marks.yaml": TASKS,
        }.items():
            (self.lab / name).parent.mkdir(parents=True, exist_ok=True)
            (self.lab / name).write_text(text)

    @property
    def log(self) -> list[str]:
        path = self.lab / "log.txt"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def done(self) -> list[str]:
        return sorted(line.removesuffix(" done") for line in self.log if line.endswith(" done"))

    def start(self, task: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.crash.task_program", task],
            env={**os.environ, "AURA_HOME": str(self.home), "AURA_PLANS": str(self.lab.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )

    def killed_when(self, task: str, condition: Callable[[], bool]) -> None:
        """One life that ends with SIGKILL as soon as the condition holds."""
        process = self.start(task)
        deadline = time.monotonic() + 60
        while not condition():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, self.log
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def finish(self, task: str) -> dict:
        output, errors = self.start(task).communicate(timeout=60)
        outcome = json.loads(output or b"null")
        assert outcome is not None, errors.decode()
        assert outcome["status"] == "ok", outcome
        return outcome


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_marks_before_and_after_a_question_are_made_once(program):
    waits = program.home / "waits"
    program.killed_when("lab/pause", waits.exists)
    waits.unlink()
    program.killed_when("lab/pause", waits.exists)
    (program.home / "answer").write_text("surely")
    outcome = program.finish("lab/pause")
    assert program.done == ["A", "B after A surely"]
    assert not outcome["questions"]


def test_turns_of_a_loop_that_were_done_are_not_done_again(program):
    program.killed_when("lab/loop", lambda: "3 begins" in program.log)
    program.finish("lab/loop")
    assert program.done == ["0", "1", "2", "3", "4"]
    assert program.log.count("2 begins") == 1


def test_side_by_side_marks_that_were_made_are_not_made_again(program):
    program.killed_when("lab/wide", lambda: "3 begins" in program.log)
    done = set(program.done)
    assert done
    program.finish("lab/wide")
    assert program.done == ["0", "1", "2", "3", "4", "5"]
    assert all(program.log.count(f"{name} begins") == 1 for name in done)


def test_a_task_edited_between_two_lives_goes_on(program):
    program.killed_when("lab/pause", (program.home / "waits").exists)
    tasks = program.lab / "tasks/marks.yaml"
    tasks.write_text(tasks.read_text().replace("B after", "edited, after"))
    (program.home / "answer").write_text("yes")
    program.finish("lab/pause")
    assert program.done == ["A", "edited, after A yes"]
