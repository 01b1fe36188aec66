"""Loading plans at the start and for a check: each has its time, and one that hangs keeps no other from loading."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aura_core.errors import Problem
from aura_core.generations.reading import LOAD_SECONDS, read_plan
from aura_core.language.consequences import check_effects
from aura_core.language.plan import PlanDefinition
from aura_core.language.plan_files import survey_plans
from aura_core.language.plan_manager import PlanManager
from aura_core.language.remarks import find_remarks


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of plans found.

    Attributes:
        problems: everything that is wrong with the plans in the folders that were asked for.
        plans: those among them without a problem.
        remarks: what the authors of those should look at; see `find_remarks`.
        known: all plans without a problem, of the further folders, too.
    """

    problems: list[Problem]
    plans: list[PlanDefinition]
    remarks: list[Problem]
    known: list[PlanDefinition]


async def load_plans(plans: PlanManager, seconds: float = LOAD_SECONDS) -> list[Problem]:
    """Loads every plan of the folders that it can, beside the event loop.

    Args:
        plans: filled with them.
        seconds: how long one plan may take; past it, it is left out as a broken one.

    Returns:
        All problems of the others. Nothing that stands in a plan makes this raise.
    """
    survey = await asyncio.to_thread(survey_plans, plans.folders)
    return plans.take(survey, {name: await read_plan(path, None, seconds) for name, path in survey.plans.items()})


async def check_folders(
    folders: Sequence[Path], *, known: Sequence[Path] = (), seconds: float = LOAD_SECONDS
) -> Checked:
    """Every problem of the plans in some folders, for `aura check`; also what keeps no plan from being used.

    Args:
        folders: folders of plans, or plans themselves.
        known: further folders whose plans may be required; their own problems are not reported.
        seconds: how long one plan may take to load.
    """
    manager = PlanManager([*folders, *known])
    try:
        problems = [*await load_plans(manager, seconds), *check_effects(manager.current)]
    finally:
        for plan in manager.plans.values():
            plan.code.unload()
    return Checked(
        [problem for problem in problems if _is_in(Path(problem.path), folders)],
        [plan for plan in manager.plans.values() if _is_in(plan.folder, folders)],
        [remark for remark in find_remarks(manager.plans) if _is_in(Path(remark.path), folders)],
        list(manager.plans.values()),
    )


def _is_in(path: Path, folders: Sequence[Path]) -> bool:
    """Whether something lies in one of the folders, be it by a link in that."""
    places = (path, path.resolve())
    return any(place.is_relative_to(folder.resolve()) for place in places for folder in folders)
