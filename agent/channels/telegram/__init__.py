"""The Telegram channel: `run_bot(app)` until it is stopped."""

from agent.channels.telegram.bot import run_bot

__all__ = ["run_bot"]
