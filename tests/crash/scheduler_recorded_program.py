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
from aura_core.scheduler.job import Firing, FiringEnd, Job
from aura_core.scheduler.jobs import Jobs
from aura_core.scheduler.scheduler import Scheduler
from aura_core.scheduler.triggers import Every, OnEvent
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, Document, SqliteDocuments

BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = timedelta(minutes=20)


class MortalDocuments(SqliteDocuments):
    """Dies after it has put a job with a firing in its queue."""

    async def put(self, namespace, key, value, *, expected=None) -> Document | None:
        document = await super().put(namespace, key, value, expected=expected)
        if value["queue"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return document


async def main(folder: Path, life: str, trigger: str, policy: str) -> None:
    time, bus, ended = BEGAN, EventBus(), asyncio.Event()

    async def start(_job: Job, firing: Firing) -> FiringEnd:
        with (folder / "ran.txt").open("a") as ran:
            ran.write(f"{firing.id} {firing.event.get('interrupt', '')}\n")
        ended.set()
        return FiringEnd()

    async with Database(folder / "aura.db", [DOCUMENTS]) as database:
        jobs = Jobs((MortalDocuments if life == "1" else SqliteDocuments)(database), lambda: time)
        when = Every(3600, BEGAN) if trigger == "every" else OnEvent("interrupt.fired")
        scheduler = Scheduler(jobs, start, events=bus, look_seconds=0.01)
        if life == "1":
            await jobs.add(Job("tick", "lab/tick", when, missed=policy))
            await scheduler.start()
            time = BEGAN + HOUR
            jobs.wake()
            while True:
                if bus.has_subscribers:
                    bus.publish(InterruptFired("lab/full", "lab/empty", "began", "pause"))
                await asyncio.sleep(0.01)
        time = BEGAN + HOUR + LATER
        await scheduler.start()
        await ended.wait()
        while (await jobs.get("tick")).queue or jobs.changed.is_set():  # noqa: ASYNC110 (nothing is told when it is)
            await asyncio.sleep(0.01)
        await scheduler.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
