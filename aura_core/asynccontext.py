"""Which plan is running right now: a context variable and the manager that sets and restores it (seed 003)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar, Token

current_plan_name: ContextVar[str | None] = ContextVar("current_plan_name", default=None)
"""Name of the plan whose code runs in this asynchronous context; None outside any plan."""


def plan_context(plan_name: str) -> AbstractAsyncContextManager[None]:
    """Makes `plan_name` the current plan for the block, and restores the previous one however the block ends.

    Entering the plan that is already current costs nothing and changes nothing.

    Args:
        plan_name: the plan's folder name, as in `plan/task`.
    """
    return _PlanContext(plan_name)


class _PlanContext:
    """Written out, not a generator: every task enters one, and this costs a third."""

    __slots__ = ("_plan", "_token")

    def __init__(self, plan: str) -> None:
        self._plan = plan
        self._token: Token[str | None] | None = None

    async def __aenter__(self) -> None:
        if current_plan_name.get() != self._plan:
            self._token = current_plan_name.set(self._plan)

    async def __aexit__(self, *_exception: object) -> None:
        if self._token is not None:
            current_plan_name.reset(self._token)
