"""Files that are whole or not there: writing through a temporary file, and setting damaged ones aside."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from aura_core.errors import HomeNotWritableError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_UNFINISHED = (".aura-*.part", ".*.json.????????.tmp", ".*.md.????????.tmp")
"""What a file is called until it is whole; the last two are what older builds called it."""
UNFINISHED_SECONDS = 24 * 3600.0
"""After so long nobody writes to an unfinished file any more."""


def unfinished_name(folder: Path) -> Path:
    """A name for a file that is not whole yet; one that a kill leaves behind is found by it and removed."""
    return folder / f".aura-{secrets.token_hex(8)}.part"


def remove_unfinished(folder: Path, now: float | None = None) -> int:
    """Removes what kills and power cuts left half written, anywhere below a folder; how many there were.

    Args:
        folder: AURA_HOME.
        now: the time; the clock's if left out.
    """
    before = (time.time() if now is None else now) - UNFINISHED_SECONDS
    removed = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if name[0] == "." and any(fnmatchcase(name, pattern) for pattern in _UNFINISHED):
                with contextlib.suppress(OSError):
                    path = Path(parent, name)
                    if path.lstat().st_mtime < before:
                        path.unlink()
                        removed += 1
    return removed


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file's text; a reader, a kill or a power cut sees the old text or the new one, never a part.

    Args:
        path: the file; its folder is made if it is not there.
        text: the whole new text, written as UTF-8.

    Raises:
        HomeNotWritableError: disk full, read-only, not allowed; the old file is intact.
    """
    temporary = unfinished_name(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, _NEW, 0o600), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise not_writable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def not_writable(path: Path, error: OSError) -> HomeNotWritableError:
    """The error for a path below AURA_HOME that cannot be written: what happened, where, what to do."""
    return HomeNotWritableError(
        f"{path} cannot be written: {error.strerror or error}. Make room or give this user the right to write there, "
        f"or choose another folder with AURA_HOME. What was there before is unchanged."
    )


def set_aside(path: Path) -> Path:
    """Renames a damaged file, so that it is kept and never overwritten; returns the new path.

    Raises:
        HomeNotWritableError: it cannot be renamed.
    """
    aside = damaged_name(path)
    move(path, aside)
    return aside


def damaged_name(path: Path) -> Path:
    """A free name beside `path` for its damaged content, `<name>.damaged-<UTC time><ending>`."""
    return free_name(path, f"damaged-{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}")


def free_name(path: Path, word: str) -> Path:
    """A name beside `path` that no file has, `<name>.<word><ending>`, with a number behind the word if need be."""
    free = path.with_name(f"{path.stem}.{word}{path.suffix}")
    number = 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}.{word}-{number}{path.suffix}")
    return free


def move(path: Path, to: Path) -> None:
    """Renames a file, and what SQLite keeps beside a database; the file itself last, so that a kill is made up for.

    Raises:
        HomeNotWritableError: it cannot be renamed.
    """
    try:
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(to.with_name(to.name + ending))
        _sync_folder(path.parent)
    except OSError as error:
        raise not_writable(path, error) from error


def _sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
