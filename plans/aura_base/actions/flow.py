"""What steps need beside data: a line in the log, a pause, a failure on purpose."""

from __future__ import annotations

import asyncio
from typing import Literal

from aura_core.api import ActionError, Context, action, config


@action("log", inline=True)
def log(message: str, context: Context, level: Literal["debug", "info", "warning", "error"] = "info") -> str:
    """Writes a line to the program's log, with the plan and the run it belongs to.

    Args:
        message: the line.
        context: the running task's.
        level: how loud.

    Returns:
        The message.
    """
    import structlog

    getattr(structlog.get_logger("aura.task"), level)(message, plan=context.plan, corr_id=context.run.corr_id)
    return message


@action("sleep")
async def sleep(seconds: float) -> float:
    """Waits; other tasks go on.

    Args:
        seconds: 0 up to the setting `limits.sleep_seconds`, an hour.

    Returns:
        The seconds.

    Raises:
        ActionError: negative or too long.
    """
    longest: float = config("limits.sleep_seconds", 3600)
    if not 0 <= seconds <= longest:
        raise ActionError(f"sleep takes 0 to {longest} seconds, not {seconds}; use a schedule for longer pauses.")
    await asyncio.sleep(seconds)
    return seconds


@action("fail", inline=True)
def fail(message: str) -> None:
    """Fails the step with a message for the person.

    Args:
        message: what happened and what to do.

    Raises:
        ActionError: always.
    """
    raise ActionError(message)
