"""Where a file path may point: one check for plans, sessions and actions."""

from __future__ import annotations

import contextlib
import os
import stat
import unicodedata
from pathlib import Path, PureWindowsPath

from aura_core.errors import ForbiddenPathError

_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{name}{number}" for name in ("com", "lpt") for number in "0123456789¹²³"}
)
_LONGEST_SHOWN = 80


def resolve_inside(folder: Path, name: str | os.PathLike[str]) -> Path:
    """Resolves `name` inside `folder`, symbolic links included, and refuses whatever leaves it.

    Args:
        folder: the folder that must not be left; it need not exist yet.
        name: a relative path; `..`, absolute paths, drive letters, NUL bytes and links that lead outside are refused,
            and so is an existing thing that is neither a plain file nor a folder (device, socket, pipe), and a name
            that means something else on another system (see `windows_trap`). A letter with a mark is one letter,
            whether it was composed (ü) or decomposed (u and two dots, as macOS writes names).

    Returns:
        The absolute, resolved path; it may not exist yet. A name that is new comes composed.

    Raises:
        ForbiddenPathError: says which path and why.
    """
    text = os.fspath(name)
    if not text.strip() or "\0" in text:
        raise ForbiddenPathError(f"A file name is needed, but got {_shown(text)}.")
    root = folder.resolve()
    try:
        path = _stored(root, text.replace("\\", "/")).resolve()
    except (OSError, RuntimeError, UnicodeError) as error:
        raise ForbiddenPathError(f"The path {_shown(text)} cannot be followed: {error}.") from error
    if os.path.isabs(text) or PureWindowsPath(text).drive or not path.is_relative_to(root):  # noqa: PTH117 (as typed)
        raise ForbiddenPathError(
            f"The path {_shown(text)} leads out of the folder {root.name}/; use a relative path inside it."
        )
    trap = windows_trap(text, streams=os.name == "nt")
    if trap:
        raise ForbiddenPathError(f"The path {_shown(text)} cannot be used: {trap}.")
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path
    except OSError as error:
        raise ForbiddenPathError(f"The path {_shown(text)} cannot be used: {error.strerror or error}.") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ForbiddenPathError(f"The path {_shown(text)} is not a plain file or folder.")
    return path


def composed(name: str) -> str:
    """A name or text with every letter and its marks as one character, for showing and comparing."""
    return unicodedata.normalize("NFC", name)


def _stored(root: Path, name: str) -> Path:
    """The path as the folders spell it: another spelling of the same letters counts where this one does not exist."""
    if name.isascii():
        return root / name
    path = root
    for part in Path(name).parts:
        exact = path / part
        path = exact if part.isascii() or os.path.lexists(exact) else path / _spelling(path, composed(part))
    return path


def _spelling(folder: Path, name: str) -> str:
    """How a folder spells a composed name that it holds, the name itself if it does not."""
    with contextlib.suppress(OSError):
        return min((other for other in os.listdir(folder) if composed(other) == name), default=name)  # noqa: PTH208 (names)
    return name


def windows_trap(name: str, *, streams: bool = True) -> str:
    """Why a relative path means something else on Windows than it says; empty if it does not.

    `aux.txt` is a device there in every folder and in any case, a dot or space at the end of a name is dropped (so
    that two names are one file), and `a:b` is a second content hidden behind the file `a`. Such names are refused on
    every system, so that a plan and its files can travel; only streams may be allowed where `:` is a letter.

    Args:
        name: a path, with slashes or backslashes.
        streams: refuse `:` too.
    """
    for part in name.replace("\\", "/").split("/"):
        if part in ("", ".", ".."):
            continue
        if part[-1] in ". ":
            return f"a name must not end in a dot or a space, but {_shown(part)} does"
        if part.partition(".")[0].partition(":")[0].rstrip().lower() in _DEVICES:
            return f"{_shown(part)} is the name of a device on Windows; choose another name"
        if streams and ":" in part:
            return f"a name must not contain ':', but {_shown(part)} does"
    return ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
