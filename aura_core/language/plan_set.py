"""PlanSet: some plans that belong together, and what a reference in one of them means; it never changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from aura_core.errors import DefinitionError, NotFoundError
from aura_core.ground.suggestions import hint, sentence
from aura_core.language.dependencies import find_task, reach
from aura_core.language.plan import PlanDefinition
from aura_core.language.references import References
from aura_core.language.task import TaskDefinition


class PlanSet:
    """Plans without a problem, each after those that it requires.

    Args:
        plans: by name, in that order.

    Attributes:
        plans: the same; read only.
    """

    def __init__(self, plans: Mapping[str, PlanDefinition] | None = None) -> None:
        self.plans: Mapping[str, PlanDefinition] = MappingProxyType(dict(plans or {}))

    def task(self, ref: str, *, plan: str | None = None) -> TaskDefinition:
        """The task that a reference means.

        Args:
            ref: `plan/task`, `plan/folder/task`; inside a plan the plan's name may be left out.
            plan: name of the plan in which the reference stands; None outside any plan.

        Raises:
            NotFoundError: there is none; names the nearest one.
        """
        inside = self.plans.get(plan) if plan is not None else None
        if inside is not None and ref in inside.tasks:
            return inside.tasks[ref]
        task = find_task(self.plans, None, ref)
        if task is not None:
            return task
        known = [task.ref for task in self._all()] + (list(inside.tasks) if inside is not None else [])
        advice = hint(ref, known, what="there are")
        raise NotFoundError(sentence(f"There is no task {ref!r}", advice, "no plan is loaded"))

    def with_tasks(self, tasks: Iterable[TaskDefinition]) -> PlanSet:
        """The same plans with some tasks in the place of theirs; tasks of plans that are not there are left out.

        Args:
            tasks: tasks that these plans had at another moment.

        Raises:
            DefinitionError: they refer to something that the plans no longer have.
        """
        plans = dict(self.plans)
        fitting = [task for task in tasks if task.plan in plans]
        for task in fitting:
            plan = plans[task.plan]
            plans[task.plan] = replace(plan, tasks={**plan.tasks, task.name: task})
        if problems := References(plans, ()).check_tasks(fitting):
            raise DefinitionError(problems)
        return PlanSet(plans)

    def reach(self, task: TaskDefinition) -> Collection[TaskDefinition]:
        """A task, and all tasks that may run because it is started; see `reach`."""
        return reach(self.plans, task)

    def tasks(self) -> list[TaskDefinition]:
        """All tasks of all plans, sorted by reference."""
        return sorted(self._all(), key=lambda task: task.ref)

    def _all(self) -> Iterator[TaskDefinition]:
        for plan in self.plans.values():
            yield from plan.tasks.values()
