"""Versions: which version of each plan is in use, since when, and which edits are refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from aura_core.errors import Problem
from aura_core.generations.events import PlanEditRefused, PlanNotice, PlansReloaded, ReloadReport
from aura_core.generations.reading import Found
from aura_core.language.display import ordered
from aura_core.language.plan_manager import PlanManager

Refusals = dict[str, list[Problem]]


class Versions:
    """Compares what is on the disk with what is in use.

    Args:
        plans: the plans, just loaded.
        problems: what was wrong with others; whoever loaded them has told it.
    """

    def __init__(self, plans: PlanManager, problems: Sequence[Problem]) -> None:
        self._seen = dict(plans.marks)
        self._in_use = {name: mark for name, mark in plans.marks.items() if name in plans.plans}
        self._loaded_at = dict.fromkeys(self._in_use, datetime.now(UTC))
        self._folders = {name: plan.folder for name, plan in plans.plans.items()}
        self._refused: Refusals = {name: [] for name in plans.marks.keys() - self._in_use.keys()}
        self._elsewhere: list[Problem] = []
        for problem in problems:
            inside = {folder.name for folder in Path(problem.path).parents} & self._refused.keys()
            (self._refused[inside.pop()] if inside else self._elsewhere).append(problem)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with plans as they stood on the disk when they were last read."""
        return [*self._elsewhere, *(problem for problems in self._refused.values() for problem in problems)]

    def changed(self, found: Mapping[str, Found], names: Collection[str]) -> list[str]:
        """Plans that differ from what is in use; none if nothing changed since that was last tried.

        Args:
            found: what is on the disk.
            names: plans that count as changed in any case.
        """
        marks = {name: one.mark for name, one in found.items()}
        if not names and marks == self._seen:
            return []
        return sorted({*self._differing(found), *names})

    def settle(self, found: Mapping[str, Found], taken: frozenset[str], refused: Refusals) -> ReloadReport:
        """Notes what became of the edits.

        Args:
            found: what was on the disk when they were read.
            taken: plans whose version on the disk is in use from now on.
            refused: what is wrong with those of other plans.
        """
        before = self._in_use.keys() & taken
        report = ReloadReport(
            reloaded=tuple(sorted(before & found.keys())),
            added=tuple(sorted(taken - before & found.keys())),
            removed=tuple(sorted(before - found.keys())),
            refused={name: ordered(problems) for name, problems in refused.items()},
        )
        for name in taken:
            self._in_use.pop(name, None)
            self._loaded_at.pop(name, None)
            if name in found:
                self._in_use[name] = found[name].mark
                self._loaded_at[name] = datetime.now(UTC)
                self._folders[name] = found[name].folder
        self._seen = {name: one.mark for name, one in found.items()}
        return report

    def tell(self, report: ReloadReport, found: Mapping[str, Found]) -> Iterator[PlanNotice]:
        """The events of a reload: only what is new since the last one."""
        earlier, self._refused = self._refused, {name: list(its) for name, its in report.refused.items()}
        mended = sorted(earlier.keys() & self._in_use.keys() - self._refused.keys())
        plans = tuple(sorted({*report.reloaded, *mended} - set(report.added)))
        if plans or report.added or report.removed:
            yield PlansReloaded(plans, report.added, report.removed, tuple(mended))
        for name, problems in report.refused.items():
            if ordered(earlier.get(name, ())) != problems:
                folder = found[name].folder if name in found else self._folders[name]
                yield PlanEditRefused(name, folder, tuple(problems), self._loaded_at.get(name))

    def outstanding(self, found: Mapping[str, Found]) -> Refusals:
        """Refused edits that still stand on the disk, when nothing was read anew."""
        differing = self._differing(found)
        return {name: problems for name, problems in self._refused.items() if name in differing}

    def _differing(self, found: Mapping[str, Found]) -> set[str]:
        names = {*found, *self._in_use}
        return {name for name in names if (found[name].mark if name in found else None) != self._in_use.get(name)}
