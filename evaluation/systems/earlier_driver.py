"""Runs inside an earlier build, with its Python: a line {request, context, files, cards} in, a line with the plan out.

It uses only what that build has as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import datetime
from typing import Any

from agent.app import App
from agent.config import AppConfig
from agent.contracts import TaskCard
from agent.errors import ModelError, PlanningError
from agent.llm.client import Completion
from agent.llm.meter import Ledger, Meter
from agent.planner import PlannerConfig, plan_steps


class Count(Meter):
    """Keeps apart what was read and what was written."""

    read = 0
    written = 0

    def charge(self, completion: Completion) -> None:
        """Counts one answer."""
        self.read += completion.tokens_read
        self.written += completion.tokens_written
        super().charge(completion)


async def main() -> None:
    """Answers line by line until the input ends; standard output is kept clean of what anything else prints."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    async with App.open(AppConfig.load(), program="make eval", durable=False) as app:
        await app.model.check()
        while line := await asyncio.to_thread(sys.stdin.readline):
            answers.write(json.dumps(await plan(app, json.loads(line))) + "\n")
            answers.flush()


async def plan(app: App, asked: dict[str, Any]) -> dict[str, Any]:
    """The plan for one request, or why there is none."""
    profile = app.config.profile("owner")
    meter = Count(profile, Ledger(app.config.home / "usage.json"))
    known = TaskCard.model_fields
    given = asked["cards"]
    config = PlannerConfig(
        model=app.model,
        meter=meter,
        catalogue=app.tasks(profile)
        if given is None
        else [TaskCard(**{name: value for name, value in card.items() if name in known}) for card in given],
        profile=profile,
        now=datetime.now().astimezone(),
        files=asked["files"],
        settings=app.config.planner,
    )
    document: dict[str, Any] | None = None
    error, repairs = "", list[str]()
    try:
        made = await plan_steps(config, asked["request"], asked["context"])
        document, repairs = made.model_dump(mode="json"), made.repairs
    except (ModelError, PlanningError) as failure:
        error = str(failure)
    return {"plan": document, "error": error, "read": meter.read, "written": meter.written, "repairs": repairs}


if __name__ == "__main__":
    asyncio.run(main())
