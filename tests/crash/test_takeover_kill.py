"""kill -9 at random moments of the take-over of an old home: it is the old one or the new one, and never half of it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures.old_home import unpack

ROOT = Path(__file__).parents[2]
ROUNDS = 100
PADDING = 1500
PROGRAM = """
import asyncio, os, signal, sys
from contextlib import suppress
from pathlib import Path
from agent.home import home_database
from aura_core.errors import HomeInUseError
from aura_core.storage.home_lock import HomeLock

async def main(home):
    with suppress(HomeInUseError), HomeLock(home, "aura test") as lock:
        async with home_database(home, lock):
            pass

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        asyncio.run(main(Path(line.strip())))
        os._exit(0)
    print(child, flush=True)
"""
"""Forks a program that takes over each home whose path it reads; prints its process id."""
COUNTS = ("SELECT count(*) FROM tasks", "SELECT count(*) FROM records", "SELECT count(*) FROM entries")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The old home, with so many more runs that their take-over takes a moment."""
    home = unpack(tmp_path)
    with closing(sqlite3.connect(home / "state.db")) as store, store:
        for number in range(PADDING):
            store.execute(
                "INSERT INTO tasks (id, root, task, args, status, priority, created_at, updated_at) "
                "VALUES (?1, ?1, 'run', '{}', 'done', 0, 1, 1)",
                (f"padding-{number}",),
            )
            row = (f"padding-{number}", "x" * 300)
            store.execute("INSERT INTO records (task_id, key, kind, value, at) VALUES (?, 'k', 'step', ?, 1)", row)
    return home


def counts(path: Path) -> list[int]:
    """How much of each kind a file of runs holds; nothing if it has no tables yet."""
    with closing(sqlite3.connect(path)) as store:
        if store.execute("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").fetchone() is None:
            return [0, 0, 0]
        return [store.execute(query).fetchone()[0] for query in COUNTS]


class Programs:
    """Programs that take over a home, one after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", PROGRAM]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, home: Path) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{home}\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).strip().isdigit():
            assert line  # what a program before has logged
        return int(line)

    def wait(self, program: int) -> None:
        deadline = time.monotonic() + 30
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.kill(program, 0)
                time.sleep(0.0005)
            raise AssertionError(f"{program} has not ended")

    def kill(self, program: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL)
        self.wait(program)


@pytest.fixture
def programs() -> Iterator[Programs]:
    programs = Programs()
    try:
        yield programs
    finally:
        programs.process.communicate(timeout=30)


@pytest.mark.timeout(300)
def test_a_home_is_the_old_one_or_the_new_one_whenever_the_program_is_killed(
    home: Path, tmp_path: Path, programs: Programs
) -> None:
    chance = random.Random(13)
    everything = counts(home / "state.db")
    assert everything[0] > PADDING
    trial, seen = tmp_path / "trial", set[str]()
    shutil.copytree(home, trial)
    begun = time.monotonic()
    programs.wait(programs.begin(trial))
    longest = time.monotonic() - begun
    for _ in range(ROUNDS):
        shutil.rmtree(trial)
        shutil.copytree(home, trial)
        program = programs.begin(trial)
        time.sleep(chance.uniform(0, longest))
        programs.kill(program)
        seen.add(state_of(trial, everything))
        programs.wait(programs.begin(trial))
        assert state_of(trial, everything) == "new"
        assert not list(trial.glob("*damaged*"))
    assert seen >= {"old", "new"}


def test_of_programs_that_start_at_once_on_an_old_home_one_takes_it_over(
    home: Path, tmp_path: Path, programs: Programs
) -> None:
    everything = counts(home / "state.db")
    for number in range(5):
        trial = shutil.copytree(home, tmp_path / str(number))
        for program in [programs.begin(trial) for _ in range(3)]:
            programs.wait(program)
        assert state_of(trial, everything) == "new"
        assert [path.name for path in trial.glob("state*.db")] == ["state.before-aura-db.db"]


def state_of(home: Path, everything: list[int]) -> str:
    """Whether the home is the old one or the new one, of which all is there; looked at in a copy."""
    look = home.with_name("look")
    shutil.rmtree(look, ignore_errors=True)
    home = shutil.copytree(home, look)
    new = home / "aura.db"
    taken = counts(new) if new.exists() else [0, 0, 0]
    kept = home / "state.before-aura-db.db"
    old = kept if kept.exists() else home / "state.db"
    assert counts(old) == everything
    assert taken in ([0, 0, 0], everything)
    if kept.exists():
        assert taken == everything
        return "new"
    return "in between" if taken == everything else "old"
