"""One program at a time: a lock file whose holder is known by name and process id."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Self, cast

from filelock import FileLock, Timeout

from aura_core.errors import HomeInUseError
from aura_core.storage.atomic_file import not_writable

if TYPE_CHECKING:
    from pathlib import Path


class ProgramLock:
    """An exclusive lock that the operating system drops when the program dies, however it dies.

    Args:
        path: the lock file; `<path>.holder` beside it says who holds it.
        what: what it guards, for messages, e.g. "AURA_HOME /home/ann/aura".
        program: this program's name, e.g. "aura chat".
    """

    def __init__(self, path: Path, what: str, program: str) -> None:
        self._path = path
        self._what = what
        self._program = program
        self._holder = path.with_name(f"{path.name}.holder")
        self._lock = FileLock(path, thread_local=False)

    def acquire(self) -> None:
        """Takes the lock, or says who has it.

        Raises:
            HomeInUseError: another program has it; names it and its process id.
            HomeNotWritableError: the lock file cannot be written.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
            self._holder.write_text(json.dumps({"program": self._program, "pid": os.getpid()}), encoding="utf-8")
        except Timeout:
            raise HomeInUseError(
                f"{self._what} is in use by {self._holder_name()}. Ask there (/commands run tasks in a chat), end that "
                f"program first, or give this one a folder of its own with AURA_HOME, and with AURA_PLANS your plans."
            ) from None
        except OSError as error:
            self._lock.release()
            raise not_writable(self._path, error) from error

    def release(self) -> None:
        """Gives the lock back; harmless if it is not held."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _holder_name(self) -> str:
        try:
            holder = cast("dict[str, Any]", json.loads(self._holder.read_text(encoding="utf-8")))
            return f"{holder['program']} (process {holder['pid']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another program"
