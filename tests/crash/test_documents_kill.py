"""kill -9 while documents are changed: what was said to be there is there, and nothing is half there."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments

ROOT = Path(__file__).parents[2]
KILLS = 12
PROGRAM = """
import asyncio, sys
from pathlib import Path
from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments, change

async def main(path):
    async with Database(path, [DOCUMENTS]) as database:
        documents = SqliteDocuments(database)
        while True:
            _, number = await change(documents, "n", "count", lambda old: (old or 0) + 1)
            print(number, flush=True)

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_number_that_was_said_is_kept_and_at_most_one_is_there_that_was_not(tmp_path: Path) -> None:
    chance, kept = random.Random(7), 0
    for number in range(KILLS):
        output = tmp_path / f"said {number}"
        with output.open("wb") as file:
            command = [sys.executable, "-c", PROGRAM, str(tmp_path / "aura.db")]
            program = subprocess.Popen(command, cwd=ROOT, stdout=file)
        deadline = time.monotonic() + 30
        while not output.stat().st_size:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
        program.kill()
        program.wait(timeout=30)
        said = [int(line) for line in output.read_text().splitlines()]
        assert said == list(range(kept + 1, kept + 1 + len(said)))
        kept = asyncio.run(count(tmp_path / "aura.db"))
        assert kept in (said[-1], said[-1] + 1)


async def count(path: Path) -> int:
    async with Database(path, [DOCUMENTS]) as database:
        document = await SqliteDocuments(database).get("n", "count")
        assert document is not None
        assert document.revision == document.value
        return document.value
