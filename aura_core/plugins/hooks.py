"""HookManager: functions of plans that are called at the moments of a task's life (seed 001)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from aura_core.api import MOMENTS
from aura_core.asynccontext import code_of
from aura_core.config import ConfigService
from aura_core.execution.cancellation import cancel_requests, kept_to_itself
from aura_core.execution.system_exit import is_from_outside
from aura_core.execution.thread_limit import ThreadLimit
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    RunBlocking = Callable[[Callable[[], Any]], Awaitable[Any]]

HOOK_SECONDS = 10.0
"""A hook that takes longer is given up and logged; the task goes on."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """One registered hook.

    Attributes:
        plan: whose hook it is; its `config()` is that plan's.
        function: called with those of the moment's data that its signature names.
        wants: parameter names, or None for a function that takes `**data`.
        threads: how many of its calls may keep a thread busy.
        unfinished: calls that were given up but have not returned; until they do, it is not called again.
    """

    plan: str
    function: Callable[..., Any]
    wants: frozenset[str] | None
    threads: ThreadLimit = field(default_factory=ThreadLimit)

    @property
    def name(self) -> str:
        """What logs call it."""
        return getattr(self.function, "__qualname__", repr(self.function))


class HookManager:
    """Calls every hook of a moment in the order of registration. A hook that fails or hangs changes nothing.

    Args:
        run_blocking: runs a plain function beside the event loop.
        seconds: a hook that takes longer is given up.
    """

    def __init__(self, run_blocking: RunBlocking, *, seconds: float = HOOK_SECONDS) -> None:
        self._hooks: dict[str, tuple[Hook, ...]] = {}
        self._run_blocking = run_blocking
        self._config: ConfigService | None = None
        self._seconds = seconds

    def __contains__(self, moment: str) -> bool:
        return moment in self._hooks

    def register(self, moment: str, function: Callable[..., Any], *, plan: str = "") -> None:
        """Adds a hook.

        Args:
            moment: one of `MOMENTS`.
            function: async or plain; a plain one runs in the thread pool.
            plan: the plan it belongs to; empty for one that belongs to none.

        Raises:
            ValueError: no such moment.
        """
        if moment not in MOMENTS:
            raise ValueError(f"There is no moment {moment!r} for a hook; there are: {', '.join(sorted(MOMENTS))}.")
        self._add(moment, [_hook(plan, function)])

    def follow(self, hooks: Iterable[tuple[str, str, Callable[..., Any]]], config: ConfigService) -> None:
        """Puts the hooks of plans in the place of those that plans had; the others stay where they are.

        Args:
            hooks: plan, moment and function of each, in their order.
            config: what `config()` asks in a hook from now on.
        """
        earlier = self._hooks
        known = {(moment, hook.plan, hook.function): hook for moment, its in earlier.items() for hook in its}
        wanted = [
            (moment, known.get((moment, plan, function)) or _hook(plan, function)) for plan, moment, function in hooks
        ]
        self._hooks, self._config = {}, config
        behind: dict[str, list[Hook]] = {}
        for moment, its in earlier.items():
            before = list(takewhile(lambda hook: not hook.plan, its))
            self._add(moment, before)
            behind[moment] = [hook for hook in its[len(before) :] if not hook.plan]
        for moment, hook in wanted:
            self._add(moment, [hook])
        for moment, its in behind.items():
            self._add(moment, its)

    async def trigger(self, moment: str, **data: Any) -> None:
        """Calls the hooks of `moment` one after another; returns at once when there are none.

        Being cancelled ends the hook that runs; the others are still called, and then the cancellation is raised: all
        hooks are told the same, that a task begins and how it ended. A hook that raises CancelledError while nobody
        asked the task to end has failed like any other.
        """
        cancelled: asyncio.CancelledError | None = None
        for hook in self._hooks.get(moment, ()):
            requests = cancel_requests()
            try:
                async with asyncio.timeout(self._seconds):
                    await self._call(hook, data)
                if kept_to_itself(requests):
                    cancelled = asyncio.CancelledError()
            except asyncio.CancelledError as error:
                if cancel_requests() > requests:
                    cancelled = error
                    _log.info("hook_cut_short", moment=moment, plan=hook.plan, hook=hook.name)
                else:
                    _failed(moment, hook, error)
            except BaseException as error:
                if is_from_outside(error, requests):
                    raise
                _failed(moment, hook, error)
        if cancelled is not None:
            raise cancelled

    def _add(self, moment: str, hooks: Iterable[Hook]) -> None:
        together = (*self._hooks.get(moment, ()), *hooks)
        if together:
            self._hooks[moment] = together

    async def _call(self, hook: Hook, data: dict[str, Any]) -> None:
        wanted = data if hook.wants is None else {name: value for name, value in data.items() if name in hook.wants}
        with code_of(hook.plan, self._config):
            if inspect.iscoroutinefunction(hook.function):
                await hook.function(**wanted)
            else:
                async with hook.threads.turn():
                    await self._run_blocking(lambda: hook.function(**wanted))


def _failed(moment: str, hook: Hook, error: BaseException) -> None:
    _log.warning("hook_failed", moment=moment, plan=hook.plan, hook=hook.name, reason=reason_of(error))


def _hook(plan: str, function: Callable[..., Any]) -> Hook:
    parameters = inspect.signature(function).parameters.values()
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return Hook(plan, function, None if takes_all else frozenset(parameter.name for parameter in parameters))
