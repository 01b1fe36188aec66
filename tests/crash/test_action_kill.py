"""kill -9 between two actions of one task: what was done is not done again, and the question is asked once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.run.crash_loop import MOST_CRASHES

ROOT = Path(__file__).parents[2]
ACTIONS = """
import asyncio
import os
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

@action("die")
async def die() -> None:
    os._exit(9)
"""
TASKS = """
deadly:
  meta: {title: Deadly, description: Ends the program.}
  steps: [{action: die}]
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
whole:
  meta: {title: Whole, description: Every way to nest marks., effects: write}
  steps:
    - {action: mark, params: {text: first, wait: 0.05}}
    - parallel:
        - - {for: 3, do: [{action: mark, params: {text: "left {{ item }}", wait: 0.04}}]}
        - - {run_task: part, pass_params: {name: right}, output_to: right}
          - {action: mark, params: {text: "after {{ right }}", wait: 0.03}}
    - {ask: "Go on?", output_to: answer}
    - {for: [x, y], as: name, do: [{run_task: part, pass_params: {name: "{{ name }} {{ answer }}"}}]}
    - {action: mark, params: {text: last, wait: 0.05}}
part:
  meta: {title: Part, description: Two marks., effects: write, inputs: {name: {type: string}}}
  steps:
    - {action: mark, params: {text: "{{ inputs.name }} 1", wait: 0.05}, output_to: one}
    - {action: mark, params: {text: "{{ inputs.name }} 2", wait: 0.05}}
  returns: "{{ one.text }}"
"""
WHOLE = ["first", "left 0", "left 1", "left 2", "right 1", "right 2", "after right 1"]
WHOLE += ["x yes 1", "x yes 2", "y yes 1", "y yes 2", "last"]


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

    @property
    def recorded(self) -> set[str]:
        """The marks whose results the program has recorded."""
        with contextlib.closing(sqlite3.connect(self.home / "aura.db")) as store:
            values = [json.loads(value) for (value,) in store.execute("SELECT value FROM entries")]
        return {entry["result"]["text"] for entry in values if isinstance(entry, dict) and "result" in entry}

    def asked_at(self) -> float:
        """When the only question that was ever asked was asked."""
        with contextlib.closing(sqlite3.connect(self.home / "aura.db")) as store:
            ((moment,),) = store.execute("SELECT created_at FROM tasks WHERE task = 'question'").fetchall()
        return moment

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

    def outcome(self, task: str) -> dict:
        output, errors = self.start(task).communicate(timeout=60)
        outcome = json.loads(output or b"null")
        assert outcome is not None, errors.decode()
        return outcome

    def finish(self, task: str) -> dict:
        outcome = self.outcome(task)
        assert outcome["status"] == "ok", outcome
        return outcome


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_marks_before_and_after_a_question_are_made_once(program):
    waits = program.home / "waits"
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


def test_a_task_edited_between_two_lives_goes_on_as_it_began(program):
    program.killed_when("lab/pause", (program.home / "waits").exists)
    asked = program.asked_at()
    tasks = program.lab / "tasks/marks.yaml"
    edited = tasks.read_text().replace("B after", "edited, after")
    tasks.write_text(edited.replace("  steps:\n", "  steps:\n    - {action: mark, params: {text: Z}}\n", 1))
    (program.home / "answer").write_text("yes")
    program.finish("lab/pause")
    assert program.done == ["A", "B after A yes"]
    assert program.asked_at() == asked


def test_a_run_whose_plan_is_broken_in_its_second_life_is_finished_in_its_third(program):
    program.killed_when("lab/pause", (program.home / "waits").exists)
    tasks = program.lab / "tasks/marks.yaml"
    text = tasks.read_text()
    tasks.write_text(text.replace("action: mark", "action: make"))
    (program.home / "answer").write_text("yes")
    assert program.outcome("lab/pause")["status"] == "waiting"
    tasks.write_text(text)
    program.finish("lab/pause")
    assert program.done == ["A", "B after A yes"]


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_anywhere_nothing_that_was_recorded_is_repeated(program, seed):
    where, waits = random.Random(seed), program.home / "waits"
    begun_at_kill: dict[str, int] = {}
    asked: set[float] = set()
    for _ in range(3):
        lines = len(program.log) + where.randint(1 if program.log else 3, 8)  # the third line follows a record
        program.killed_when("lab/whole", lambda lines=lines: len(program.log) >= lines or waits.exists())
        if waits.exists():
            asked.add(program.asked_at())
            (program.home / "answer").write_text("yes")
        for name in program.recorded:
            begins = program.log.count(f"{name} begins")
            assert begun_at_kill.setdefault(name, begins) == begins, name
    (program.home / "answer").write_text("yes")
    program.finish("lab/whole")
    asked.add(program.asked_at())
    assert len(asked) == 1
    assert begun_at_kill
    assert sorted(set(program.done)) == sorted(WHOLE)
    assert {name: program.log.count(f"{name} begins") for name in begun_at_kill} == begun_at_kill


def test_a_step_that_ends_the_program_every_time_is_given_up_and_says_so(program):
    for _ in range(MOST_CRASHES + 1):
        process = program.start("lab/deadly")
        process.communicate(timeout=60)
        assert process.returncode == 9
    outcome = program.outcome("lab/deadly")
    assert outcome["status"] == "error"
    assert f"Aura ended {MOST_CRASHES + 1} times while" in outcome["answer"]
