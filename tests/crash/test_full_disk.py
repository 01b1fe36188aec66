"""A disk that takes nothing more: the bot says so, lives on, and takes up everything when there is room again.

The limit is the kernel's on the size of files (RLIMIT_FSIZE), set and lifted from outside while the bot runs: every
write of the bot fails, as on a full disk.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.telegram_emulator import Emulator, Person

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
ROOT = Path(__file__).parents[2]
OWNER = 1001
NO_ROOM = "I cannot write anything down"
ACTION = """
import asyncio
from pathlib import Path
from aura_core.api import action

DOOR = Path(__file__).parent.parent / "door"

@action("knock", effects="read")
async def knock() -> str:
    (DOOR.parent / "knocked").touch()
    while not DOOR.exists():
        await asyncio.sleep(0.01)
    return "the door is open"
"""
TASKS = """
knock:
  meta: {title: Knock, description: Wait at a door., effects: read, command: knock}
  steps: [{action: knock, output_to: said}]
  returns: "{{ said }}"
choose:
  meta: {title: Choose, description: Ask for a colour., effects: read, command: choose}
  steps: [{ask: "Which colour?", options: [red, blue], output_to: colour}]
  returns: "chosen: {{ colour }}"
"""


class Bot:
    """The bot's process and the room it has."""

    def __init__(self, folder: Path, telegram: Emulator) -> None:
        self.plan = folder / "plans/lab"
        for name, text in {
            "plan.yaml": "name: lab\nversion: 1.0.0\ntitle: Lab\n",
            "actions/door.py": ACTION,
            "tasks/all.yaml": TASKS,
        }.items():
            (self.plan / name).parent.mkdir(parents=True, exist_ok=True)
            (self.plan / name).write_text(text)
        environment = {**os.environ, **telegram.environment, "AURA_TELEGRAM_OWNERS": f"[{OWNER}]"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.bot_program"],
            env={**environment, "AURA_HOME": str(folder / "home"), "AURA_PLANS": str(self.plan.parent)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.said: list[str] = []
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)

    def fill_the_disk(self) -> None:
        """From now on nothing can be written."""
        self._limit(0)

    def make_room(self) -> None:
        """From now on everything can be written again."""
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Waits for something that the process does, while it lives."""
        deadline = time.monotonic() + 120
        while not condition():
            assert self.process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it took too long"
            time.sleep(0.02)

    def has_said(self, words: str) -> bool:
        """Whether these words were said on standard error."""
        return any(words in line for line in self.said)

    def stop(self) -> None:
        """Stops it as its owner would."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0

    def close(self) -> None:
        """Ends it if it still runs, and shows what it said."""
        self.process.kill()
        self.process.wait()
        self._listener.join()
        sys.stderr.writelines(self.said)


@pytest.fixture
def telegram() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def olga(telegram: Emulator) -> Person:
    return telegram.person(OWNER)


@pytest.fixture
def bot(tmp_path: Path, telegram: Emulator) -> Iterator[Bot]:
    bot = Bot(tmp_path, telegram)
    try:
        bot.wait_until(lambda: telegram.calls("getUpdates"))
        yield bot
    finally:
        bot.close()


async def test_a_message_that_cannot_be_stored_is_taken_when_there_is_room(bot: Bot, olga: Person):
    olga.send("/calc 6*7")
    await olga.wait_for("42")
    bot.fill_the_disk()
    olga.send("/calc 7*7")
    bot.wait_until(lambda: olga.saying(NO_ROOM))
    assert not olga.saying("49")
    bot.make_room()
    await olga.wait_for("7*7 = 49")
    assert bot.has_said("cannot be stored")
    bot.stop()
    assert len(olga.saying("7*7 = 49")) == 1


async def test_a_run_that_could_not_be_recorded_goes_on_by_itself(bot: Bot, olga: Person):
    olga.send("/knock")
    await olga.until((bot.plan / "knocked").exists)
    bot.fill_the_disk()
    (bot.plan / "door").touch()
    bot.wait_until(lambda: bot.has_said("durable task interrupted"))
    bot.make_room()
    olga.send("/calc 6*7")
    await olga.wait_for("the door is open")
    await olga.wait_for("42")
    bot.stop()
    assert len(olga.saying("the door is open")) == 1


async def test_a_tap_that_cannot_be_recorded_counts_when_there_is_room(bot: Bot, olga: Person):
    olga.send("/choose")
    question = await olga.wait_for(lambda post: bool(post.buttons))
    bot.fill_the_disk()
    olga.tap(question, "blue")
    bot.wait_until(lambda: olga.saying(NO_ROOM))
    bot.make_room()
    await olga.wait_for("chosen: blue")
    await olga.until(lambda: not question.buttons)
    bot.stop()
    assert len(olga.saying("chosen: blue")) == 1
