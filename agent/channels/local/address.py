"""Where the socket of an AURA_HOME is: in the home, or in a short folder of its own that a link in the home names."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

SOCKET_FILE = "aura.sock"
"""Its name in AURA_HOME: the socket itself, or a link to it."""
_FOLDER_PREFIX = "aura-"


def address_of(home: Path) -> Path:
    """Where a program that works on this home listens, if one does; the link is followed, since paths must be short."""
    path = home / SOCKET_FILE
    return path.readlink() if path.is_symlink() else path


@contextmanager
def listening_socket(home: Path) -> Generator[socket.socket]:
    """A socket that only the owner of the home can connect to, bound for the block.

    A socket's path has room for about 100 bytes, and not every file system holds sockets: where the home cannot, the
    socket is in a folder of its own for run-time files. What a killed program left in its place is removed.

    Args:
        home: AURA_HOME; whoever calls this holds its lock.

    Raises:
        OSError: no socket can be made anywhere.
    """
    path = home / SOCKET_FILE
    _remove(path)
    with ExitStack() as stack:
        try:
            bound = _bound(path)
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=_run_time_folder()))
            stack.callback(_remove_with_folder, folder / SOCKET_FILE)
            bound = _bound(folder / SOCKET_FILE)
            path.symlink_to(folder / SOCKET_FILE)
        stack.callback(path.unlink, missing_ok=True)
        stack.enter_context(bound)
        yield bound


def _bound(path: Path) -> socket.socket:
    """A socket bound to a path; nobody can connect before it listens, so its mode is right from the start.

    Raises:
        OSError: the path is too long, or the file system holds no sockets.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(os.fspath(path))
        path.chmod(0o600)
    except OSError:
        bound.close()
        raise
    return bound


def _run_time_folder() -> str:
    """Where short-lived files go; the system's own temporary folder is the shortest that is always there."""
    places = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir())
    longest = 60
    return next((place for place in places if 0 < len(os.fsencode(place)) <= longest and Path(place).is_dir()), "/tmp")  # noqa: S108 (mkdtemp makes a folder there that only its owner may enter)


def _remove(path: Path) -> None:
    """Removes a socket that nobody listens on any more, with the folder that was made for it.

    Raises:
        OSError: something else is in its place.
    """
    if path.is_symlink():
        _remove_with_folder(path.readlink())
    path.unlink(missing_ok=True)


def _remove_with_folder(target: Path) -> None:
    """Removes a socket outside its home, and its folder if nothing else is in there; leaves whatever else it is."""
    if target.parent.name.startswith(_FOLDER_PREFIX) and target.is_socket():
        with suppress(OSError):
            target.unlink()
            target.parent.rmdir()
