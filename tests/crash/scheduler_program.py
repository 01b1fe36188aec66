"""Runs a scheduler whose clock is quick, for a test that kills it.

Run as `python -m tests.crash.scheduler_program FOLDER BEGAN POLICY`: time runs a hundred times faster since BEGAN
(seconds since the epoch). What runs is written to FOLDER/ran.txt, one line a firing, as a durable engine would: begun
once per id, however often it is asked for. With FOLDER/end there, it ends when all that is due has run.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from aura_core.ground.events import EventBus
from aura_core.scheduler.job import Firing, FiringEnd, Job
from aura_core.scheduler.jobs import Jobs
from aura_core.scheduler.scheduler import Scheduler
from aura_core.scheduler.triggers import Every
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments

SPEED = 100


async def main(folder: Path, began: float, policy: str) -> None:
    ran = folder / "ran.txt"

    def now() -> datetime:
        return datetime.fromtimestamp(began + (time.time() - began) * SPEED, UTC)

    async def start(_job: Job, firing: Firing) -> FiringEnd:
        known = ran.read_text().splitlines() if ran.exists() else []
        if firing.id not in known:
            handle = os.open(ran, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(handle, f"{firing.id}\n".encode())
            os.close(handle)
        await asyncio.sleep(0.001)
        return FiringEnd()

    tick = Job("tick", "lab/tick", Every(2.0, datetime.fromtimestamp(int(began), UTC)), missed=policy)
    async with Database(folder / "aura.db", [DOCUMENTS]) as database:
        scheduler = Scheduler(Jobs(SqliteDocuments(database), now), start, events=EventBus(), look_seconds=0.002)
        await scheduler.start([tick])
        while not (folder / "end").exists():  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.005)
        await scheduler.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
