"""PlanWatcher: waits for edits in the folders of plans and has them reloaded, until its block ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Self

from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] (it also takes events of trio, if that is there)

from aura_core.execution.plan_modules import SKIPPED
from aura_core.ground.logger import get_logger
from aura_core.language.loader import SUFFIXES

QUIET_MS = 150
"""Nothing was written for so long: whoever writes a file in pieces, or several files, is done."""
LONGEST_MS = 2_000
"""Who writes all the time is not waited for longer."""
LOOK_MS = 5_000
POLL_MS = 1_000
"""How often files are looked at where the system cannot tell of changes."""
KNOWN = SUFFIXES | {".py"}

_log = get_logger(__name__)
_Roots = dict[Path, tuple[int, int]]


class PlanWatcher:
    """Reloads plans while the block runs, as they are edited.

        async with PlanWatcher(folders, framework.reload):
            ...

    Args:
        folders: folders of plans, or plans; those that are not there are waited for.
        reload: takes in what was edited; called once at the beginning, for edits since the plans were loaded.
        polling: look at the files again and again; done too where the system cannot tell of changes.
        look_ms: how often it is looked whether the folders are still the same ones.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        reload: Callable[[], Awaitable[object]],
        *,
        polling: bool = False,
        look_ms: int = LOOK_MS,
    ) -> None:
        self._folders = folders
        self._reload = reload
        self._stop = asyncio.Event()
        self._polling = polling
        self._look_ms = look_ms
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins to watch."""
        self._task = asyncio.create_task(self._run(), name="plan watcher")
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Ends watching; a reload that runs is broken off and changes nothing."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while not self._stop.is_set():
            roots = _roots(self._folders)
            try:
                if roots:
                    await self._watch(roots)
                else:
                    await self._take_in()
                    await self._wait()
            except FileNotFoundError:
                continue  # a folder has gone a moment ago
            except Exception as error:  # noqa: BLE001 (whatever the system says, the program goes on)
                _log.warning("plans_are_looked_at_now_and_then", reason=str(error) or type(error).__name__)
                self._polling = True
                await self._wait()

    async def _watch(self, roots: _Roots) -> None:
        """Watches until one of the folders is another one, or gone, or new."""
        changes = awatch(
            *roots,
            watch_filter=lambda _change, path: is_relevant(path, roots),
            debounce=LONGEST_MS,
            step=QUIET_MS,
            stop_event=self._stop,
            rust_timeout=self._look_ms,
            yield_on_timeout=True,
            force_polling=self._polling or None,
            poll_delay_ms=POLL_MS,
            ignore_permission_denied=True,
        )
        first = asyncio.create_task(self._take_in())  # runs when the folders are being watched: no edit falls between
        try:
            async with aclosing(changes):
                async for batch in changes:
                    if batch:
                        await self._take_in()
                    if _roots(self._folders) != roots:
                        return
        finally:
            first.cancel()
            await asyncio.wait([first])

    async def _take_in(self) -> None:
        try:
            await self._reload()
        except Exception:  # noqa: BLE001 (a mistake of ours must not end watching)
            _log.exception("reload_failed")

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._look_ms / 1000):
                await self._stop.wait()


def is_relevant(path: str, roots: Sequence[Path] | _Roots) -> bool:
    """Whether a change of a path may be one of a plan: nothing hidden, no cache, no file that no load reads.

    Args:
        path: absolute.
        roots: the watched folders.
    """
    changed = Path(path)
    root = next((root for root in roots if changed.is_relative_to(root)), None)
    inside = changed.parts if root is None else changed.relative_to(root).parts
    if any(part.startswith(".") or part in SKIPPED for part in inside):
        return False
    return changed.suffix in KNOWN or not changed.is_file()


def _roots(folders: Sequence[Path]) -> _Roots:
    """The folders that are there, and which ones they are: a folder made anew under an old name is another one."""
    found: _Roots = {}
    for folder in folders:
        with suppress(OSError):
            path = folder.resolve()
            status = path.stat()
            if path.is_dir():
                found[path] = (status.st_dev, status.st_ino)
    return found
