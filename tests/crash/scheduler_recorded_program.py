"""Runs a scheduler that is killed exactly between the record of a moment and the start of its run.

Run as `python -m tests.crash.scheduler_recorded_program FOLDER LIFE TRIGGER POLICY`: in life 1 a job becomes due, and
the process kills itself as soon as the firing is on the disk; in life 2, twenty minutes later, it ends when a run has
ended and nothing is left to run. What runs is written to FOLDER/ran.txt.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aura_core.ground.events import EventBus
from aura_core.interrupts.events import InterruptFired
from aura_core.scheduler.book import JobBook
from aura_core.scheduler.job import Firing, FiringEnd, Job
from aura_core.scheduler.scheduler import Scheduler
from aura_core.scheduler.store import JobStore
from aura_core.scheduler.triggers import Every, OnEvent

BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = timedelta(minutes=20)


class MortalStore(JobStore):
    """Dies after it has recorded a firing."""

    def fire(self, firings, next_at, *, was):
        super().fire(firings, next_at, was=was)
        os.kill(os.getpid(), signal.SIGKILL)

    def ask(self, firing):
        super().ask(firing)
        os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: Path, life: str, trigger: str, policy: str) -> None:
    time, bus, ended = BEGAN, EventBus(), asyncio.Event()

    async def start(_job: Job, firing: Firing) -> FiringEnd:
        with (folder / "ran.txt").open("a") as ran:
            ran.write(f"{firing.id} {firing.event.get('interrupt', '')}\n")
        ended.set()
        return FiringEnd()

    store = (MortalStore if life == "1" else JobStore)(folder / "jobs.db")
    book = JobBook(store, lambda: time)
    job = Job("tick", "lab/tick", Every(3600, BEGAN) if trigger == "every" else OnEvent("interrupt.fired"))
    scheduler = Scheduler(book, start, events=bus, look_seconds=0.01)
    if life == "1":
        await book.add(Job(job.id, job.task, job.trigger, missed=policy))
        await scheduler.start()
        time = BEGAN + HOUR
        scheduler.book.wake()
        while True:
            if bus.has_subscribers:
                bus.publish(InterruptFired("lab/full", "lab/empty", "began", "pause"))
            await asyncio.sleep(0.01)
    time = BEGAN + HOUR + LATER
    await scheduler.start()
    await ended.wait()
    while store.unfinished() or book.changed.is_set():  # noqa: ASYNC110 (nothing is told when it is)
        await asyncio.sleep(0.01)
    await scheduler.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
