"""Sensing: runs check tasks to find the state in which a plan is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from aura_core.engine.failure import explain
from aura_core.engine.parallel import side_by_side
from aura_core.execution.cancellation import being_ended
from aura_core.ground.logger import get_logger

if TYPE_CHECKING:
    from aura_core.language.states import State
    from aura_core.tasklet import TaskResult

RunTask: TypeAlias = Callable[[str], "Awaitable[TaskResult]"]
"""Runs a task, given as states.yaml refers to it, within its time."""

_log = get_logger(__name__)


class _FoundIt(Exception):  # noqa: N818 (a signal between checks that run side by side, no error)
    """A check holds: the others need not go on."""


class Sensing:
    """The checks of one plan.

    Args:
        plan: its name.
        states: its states by name.
        run_check: runs a check task.
    """

    def __init__(self, plan: str, states: Mapping[str, State], run_check: RunTask) -> None:
        self._plan = plan
        self._states = states
        self._run_check = run_check

    async def current(self, order: Sequence[str]) -> str | None:
        """The first state, in this order, whose check holds; None if none does.

        States that follow each other and are marked `parallel` are checked side by side: the first of them that
        holds wins, and the others' checks are ended.
        """
        for together, names in groupby(order, key=lambda name: self._states[name].parallel):
            members = list(names)
            for side_by_side_ones in [members] if together else [[name] for name in members]:
                found = await self._first_of(side_by_side_ones)
                if found is not None:
                    return found
        return None

    async def arrives(self, name: str) -> bool:
        """Whether a state holds now or soon: its check is asked as often as its `verify` says."""
        verify = self._states[name].verify
        for attempt in range(verify.attempts):
            if attempt:
                await asyncio.sleep(verify.delay)
            if await self.holds(name):
                return True
        return False

    async def holds(self, name: str) -> bool:
        """Whether the check of a state succeeds with something true; one that fails is logged and means no."""
        check = self._states[name].check
        try:
            result = await self._run_check(check)
            is_there = bool(result.result) and bool(getattr(result.result, "found", True))
        except Exception as error:
            if being_ended():
                raise asyncio.CancelledError from error
            _log.warning("state_check_failed", plan=self._plan, state=name, check=check, reason=explain(error))
            return False
        if result.error is not None:
            log = _log.debug if result.error.type == "UnsuccessfulResultError" else _log.warning
            log("state_check_failed", plan=self._plan, state=name, check=check, reason=result.error.message)
            return False
        return is_there

    async def _first_of(self, names: Sequence[str]) -> str | None:
        if len(names) == 1:
            return names[0] if await self.holds(names[0]) else None
        found: list[str] = []

        async def look(name: str) -> None:
            if await self.holds(name):
                found.append(name)
                raise _FoundIt

        try:
            await side_by_side([partial(look, name) for name in names])
        except _FoundIt:
            return min(found, key=names.index)
        return None
