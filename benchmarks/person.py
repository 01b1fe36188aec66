"""A person before a terminal: opens a chat, waits, types, reads the answer; and what the chat takes of memory then."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Self

from tests.fixtures.pseudo_terminal import PseudoTerminal

READY = "Ask something"
BUSY = (sys.executable, "-c", "while True: pass")
PATIENCE = 300.0
"""Seconds after which an answer, or a set-up, is given up."""


class Sitting:
    """One chat, from its opening to Ctrl-D.

    Args:
        command: opens the chat.
        folder: where.
        environment: all its variables; none of this process's own come on top.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        only = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        inside = [*only, "/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *command]
        self._started = perf_counter()
        self._terminal = PseudoTerminal(inside, columns=120)

    def opened(self) -> float:
        """Waits for the input line; seconds since the start."""
        self._terminal.wait_for(READY, seconds=PATIENCE)
        return perf_counter() - self._started

    def idle(self, seconds: float) -> None:
        """Does nothing for a while; what the chat draws meanwhile is read."""
        self._terminal.read_for(seconds)

    def asked(self, request: str, answer: str) -> float:
        """Types a request; seconds until its answer stands there and the input line is back.

        Args:
            request: the words.
            answer: a part of the answer that the request does not hold.
        """
        started = perf_counter()
        self._terminal.type(f"{request}\r")
        self._terminal.wait_for(READY, answer, seconds=PATIENCE)
        return perf_counter() - started

    def memory(self) -> float:
        """MiB that the chat and all its processes hold, what they share counted once."""
        return sum(map(_proportional, _family(self._terminal.pid)))

    def leave(self) -> None:
        """Ctrl-D; waits until the chat is gone."""
        self._terminal.type("\x04")
        self._terminal.wait_for_exit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.__exit__()


@contextmanager
def busy_machine(programs: int) -> Generator[None]:
    """So many programs that need a whole core each, for the block."""
    others = [subprocess.Popen(BUSY) for _ in range(programs)]  # noqa: S603 (a loop of this Python)
    try:
        time.sleep(0.5 if others else 0)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def _family(pid: int) -> list[int]:
    """A process and all that it and they started."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 (names are all that is needed)
        if entry.isdigit():
            try:
                parent = int(Path(f"/proc/{entry}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _proportional(pid: int) -> float:
    """MiB of a process, of what it shares with others its part."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
