"""Reads a file below a folder: never one outside, whatever changes meanwhile, never without end, never without bound.

A check of a path is only true for the moment of the check. So the file is opened folder by folder, no link followed,
and what was really opened is looked at before a byte is read.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from aura_core.data.files import resolve_inside, windows_trap
from aura_core.errors import ForbiddenPathError, InputError, NotFoundError

MAX_BYTES = 32_000_000
"""The largest file that is read at once."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody writes to must not hold us up
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def resolve_readable(folder: Path, name: str) -> Path:
    """The resolved path of a file of a plan; its name must mean the same on every system.

    Args:
        folder: the folder that must not be left.
        name: a relative path; links inside the folder are followed.

    Raises:
        ForbiddenPathError: it leaves the folder, is not a plain file or folder, or its name is a trap elsewhere.
    """
    path = resolve_inside(folder, name)
    trap = windows_trap(name)
    if trap:
        raise ForbiddenPathError(f"The path {name!r} cannot be used: {trap}.")
    return path


def read_beneath(folder: Path, path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a plain file; blocks, so call it beside the event loop.

    Args:
        folder: the folder that must not be left.
        path: as `resolve_readable` gave it.
        limit: bytes; a larger file is refused.

    Raises:
        NotFoundError: no such file, or it is a folder.
        ForbiddenPathError: what stands there now is a link, a pipe, a device.
        InputError: it is too large, or it may not be read.
    """
    root = folder.resolve()
    shown = path.relative_to(root).as_posix()
    handle = _open(root, path.relative_to(root).parts, shown)
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise NotFoundError(f"The path {shown!r} is a folder, not a file.")
        if not stat.S_ISREG(status.st_mode):
            raise _changed(shown)
        data = b"" if status.st_size > limit else _read(handle, limit)
        size = max(status.st_size, len(data))
        if size > limit:
            raise InputError(f"The file {shown!r} has at least {size:,} bytes; at most {limit:,} are read at once.")
        return data
    finally:
        os.close(handle)


def _open(root: Path, parts: tuple[str, ...], shown: str) -> int:
    """Opens `parts` below `root`, one after the other, following no link."""
    if os.open not in os.supports_dir_fd:
        return _open_whole(root.joinpath(*parts), shown)
    handle = _open_one(str(root), _FOLDER, None, shown)
    try:
        for part in parts[:-1]:
            inner = _open_one(part, _FOLDER, handle, shown)
            os.close(handle)
            handle = inner
        return _open_one(parts[-1] if parts else ".", _FILE, handle, shown)
    finally:
        os.close(handle)


def _open_whole(path: Path, shown: str) -> int:
    """For systems that cannot open relative to a folder: opens the path, and looks whether it still is the same.

    Windows is one, where only administrators make links; a swap there and back in the same instant is not seen.
    """
    handle = _open_one(str(path), _FILE, None, shown)
    try:
        same = path.resolve() == path and os.path.samestat(os.fstat(handle), os.lstat(path))
    except OSError:
        same = False
    if not same:
        os.close(handle)
        raise _changed(shown)
    return handle


def _open_one(name: str, flags: int, folder: int | None, shown: str) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP or _is_no_file(name, folder):
            raise _changed(shown) from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise NotFoundError(f"There is no file {shown!r}.") from error
        raise InputError(f"The file {shown!r} cannot be read: {error.strerror or error}.") from error


def _is_no_file(name: str, folder: int | None) -> bool:
    """Whether what stands there is something else than a plain file or a folder."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _changed(shown: str) -> ForbiddenPathError:
    return ForbiddenPathError(f"The path {shown!r} became a link or something else that is not a plain file.")


def _read(handle: int, limit: int) -> bytes:
    """All bytes, at most one more than the limit: the file may grow while it is read."""
    pieces: list[bytes] = []
    left = limit + 1
    while left > 0 and (piece := os.read(handle, min(left, 1 << 20))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
