"""kill -9 at random moments: nothing recorded is repeated, nothing works twice at once, the question waits."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aura_core.durable.schema import DURABLE
from aura_core.durable.store import Store
from aura_core.storage.database import Database
from tests.crash.durable_program import RUN, SIZE

ROOT = Path(__file__).parents[2]
KILLS = 9


class Life:
    """One life of the program."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "journal"
        self.before = len(self.lines())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.durable_program", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines() if self.journal.exists() else []

    def kill_after(self, lines: int, pause: float) -> bool:
        """Kills it a moment after it has written so many lines; False if it ended by itself before."""
        deadline = time.monotonic() + 30
        while self.process.poll() is None and len(self.lines()) < self.before + lines:
            assert time.monotonic() < deadline, self.lines()
            time.sleep(0.0005)
        time.sleep(pause)
        self.process.send_signal(signal.SIGKILL)
        _, errors = self.process.communicate(timeout=30)
        assert self.process.returncode in (0, -signal.SIGKILL), errors.decode()
        return self.process.returncode != 0

    def finish(self) -> str:
        output, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors.decode()
        return output.decode()


def answer(folder: Path, text: str) -> None:
    """Answers the question; the program never sees half of the text."""
    (folder / "answer.new").write_text(text)
    (folder / "answer.new").replace(folder / "answer")


def recorded_steps(folder: Path) -> set[str]:
    async def read() -> set[str]:
        async with Database(folder / "aura.db", [DURABLE]) as database:
            reader = Store(database)
            return {
                f"step {record.id} {key}"
                for record in await reader.list(limit=1000)
                for key in await reader.steps(record.id)
            }

    return asyncio.run(read())


def check_once_at_a_time(life: list[str]) -> None:
    inside: set[str] = set()
    for line in life:
        event, piece, *_ = line.split()
        if event == "in":
            assert piece not in inside, line
            inside.add(piece)
        elif event == "out":
            inside.remove(piece)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_run_killed_again_and_again_ends_right_and_repeats_nothing_recorded(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = 0
    for attempt in range(KILLS):
        recorded = recorded_steps(tmp_path)
        life = Life(tmp_path)
        if attempt == KILLS // 2:
            answer(tmp_path, "Friday")
        killed = life.kill_after(chance.randint(1, 9), chance.uniform(0, 0.004))
        new = life.lines()[life.before :]
        assert not recorded & set(new), "a recorded step ran again"
        check_once_at_a_time(new)
        kills += killed
        if not killed:
            break
    answer(tmp_path, "Friday")
    recorded = recorded_steps(tmp_path)
    life = Life(tmp_path)
    result = json.loads(life.finish())
    new = life.lines()[life.before :]
    assert not recorded & set(new), "a recorded step ran again"
    check_once_at_a_time(new)

    assert kills >= KILLS // 2
    expected: list[int] = []
    for number, task in enumerate(result["plan"]):
        expected.append(number + sum(expected[need] for need in task["needs"]))
    assert result["done"] == expected
    assert len(expected) == SIZE
    assert result["answer"] == "Friday"
    lines = life.lines()
    assert len({line for line in lines if line.startswith("step")}) == 2 * SIZE + 2
    repeated = [line for line in lines if line.startswith("step") and lines.count(line) > 1]
    assert len(set(repeated)) <= kills * (SIZE + 1), "more ran again than can have been in flight"


def test_a_question_survives_a_kill_and_is_asked_once(tmp_path: Path) -> None:
    async def waits() -> bool:
        async with Database(tmp_path / "aura.db", [DURABLE]) as database:
            record = await Store(database).get(f"{RUN}/question")
        return record is not None and record.status == "waiting"

    life = Life(tmp_path)
    deadline = time.monotonic() + 30
    while not asyncio.run(waits()):
        assert time.monotonic() < deadline
    life.kill_after(0, 0)
    assert asyncio.run(waits())
    answer(tmp_path, "Monday")
    last = Life(tmp_path)
    assert json.loads(last.finish())["answer"] == "Monday"
    assert last.lines().count(f"step {RUN}/question show") == 1
