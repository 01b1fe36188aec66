"""PlanManager: finds, loads and checks all plans, and answers for plans and tasks by name (seeds 000, 003)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from aura_core.errors import Problem
from aura_core.language.edits import Edit
from aura_core.language.plan import PlanDefinition, load_plan
from aura_core.language.plan_files import PlanSurvey, survey_plans
from aura_core.language.plan_problem import plan_problem
from aura_core.language.plan_set import PlanSet
from aura_core.language.references import find_mistakes
from aura_core.language.task import TaskDefinition
from aura_core.plugins.registry import BASE_PLAN


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
        """Finds, loads and takes every plan that it can, however long that takes; see `take`."""
        survey = survey_plans(self.folders)
        return self.take(survey, {name: Edit(*load_plan(path)) for name, path in survey.plans.items()})

    def take(self, survey: PlanSurvey, plans: Mapping[str, Edit]) -> list[Problem]:
        """Makes the plans without a problem the current ones.

        Args:
            survey: what was found.
            plans: each of its plans, as far as it could be loaded.

        Returns:
            All problems of the others; a plan with problems is not offered, nor is one that requires it.
        """
        self.marks.update(survey.marks)
        found = {"": list(survey.problems), **{name: list(plan.problems) for name, plan in plans.items()}}
        loaded = {
            name: plan.plan or PlanDefinition.unread(survey.plans[name], plan.problems) for name, plan in plans.items()
        }
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


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.path, problem.line, problem.column
