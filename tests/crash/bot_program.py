"""Runs the bot, impatient, for a test that takes the disk away from it. Run as `python -m tests.crash.bot_program`."""

from __future__ import annotations

import asyncio
import os

from agent import logs
from agent.app import App
from agent.channels.telegram import bot, update_queue
from agent.config import AppConfig

IMPATIENCE = 0.3


async def main() -> None:
    bot.GO_ON_SECONDS = IMPATIENCE  # pyright: ignore[reportConstantRedefinition] (the test does not wait for people)
    bot.LONGEST_PAUSE = update_queue.LONGEST_PAUSE = IMPATIENCE  # pyright: ignore[reportConstantRedefinition]
    config = AppConfig.load(os.environ)
    logs.configure(config)
    async with App.open(config, program="the bot") as app:
        await bot.run_bot(app)


if __name__ == "__main__":
    asyncio.run(main())
