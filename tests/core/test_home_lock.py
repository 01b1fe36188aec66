"""One program per AURA_HOME: who is there is said, and a program that dies leaves the home free."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aura_core.errors import HomeInUseError, HomeNotWritableError
from aura_core.storage.home_lock import HomeLock
from tests.fixtures.full_disk import full_disk

LOCKS = (
    "import os, sys, time\n"
    "from pathlib import Path\n"
    "from aura_core.storage.home_lock import HomeLock\n"
    "lock = HomeLock(Path(sys.argv[1]), 'aura bot')\n"
    "lock.acquire()\n"
)


def test_a_second_program_is_told_who_works_here(tmp_path: Path):
    with HomeLock(tmp_path / "home", "aura bot"), pytest.raises(HomeInUseError) as caught:
        HomeLock(tmp_path / "home", "aura chat").acquire()
    assert f"in use by aura bot (process {os.getpid()})" in str(caught.value)
    assert "AURA_HOME" in str(caught.value)
    with HomeLock(tmp_path / "home", "aura chat"):
        pass


def test_who_holds_it_may_take_it_again_and_it_is_free_when_it_was_given_back_as_often(tmp_path: Path):
    lock = HomeLock(tmp_path, "aura bot")
    with lock:
        with lock:
            assert lock.held
        assert lock.held
        with pytest.raises(HomeInUseError, match=rf"aura bot \(process {os.getpid()}\)"):
            HomeLock(tmp_path, "aura chat").acquire()
    assert not lock.held
    lock.release()
    with HomeLock(tmp_path, "aura chat"):
        pass


def test_a_program_that_has_it_for_an_instant_is_waited_for(tmp_path: Path):
    first, second = HomeLock(tmp_path, "aura runs"), HomeLock(tmp_path, "aura chat")
    first.acquire()
    done = threading.Timer(0.1, first.release)
    done.start()
    try:
        with second:
            assert second.held
    finally:
        done.join()


def test_a_killed_program_leaves_the_home_free(tmp_path: Path):
    script = f"{LOCKS}print('locked', flush=True)\ntime.sleep(60)\n"
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(HomeInUseError, match=rf"aura bot \(process {process.pid}\)"):
            HomeLock(tmp_path, "aura chat").acquire()
    finally:
        process.kill()
        process.communicate()
    with HomeLock(tmp_path, "aura chat"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_that_outlives_the_program_does_not_keep_the_lock(tmp_path: Path):
    script = (
        f"{LOCKS}"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os.close(1)\n"
        "    time.sleep(60)\n"
        "    os._exit(0)\n"
        "print(child, flush=True)\n"
        "os._exit(9)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=30)
    orphan = int(done.stdout)
    try:
        assert done.returncode == 9
        with HomeLock(tmp_path, "aura chat"):
            pass
    finally:
        os.kill(orphan, 9)


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path):
    (tmp_path / "home").write_text("a file", "utf-8")
    with pytest.raises(HomeNotWritableError), HomeLock(tmp_path / "home", "aura chat"):
        pass
    with full_disk(), pytest.raises(HomeNotWritableError):
        HomeLock(tmp_path / "other", "aura chat").acquire()
    with HomeLock(tmp_path / "other", "aura chat"):
        pass
