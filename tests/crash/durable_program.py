"""A small program on the local engine that a test kills: a plan made inside, a graph of tasks, a question.

Run as `python -m tests.crash.durable_program FOLDER`. What really happens is appended to FOLDER/journal, one line each;
the answer to the question is taken from FOLDER/answer once that is there. Prints the result when the run is done.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from aura_core.durable.local import LocalEngine
from aura_core.durable.protocol import Ctx, Json
from aura_core.durable.schema import DURABLE
from aura_core.storage.database import Database

RUN = "run"
SIZE = 12


class Program:
    """The tasks, and the journal of what they did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = os.open(folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, *words: str) -> None:
        os.write(self.journal, (" ".join(words) + "\n").encode())

    async def plan(self, task: str) -> Json:
        """A graph that no replay could make again: each task needs up to two earlier ones."""
        self.write("step", task, "plan")
        return [{"needs": random.sample(range(number), min(number, random.randint(0, 2)))} for number in range(SIZE)]

    async def half(self, task: str, key: str, value: int) -> Json:
        self.write("step", task, key)
        await asyncio.sleep(random.uniform(0, 0.004))
        return value

    async def piece(self, ctx: Ctx, args: Json) -> Json:
        self.write("in", ctx.id)
        try:
            one = await ctx.step("one", self.half, ctx.id, "one", args["number"])
            two = await ctx.step("two", self.half, ctx.id, "two", sum(args["inputs"]))
        finally:
            self.write("out", ctx.id)
        return one + two

    async def question(self, ctx: Ctx, args: Json) -> Json:
        await ctx.step("show", self.half, ctx.id, "show", 0)
        return await ctx.wait_signal("answer")

    async def run(self, ctx: Ctx, args: Json) -> Json:
        plan: list[dict[str, Any]] = await ctx.step("plan", self.plan, ctx.id)
        running: dict[str, int] = {}
        done: dict[int, int] = {}
        question = await ctx.start("question", "question", None)
        while len(done) < SIZE:
            for number, task in enumerate(plan):
                ready = all(need in done for need in task["needs"])
                if ready and number not in done and number not in running.values():
                    inputs = {"number": number, "inputs": [done[need] for need in task["needs"]]}
                    child = await ctx.start(f"piece{number}", "piece", inputs)
                    running[child] = number
            ended = await ctx.wait_any(f"wait{len(done)}", list(running))
            done[running.pop(ended)] = await ctx.result(ended)
        return {"plan": plan, "done": [done[number] for number in range(SIZE)], "answer": await ctx.result(question)}


async def main(folder: Path) -> None:
    program = Program(folder)
    database = Database(folder / "aura.db", [DURABLE])
    engine = LocalEngine(database)
    engine.task("piece", program.piece)
    engine.task("question", program.question)
    engine.task("run", program.run)
    await engine.launch()
    program.write("life", str(os.getpid()))
    await engine.start("run", None, id=RUN)
    await engine.resume(RUN)
    outcome = asyncio.create_task(engine.outcome(RUN))
    while not outcome.done():
        if (folder / "answer").exists():
            await engine.signal(f"{RUN}/question", "answer", (folder / "answer").read_text())
        await asyncio.wait([outcome], timeout=0.01)
    sys.stdout.write(json.dumps(outcome.result().result) + "\n")
    await engine.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
