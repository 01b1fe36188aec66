"""kill -9 in the middle of `aura ask`, then `aura runs resume`: what was done is not done again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PLAN_YAML = "name: lab\nversion: 1.0.0\ntitle: Lab\n"
ACTIONS = """
import asyncio
from pathlib import Path
from aura_core.api import Context, action

LOG = Path(__file__).parent.parent / "log.txt"

@action("mark", effects="write")
async def mark(text: str, wait: float, context: Context) -> str:
    with LOG.open("a") as log:
        log.write(f"{text} begins {context.run.idempotency_key}\\n")
    await asyncio.sleep(wait)
    with LOG.open("a") as log:
        log.write(f"{text} ends\\n")
    return text
"""
TASKS = """
mark:
  meta:
    title: Mark
    description: Write a mark.
    effects: write
    inputs:
      text: {type: string, required: true}
      wait: {type: number, default: 0}
    resources: ["pens:8"]
  steps: [{action: mark, params: {text: "{{ inputs.text }}", wait: "{{ inputs.wait }}"}, output_to: m}]
  returns: "{{ m }}"
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    folder = tmp_path / "plans/lab"
    (folder / "actions").mkdir(parents=True)
    (folder / "tasks").mkdir()
    (folder / "plan.yaml").write_text(PLAN_YAML)
    (folder / "actions/marks.py").write_text(ACTIONS)
    (folder / "tasks/marks.yaml").write_text(TASKS)
    return folder


def environment(tmp_path: Path, scripted_model) -> dict[str, str]:
    return {
        **os.environ,
        **scripted_model.environment,
        "AURA_HOME": str(tmp_path / "home"),
        "AURA_PLANS": str(tmp_path / "plans"),
    }


def aura(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "agent.cli", *arguments]


def log_of(lab: Path) -> list[str]:
    path = lab / "log.txt"
    return path.read_text().splitlines() if path.exists() else []


def wait_until(condition, process: subprocess.Popen) -> None:
    for _ in range(600):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("the run did not get there within 30 s")


def mark(step: str, text: str, wait: float, after: list[str]) -> dict:
    inputs = {"text": text, "wait": wait}
    return {"id": step, "title": text, "kind": "task", "task": "lab/mark", "inputs": inputs, "depends_on": after}


def test_finished_steps_are_not_run_again_after_a_kill(tmp_path, scripted_model, lab):
    scripted_model.say(
        {"steps": [mark("s1", "first", 0, []), mark("s2", "second", 1.5, ["s1"]), mark("s3", "third", 0, ["s2"])]},
        when=lambda request: bool(request.get("response_format")),
    )
    scripted_model.say("first, second and third are marked.", when=lambda r: not r.get("response_format"), times=None)
    values = environment(tmp_path, scripted_model)
    process = subprocess.Popen(aura("ask", "Mark first, second, third"), env=values, start_new_session=True)
    wait_until(lambda: any(line.startswith("second begins") for line in log_of(lab)), process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    listed = json.loads(subprocess.run(aura("runs", "--json"), env=values, capture_output=True, check=True).stdout)
    run_id = listed[0]["run_id"]
    assert listed[0]["status"] == "running"
    resumed = subprocess.run(
        aura("runs", "resume", run_id, "--json"), env=values, capture_output=True, timeout=60, check=False
    )
    assert resumed.returncode == 0, resumed.stderr.decode() + resumed.stdout.decode()
    outcome = json.loads(resumed.stdout)
    assert outcome["status"] == "ok"
    lines = log_of(lab)
    assert [line for line in lines if line.startswith("first")] == [lines[0], "first ends"]
    assert lines.count("second ends") == 1
    assert lines.count("third ends") == 1
    begun = [line.split()[-1] for line in lines if line.startswith("second begins")]
    assert len(begun) == 2
    assert len(set(begun)) == 1, "both attempts carry the same idempotency key"
    assert len([request for request in scripted_model.requests if request.get("response_format")]) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_kills_repeat_nothing_that_was_recorded(tmp_path, scripted_model, lab, seed):
    chain = [mark(f"s{n}", f"m{n}", 0.15, [f"s{n - 1}"] if n % 3 else []) for n in range(1, 9)]
    scripted_model.say({"steps": chain}, when=lambda request: bool(request.get("response_format")), times=None)
    scripted_model.say("All marked.", when=lambda request: not request.get("response_format"), times=None)
    values = environment(tmp_path, scripted_model)
    chance = random.Random(seed)
    command = aura("ask", "Mark all", "--json")
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(command, env=values, start_new_session=True, stdout=subprocess.PIPE)
        seen = len(log_of(lab))
        wanted = seen + chance.randint(1, 4)
        while process.poll() is None and len(log_of(lab)) < wanted:
            time.sleep(0.02)
        time.sleep(chance.random() * 0.1)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
        listed = json.loads(subprocess.run(aura("runs", "--json"), env=values, capture_output=True, check=True).stdout)
        assert len(listed) == 1
        command = aura("runs", "resume", listed[0]["run_id"], "--json")
    final = subprocess.run(command, env=values, capture_output=True, timeout=60, check=False)
    outcome = json.loads(final.stdout)
    assert outcome["status"] == "ok", final.stderr.decode()
    assert kills, "no kill happened: the test proved nothing"
    ends = {n: log_of(lab).count(f"m{n} ends") for n in range(1, 9)}
    assert all(ends.values())
    assert sum(ends.values()) <= 8 + kills, "at most the one step in flight at a kill runs again"
    answers = {response["step_id"]: response["output"] for response in outcome["results"]}
    assert answers == {f"s{n}": f"m{n}" for n in range(1, 9)}
