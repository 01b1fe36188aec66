"""kill -9 of a scheduler at any moment: no moment that was due is lost, and none runs twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEP = timedelta(seconds=2)


class Program:
    """The scheduler, and what it has run."""

    def __init__(self, folder: Path, policy: str) -> None:
        self.folder = folder
        self._arguments = [str(folder), str(time.time()), policy]

    @property
    def ran(self) -> list[datetime]:
        path = self.folder / "ran.txt"
        names = path.read_text().splitlines() if path.exists() else []
        return [datetime.fromisoformat(name.removeprefix("job:tick:")) for name in names]

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.crash.scheduler_program", *self._arguments],
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )

    def live(self, more: int, chance: random.Random) -> None:
        """One life: it runs some firings more and is killed at any moment after that."""
        process, wanted, deadline = self.start(), len(self.ran) + more, time.monotonic() + 60
        while len(self.ran) < wanted:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, self.ran
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def end(self) -> None:
        process, wanted, deadline = self.start(), len(self.ran) + 1, time.monotonic() + 60
        while len(self.ran) < wanted:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, self.ran
            time.sleep(0.001)
        (self.folder / "end").touch()
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors.decode()


def test_who_wants_every_moment_gets_every_moment_once(tmp_path):
    program, chance = Program(tmp_path, "all"), random.Random(7)
    for _ in range(4):
        program.live(5, chance)
    program.end()
    assert program.ran == [program.ran[0] + number * STEP for number in range(len(program.ran))]


def test_who_does_not_want_them_all_gets_none_twice_and_goes_on(tmp_path):
    program, chance = Program(tmp_path, "once"), random.Random(11)
    for _ in range(2):
        program.live(3, chance)
    program.end()
    assert program.ran == sorted(set(program.ran))
