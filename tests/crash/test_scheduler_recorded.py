"""kill -9 between the record of a firing and the start of its run: it runs after the restart, once, by any policy."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def live(folder: Path, life: int, trigger: str, policy: str) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-m", "tests.crash.scheduler_recorded_program", str(folder), str(life), trigger, policy]
    return subprocess.run(program, cwd=ROOT, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize(("trigger", "policy"), [("every", "skip"), ("every", "all"), ("event", "once")])
def test_a_recorded_firing_is_neither_lost_nor_run_twice(tmp_path, trigger, policy):
    assert live(tmp_path, 1, trigger, policy).returncode == -signal.SIGKILL
    assert not (tmp_path / "ran.txt").exists()
    again = live(tmp_path, 2, trigger, policy)
    assert again.returncode == 0, again.stderr.decode()
    (line,) = (tmp_path / "ran.txt").read_text().splitlines()
    if trigger == "every":
        assert line.strip() == "job:tick:2026-11-21T13:00:00Z"
    else:
        assert line.endswith("Z lab/full")
