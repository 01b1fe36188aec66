"""One program at a time works on an AURA_HOME: a lock file whose holder is known by name and process id."""

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

LOCK_FILE = "aura.lock"
"""Its name in AURA_HOME; `aura.lock.holder` beside it says who holds it."""

INSTANT = 0.5
"""So many seconds are waited for another program: one that takes over an older home, or only looks, is soon done."""


class HomeLock:
    """The lock of an AURA_HOME; the operating system drops it when the program dies, however it dies.

    Whoever holds it may take it again: it is free when it was given back as often.

    Args:
        home: AURA_HOME; made if it is not there.
        program: this program's name, e.g. "aura chat".
    """

    def __init__(self, home: Path, program: str) -> None:
        self._home = home
        self._program = program
        self._holder = home / f"{LOCK_FILE}.holder"
        self._lock = FileLock(home / LOCK_FILE, thread_local=False)

    @property
    def held(self) -> bool:
        """Whether this program holds it."""
        return self._lock.is_locked

    def acquire(self) -> None:
        """Takes the lock, or says who has it.

        Raises:
            HomeInUseError: another program has it; names it and its process id.
            HomeNotWritableError: the lock file cannot be written.
        """
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=INSTANT, poll_interval=0.02)
            self._holder.write_text(json.dumps({"program": self._program, "pid": os.getpid()}), encoding="utf-8")
        except Timeout:
            raise HomeInUseError(
                f"AURA_HOME {self._home} is in use by {self._holder_name()}. Ask there (/commands run tasks in a "
                f"chat), end that program first, or give this one a folder of its own with AURA_HOME, and with "
                f"AURA_PLANS your plans."
            ) from None
        except OSError as error:
            self._lock.release()
            raise not_writable(self._home / LOCK_FILE, error) from error

    def release(self) -> None:
        """Gives the lock back; harmless if it is not held."""
        if self._lock.lock_counter == 1:
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
