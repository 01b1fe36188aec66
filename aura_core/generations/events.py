"""What a reload tells: which plans runs use from now on, and which edits were not taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from aura_core.errors import Problem
from aura_core.language.display import in_short


@dataclass(frozen=True, slots=True)
class PlanNotice:
    """Base of both: what somebody who edits plans wants to read."""


@dataclass(frozen=True, slots=True)
class PlansReloaded(PlanNotice):
    """Runs that begin now use other plans than before; `plans.reloaded` for schedules.

    Attributes:
        plans: names of plans that were edited, or whose broken edit was mended or taken back.
        added: names of plans that were not there before.
        removed: names of plans that are gone.
        mended: those of them whose edit was refused before.
    """

    plans: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanEditRefused(PlanNotice):
    """An edit is not used, because something would be wrong with it; told once for the same problems.

    Attributes:
        plan: name of the plan.
        folder: its folder.
        problems: what is wrong, here or in a plan that requires this one.
        version_of: when the version was loaded that is still used, aware; None if there is none.
    """

    plan: str
    folder: Path
    problems: tuple[Problem, ...]
    version_of: datetime | None


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What came of one reload.

    Attributes:
        reloaded: names of plans whose edit is taken.
        added: names of new plans.
        removed: names of plans that are gone.
        refused: why other edits were not taken, by plan; those too that were refused before and still stand.
    """

    reloaded: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: Mapping[str, Sequence[Problem]] = field(default_factory=dict[str, Sequence[Problem]])


def notice_of(event: PlanNotice) -> list[str]:
    """What a person reads of an event, one line for each plan."""
    if isinstance(event, PlansReloaded):
        told = ((event.plans, "reloaded"), (event.added, "loaded"), (event.removed, "removed"))
        return [f"plan {name} {what}" for names, what in told for name in names]
    if not isinstance(event, PlanEditRefused):
        return []
    still = "it is not there yet"
    if event.version_of is not None:
        still = f"still the version of {event.version_of.astimezone():%H:%M}"
    reasons = "; ".join(in_short([_inside(problem, event.folder) for problem in event.problems]))
    return [f"plan {event.plan}: edit not taken, {still}: {reasons}"]


def _inside(problem: Problem, folder: Path) -> Problem:
    """The same problem with its file named as seen from the plan's folder, or from the folder of plans around it."""
    path = Path(problem.path)
    around = next((one for one in (folder, folder.parent) if path.is_relative_to(one)), None)
    return problem if around is None else replace(problem, path=path.relative_to(around).as_posix())
