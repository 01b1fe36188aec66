"""Reading plans beside the event loop: what stands on the disk now, and each changed plan, with a limit of time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aura_core.errors import Problem
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of
from aura_core.language.edits import Edit
from aura_core.language.plan import PlanDefinition, load_plan
from aura_core.language.plan_files import found_plans, plan_mark
from aura_core.plugins.load_timeout import NotDoneError, run_patiently
from aura_core.plugins.plan_code import PlanCode

LOAD_SECONDS = 30.0
"""For one plan, mostly for what its Python files do when they are imported."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A plan on the disk.

    Attributes:
        folder: where.
        mark: what its files hold (see `plan_mark`).
    """

    folder: Path
    mark: str


async def look(folders: Sequence[Path]) -> dict[str, Found]:
    """The plans in some folders as they are now, by name."""
    return await asyncio.to_thread(
        lambda: {name: Found(path, plan_mark(path)) for name, path in found_plans(folders).items()}
    )


async def read_plan(folder: Path, known: PlanCode | None, seconds: float = LOAD_SECONDS) -> Edit:
    """Loads a plan; whatever goes wrong is a problem of that plan.

    Args:
        folder: its folder.
        known: its Python files as they were loaded before; None imports them in any case.
        seconds: how long it may take.
    """

    def unload(loaded: tuple[PlanDefinition, list[Problem]]) -> None:
        if loaded[0].code is not known:
            loaded[0].code.unload()

    try:
        plan, problems = await run_patiently(lambda: load_plan(folder, known), seconds=seconds, late=unload)
    except NotDoneError as error:
        return Edit(None, [_too_slow(folder, seconds, error.places)])
    except Exception as error:  # noqa: BLE001 (a plan that breaks the loader is left out like any other broken one)
        _log.exception("plan_load_crashed", plan=folder.name)
        problem = Problem(str(folder), 0, 0, f"this plan cannot be loaded: {reason_of(error)}")
        return Edit(None, [problem])
    return Edit(plan, problems)


def _too_slow(folder: Path, seconds: float, places: Sequence[tuple[str, int]]) -> Problem:
    """The problem of a plan that did not load in time, at the line where it hung."""
    message = f"loading this plan did not end within {seconds:g} s"
    advice = "do what waits or loops inside an action or a service's `start`, not while the file is imported"
    inside = next(((path, line) for path, line in places if Path(path).is_relative_to(folder)), None)
    path, line = inside or (str(folder), 0)
    return Problem(path, line, 1 if line else 0, message, advice)
