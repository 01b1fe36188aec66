"""Sessions: one folder each with SESSION.json, MEMORY.md and files/ (seed 004)."""

from __future__ import annotations

import asyncio
import copy
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock, Timeout

from agent.sessions.file import (
    DamagedSessionError,
    NewerSessionError,
    add_conversation,
    add_entry,
    conversations,
    current_key,
    empty_session,
    parse_session,
    session_text,
)
from agent.sessions.names import folder_name
from aura_core.data.files import composed
from aura_core.errors import HomeInUseError
from aura_core.ground.logger import get_logger
from aura_core.storage.atomic_file import not_writable, set_aside, write_atomically
from aura_core.storage.losses import Losses

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

T = TypeVar("T")
Stamp = tuple[int, int, int]
"""Modification time in nanoseconds, size, inode: tells whether a file changed."""
SESSION_FILE = "SESSION.json"
FILES_FOLDER = "files"
MOST_FILES = 200
"""`file_names` gives at most so many: the ones that were changed last."""
LOCK_SECONDS = 10.0
"""How long a change waits for another program that changes the same SESSION.json."""
CACHED_SESSIONS = 64


class SessionStore:
    """Every session's folder and conversation.

    Entries have the keys run_id, at (ISO 8601), user, answer, status, steps and artifacts; others are kept.

    Args:
        home: AURA_HOME; the sessions' folders stand in it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._cache: dict[str, tuple[Stamp, dict[str, Any]]] = {}
        self._caching = threading.Lock()
        self._locks: dict[str, asyncio.Lock] = {}
        self._notices: list[str] = []
        self._log = get_logger("agent.sessions")

    def folder(self, session_id: str) -> Path:
        """The session's folder, made if it is not there; any text is a session id.

        Raises:
            HomeNotWritableError: it cannot be made.
        """
        return _made(self._home / folder_name(session_id))

    def files(self, session_id: str) -> Path:
        """The folder of the session's files, made if it is not there.

        Raises:
            HomeNotWritableError: it cannot be made.
        """
        return _made(self._home / folder_name(session_id) / FILES_FOLDER)

    async def file_names(self, session_id: str) -> list[str]:
        """The session's files, relative to `files`, sorted; hidden ones and links are left out."""
        return await asyncio.to_thread(_file_names, self.files(session_id))

    async def load(self, session_id: str) -> dict[str, Any]:
        """SESSION.json (seed 004, `_load_session`); a copy that may be changed.

        A damaged file is set aside under a new name, and `take_notices` says so.

        Raises:
            HomeNotWritableError: the file cannot be read, or not be set aside.
            NewerSessionError: a newer Aura wrote it.
        """
        async with self._lock(session_id):
            return copy.deepcopy(await asyncio.to_thread(self._read, session_id))

    async def append(self, session_id: str, entry: dict[str, Any], task_key: str | None = None) -> None:
        """Adds an entry to a conversation; the same run is written once, however often this is called.

        Args:
            session_id: the session.
            entry: what was said and done in one run; JSON.
            task_key: the conversation; None takes the current one.

        Raises:
            HomeNotWritableError: disk full or read-only; the old file is intact.
            NewerSessionError: a newer Aura wrote the file.
        """
        added = copy.deepcopy(entry)
        await self._change(session_id, lambda data: add_entry(data, task_key or current_key(data), added))

    async def current_task_key(self, session_id: str) -> str:
        """The conversation that goes on: the last key, "main" if there is none."""
        return current_key(await self.load(session_id))

    async def new_conversation(self, session_id: str) -> str:
        """Begins a new conversation and returns its key; the old ones stay."""
        return await self._change(session_id, add_conversation)

    async def history(self, session_id: str, limit: int) -> list[dict[str, Any]]:
        """The last entries of the current conversation, oldest first."""
        data = await self.load(session_id)
        entries = conversations(data).get(current_key(data), [])
        return entries[-limit:] if limit > 0 else []

    def clear_cache(self, session_id: str) -> None:
        """Forgets what was read of a session (seed 004, `clear_session_cache`); the files stay."""
        with self._caching:
            self._cache.pop(session_id, None)

    def lost(self, notice: str, path: Path) -> None:
        """Takes what a person should know of a session's file; `take_notices` hands it out, `Losses` keeps it.

        Args:
            notice: what happened, where the damaged file is now.
            path: the file, under the name that it had.
        """
        self._notices.append(notice)
        Losses(self._home).add(notice, path)

    def take_notices(self) -> list[str]:
        """What a person should know and was not told yet, e.g. that a damaged file was set aside."""
        notices, self._notices = self._notices, []
        return notices

    async def _change(self, session_id: str, change: Callable[[dict[str, Any]], T]) -> T:
        """Reads, changes and writes SESSION.json, one change at a time."""

        def work() -> T:
            with _locked(self.folder(session_id)):
                data = copy.deepcopy(self._read(session_id))
                result = change(data)
                path = self._home / folder_name(session_id) / SESSION_FILE
                write_atomically(path, session_text(data))
                self._remember(session_id, _stamp(path), data)
                return result

        async with self._lock(session_id):
            return await asyncio.to_thread(work)

    def _lock(self, session_id: str) -> asyncio.Lock:
        return self._locks.setdefault(session_id, asyncio.Lock())

    def _read(self, session_id: str) -> dict[str, Any]:
        """What SESSION.json holds; shared, so copy it before changing it."""
        path = self._home / folder_name(session_id) / SESSION_FILE
        try:
            stamp = _stamp(path)
            cached = self._cache.get(session_id)
            if cached is not None and cached[0] == stamp:
                return cached[1]
            data = parse_session(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return empty_session()
        except NewerSessionError as error:
            raise NewerSessionError(f"{path} is left alone: {error}. Update Aura to use this session.") from error
        except UnicodeDecodeError as error:
            return self._set_aside(path, DamagedSessionError(str(error)))
        except DamagedSessionError as error:
            return self._set_aside(path, error)
        except OSError as error:
            raise not_writable(path, error) from error
        self._remember(session_id, stamp, data)
        return data

    def _remember(self, session_id: str, stamp: Stamp, data: dict[str, Any]) -> None:
        with self._caching:
            self._cache.pop(session_id, None)
            self._cache[session_id] = (stamp, data)
            for oldest in list(self._cache)[:-CACHED_SESSIONS]:
                del self._cache[oldest]

    def _set_aside(self, path: Path, damage: DamagedSessionError) -> dict[str, Any]:
        """Keeps the damaged file under another name, and goes on with what is sound in it."""
        aside = set_aside(path)
        kept = any(conversations(damage.sound).values())
        if kept:
            write_atomically(path, session_text(damage.sound))
        rest = "what is sound in it goes on" if kept else "a new one was begun"
        notice = f"The history {path} was damaged ({damage}). It was set aside as {aside.name}; {rest}."
        self.lost(notice, path)
        self._log.warning("session file set aside", path=str(path), kept_as=aside.name, reason=str(damage))
        return damage.sound


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    return folder


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Keeps other programs from changing the same SESSION.json."""
    path = folder / f".{SESSION_FILE}.lock"
    lock = FileLock(path, timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise HomeInUseError(f"Another program has been changing {folder / SESSION_FILE} for a long time.") from error
    except OSError as error:
        raise not_writable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _file_names(folder: Path) -> list[str]:
    found: list[tuple[int, str]] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = folder / parent / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                found.append((path.stat().st_mtime_ns, composed(path.relative_to(folder).as_posix())))
    return sorted(name for _, name in sorted(found)[-MOST_FILES:])
