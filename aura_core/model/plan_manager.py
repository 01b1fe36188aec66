"""PlanManager: finds, loads and checks all plans, and answers for plans and tasks by name (seeds 000, 003)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from aura_core.errors import Problem
from aura_core.model.plan import PlanDefinition, load_plan
from aura_core.model.plan_files import plan_folders, plan_mark
from aura_core.model.plan_set import PlanSet
from aura_core.model.references import find_mistakes, plan_problem
from aura_core.model.task import TaskDefinition
from aura_core.registry import BASE_PLAN


class PlanManager:
    """The plans of some folders.

    Args:
        folders: folders of plans, or plans themselves; of two plans of one name, the first one counts.
        services: names of services that whoever embeds the core provides, beside `llm` and `chat`.

    Attributes:
        folders: as given.
        services: as given.
        current: the plans without a problem. Never changes: a load or a reload puts another one in its place.
        marks: name of a plan -> what its files were when they were read last (see `plan_mark`); broken plans too.
    """

    def __init__(self, folders: Sequence[Path], *, services: Collection[str] = ()) -> None:
        self.folders = list(folders)
        self.services = services
        self.current = PlanSet()
        self.marks: dict[str, str] = {}

    @property
    def plans(self) -> Mapping[str, PlanDefinition]:
        """The current plans by name, each after those that it requires."""
        return self.current.plans

    def load(self) -> list[Problem]:
        """Loads every plan that it can.

        Returns:
            All problems of the others; a plan with problems is not offered, nor is one that requires it.
        """
        found, loaded = self._load_each()
        order, mistakes = find_mistakes(loaded, self.services)
        for name, its in mistakes.items():
            found.setdefault(name, []).extend(its)
        good: dict[str, PlanDefinition] = {}
        for name in order:
            plan = loaded[name]
            missing = [other for other in (*plan.requires, BASE_PLAN) if other in loaded and other not in {*good, name}]
            if found.get(name):
                continue
            if missing:
                message = f"it requires the plan {missing[0]!r}, which has problems"
                found.setdefault(name, []).append(plan_problem(plan, ("requires",), message, "see there"))
                continue
            good[name] = plan
        for name in loaded.keys() - good.keys():
            loaded[name].code.unload()
        self.current = PlanSet(good)
        return [problem for its in found.values() for problem in sorted(its, key=_order)]

    def task(self, ref: str, *, plan: str | None = None) -> TaskDefinition:
        """The task that a reference means in the current plans; see `PlanSet.task`."""
        return self.current.task(ref, plan=plan)

    def tasks(self) -> list[TaskDefinition]:
        """All tasks of the current plans, sorted by reference."""
        return self.current.tasks()

    def _load_each(self) -> tuple[dict[str, list[Problem]], dict[str, PlanDefinition]]:
        found: dict[str, list[Problem]] = {}
        loaded: dict[str, PlanDefinition] = {}
        for folder in self.folders:
            if not folder.is_dir():
                problem = Problem(
                    str(folder), 0, 0, "there is no such folder of plans", "correct the path, or create it"
                )
                found.setdefault("", []).append(problem)
                continue
            for path in plan_folders(folder.resolve()):
                if path.name not in loaded:
                    self.marks[path.name] = plan_mark(path)
                    loaded[path.name], problems = load_plan(path)
                    found.setdefault(path.name, []).extend(problems)
                elif loaded[path.name].folder != path:
                    message = f"a plan named {path.name!r} is there already, in {loaded[path.name].folder}"
                    problem = Problem(str(path), 0, 0, message, "rename one of them; the first one is used")
                    found.setdefault("", []).append(problem)
        return found, loaded


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.path, problem.line, problem.column


def check_folders(folders: Sequence[Path], *, known: Sequence[Path] = ()) -> list[Problem]:
    """Every problem of the plans in some folders, for `aura check`.

    Args:
        folders: folders of plans, or plans themselves.
        known: further folders whose plans may be required; their own problems are not reported.
    """
    manager = PlanManager([*folders, *known])
    try:
        problems = manager.load()
    finally:
        for plan in manager.plans.values():
            plan.code.unload()
    roots = [folder.resolve() for folder in folders]
    return [problem for problem in problems if any(Path(problem.path).resolve().is_relative_to(root) for root in roots)]
