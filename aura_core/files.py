"""Where a file path may point: one check for plans, sessions and actions."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PureWindowsPath

from aura_core.errors import ForbiddenPathError


def resolve_inside(folder: Path, name: str | os.PathLike[str]) -> Path:
    """Resolves `name` inside `folder`, symbolic links included, and refuses whatever leaves it.

    Args:
        folder: the folder that must not be left; it need not exist yet.
        name: a relative path; `..`, absolute paths, drive letters, NUL bytes and links that lead outside are refused,
            and so is an existing thing that is neither a plain file nor a folder (device, socket, pipe).

    Returns:
        The absolute, resolved path; it may not exist yet.

    Raises:
        ForbiddenPathError: says which path and why.
    """
    text = os.fspath(name)
    if not text.strip() or "\0" in text:
        raise ForbiddenPathError(f"A file name is needed, but got {text!r}.")
    root = folder.resolve()
    try:
        path = (root / text.replace("\\", "/")).resolve()
    except (OSError, RuntimeError, UnicodeError) as error:
        raise ForbiddenPathError(f"The path {text!r} cannot be followed: {error}.") from error
    if os.path.isabs(text) or PureWindowsPath(text).drive or not path.is_relative_to(root):  # noqa: PTH117 (as typed)
        raise ForbiddenPathError(
            f"The path {text!r} leads out of the folder {root.name}/; use a relative path inside it."
        )
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path
    except OSError as error:
        raise ForbiddenPathError(f"The path {text[:80]!r} cannot be used: {error.strerror or error}.") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ForbiddenPathError(f"The path {text!r} is not a plain file or folder.")
    return path
