"""Running pip and other programs of .venv: their output is kept in a log, and all of them can be ended at once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

from scripts.set_up.failures import SetUpError, StoppedError, explain, without_passwords

END_SECONDS = 10.0


def ignore(line: str) -> None:
    """For whoever does not listen."""


class Programs:
    """The programs that a set-up has started.

    Args:
        log: keeps what they say, without passwords.
        shared: an open file that they keep open, so that a lock on it lasts as long as the last of them.
    """

    def __init__(self, log: Path, shared: int) -> None:
        self.log = log
        self._shared = shared
        self._running: set[subprocess.Popen[str]] = set()
        self._guard = threading.Lock()
        self._stopped = False

    def run(
        self, command: Sequence[str], heard: Callable[[str], None] = ignore, more: Mapping[str, str] | None = None
    ) -> None:
        """Runs a program to its end; `heard` gets each line, `more` is added to its environment.

        Raises:
            SetUpError: it failed; in words.
            StoppedError: the set-up was asked to end.
        """
        lines: list[str] = []
        with self._started(command, more or {}) as process:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                heard(lines[-1])
        self._keep([f"$ {' '.join(command)}", *lines, f"ended with {process.returncode}"])
        if self._stopped or any("Operation cancelled by user" in line for line in lines[-3:]):
            raise StoppedError
        if process.returncode != 0:
            raise SetUpError(explain(lines, str(self.log)))

    @contextlib.contextmanager
    def _started(self, command: Sequence[str], more: Mapping[str, str]) -> Generator[subprocess.Popen[str]]:
        with self._guard:
            if self._stopped:
                raise StoppedError
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more},
                pass_fds=(self._shared,),
            )
            self._running.add(process)
        try:
            with process:
                yield process
        finally:
            self._running.discard(process)

    def stop(self) -> None:
        """Ends what runs, and lets nothing begin any more."""
        with self._guard:
            self._stopped = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def _keep(self, lines: Sequence[str]) -> None:
        with self._guard, contextlib.suppress(OSError), self.log.open("a", encoding="utf-8") as file:
            file.write(without_passwords("\n".join(lines)) + "\n\n")
