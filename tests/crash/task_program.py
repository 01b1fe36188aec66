"""Runs one task as a durable step of a run, for a test that kills it.

Run as `python -m tests.crash.task_program TASK`, with AURA_HOME and AURA_PLANS set. The task begins in the first life
and goes on in every further one. Answers are taken from AURA_HOME/answer once that is there. Prints the
outcome as JSON.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from agent.app import App
from agent.config import AppConfig
from agent.contracts import Incoming

PERSON = "terminal:me"
WAITS = "waits"


async def main(task: str) -> None:
    home = Path(os.environ["AURA_HOME"])
    incoming = Incoming(session_id="s", person=PERSON, text=f"/{task}", key="the message", dest={"channel": "none"})
    async with App.open(AppConfig.load(os.environ, home), program="the program") as app:
        resumed = await app.resume()
        run_id = resumed[0] if resumed else await app.submit_command(incoming, task, {})
        assert run_id is not None
        outcome = await app.outcome(run_id)
        if outcome.status == "waiting":
            (home / WAITS).touch()
            while not (home / "answer").exists():  # noqa: ASYNC110 (another process writes it)
                await asyncio.sleep(0.01)
            await app.answer(outcome.questions[0].id, (home / "answer").read_text(), person=PERSON)
            outcome = await app.outcome(run_id)
        sys.stdout.write(outcome.model_dump_json() + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
