"""Cancellation: whether the running task was really asked to end, or its code only let out a CancelledError."""

from __future__ import annotations

import asyncio


def cancel_requests() -> int:
    """How often the running asyncio task was asked to end; 0: never, and a CancelledError in it is its own doing."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
