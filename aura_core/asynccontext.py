"""Which plan is running right now: a context variable and the manager that sets and restores it (seed 003)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

current_plan_name: ContextVar[str | None] = ContextVar("current_plan_name", default=None)
"""Name of the plan whose code runs in this asynchronous context; None outside any plan."""


@asynccontextmanager
async def plan_context(plan_name: str) -> AsyncGenerator[None]:
    """Makes `plan_name` the current plan for the block, and restores the previous one however the block ends.

    Entering the plan that is already current costs nothing and changes nothing.

    Args:
        plan_name: the plan's folder name, as in `plan/task`.
    """
    if current_plan_name.get() == plan_name:
        yield
        return
    token = current_plan_name.set(plan_name)
    try:
        yield
    finally:
        current_plan_name.reset(token)
