"""Lines: the firings of one job run one after another, those of different jobs side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from aura_core.ground.logger import get_logger
from aura_core.scheduler.job import Firing, Job

RunFiring = Callable[[Job, Firing], Awaitable[None]]


class Lines:
    """One line per job, each worked off by a task of its own while there is something in it.

    Args:
        run: runs one firing to its end; a mistake of it is logged, and the line goes on.
        emptied: told the id of a job when nothing of it runs any more.
    """

    def __init__(self, run: RunFiring, emptied: Callable[[str], None]) -> None:
        self._run = run
        self._emptied = emptied
        self._lines: dict[str, deque[tuple[Job, Firing]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ids: set[str] = set()
        self._log = get_logger(__name__)

    def __contains__(self, firing: Firing) -> bool:
        return firing.id in self._ids

    def busy(self, job: str) -> bool:
        """Whether a run of the job goes on."""
        return job in self._lines

    def put(self, job: Job, firing: Firing) -> None:
        """Runs a firing as soon as those of the job before it have ended."""
        self._ids.add(firing.id)
        line = self._lines.get(job.id)
        if line is not None:
            line.append((job, firing))
            return
        line = self._lines[job.id] = deque([(job, firing)])
        self._tasks[job.id] = asyncio.create_task(self._work_off(job.id, line), name=f"job {job.id}")

    async def close(self) -> None:
        """Cancels what runs and forgets what waits."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lines.clear()
        self._tasks.clear()
        self._ids.clear()

    async def _work_off(self, name: str, line: deque[tuple[Job, Firing]]) -> None:
        try:
            while line:
                job, firing = line[0]
                try:
                    await self._run(job, firing)
                except Exception:  # noqa: BLE001 (logged; one firing does not silence its job)
                    self._log.exception("firing_broke_off", job=name, corr_id=firing.id)
                line.popleft()
                self._ids.discard(firing.id)
        finally:
            self._ids.difference_update(firing.id for _, firing in line)
            self._lines.pop(name, None)
            self._tasks.pop(name, None)
        self._emptied(name)
