"""PlanManager: finds, loads and checks all plans, and answers for plans and tasks by name (seeds 000, 003)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from aura_core.errors import NotFoundError, Problem
from aura_core.model.plan import PlanDefinition, load_plan
from aura_core.model.references import References, check_resources, order_plans, plan_problem
from aura_core.model.task import TaskDefinition
from aura_core.nearest import hint, sentence
from aura_core.registry import BASE_PLAN

_PARTS = ("plan.yaml", "tasks", "actions", "services", "config.yaml", "states.yaml", "interrupts.yaml")


class PlanManager:
    """The plans of some folders.

    Args:
        folders: folders of plans, or plans themselves; of two plans of one name, the first one counts.
        services: names of services that whoever embeds the core provides, beside `llm` and `chat`.
    """

    def __init__(self, folders: Sequence[Path], *, services: Collection[str] = ()) -> None:
        self._folders = list(folders)
        self._services = services
        self._plans: Mapping[str, PlanDefinition] = MappingProxyType({})

    @property
    def plans(self) -> Mapping[str, PlanDefinition]:
        """The plans without a problem, each after those that it requires. Never changes: a load makes a new one."""
        return self._plans

    def load(self) -> list[Problem]:
        """Loads every plan that it can.

        Returns:
            All problems of the others; a plan with problems is not offered, nor is one that requires it.
        """
        found, loaded = self._load_each()
        order, problems = order_plans(loaded)
        for problem in problems:
            found.setdefault(Path(problem.path).parent.name, []).append(problem)
        checks = (References(loaded, self._services).check(order), check_resources(loaded))
        for name, its in (item for check in checks for item in check.items()):
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
        self._plans = MappingProxyType(good)
        return [problem for its in found.values() for problem in sorted(its, key=_order)]

    def task(self, ref: str, *, plan: str | None = None) -> TaskDefinition:
        """The task that a reference means.

        Args:
            ref: `plan/task`, `plan/folder/task`; inside a plan the plan's name may be left out.
            plan: name of the plan in which the reference stands; None outside any plan.

        Raises:
            NotFoundError: there is none; names the nearest one.
        """
        inside = self._plans.get(plan) if plan is not None else None
        if inside is not None and ref in inside.tasks:
            return inside.tasks[ref]
        name, _, rest = ref.partition("/")
        owner = self._plans.get(name)
        if owner is not None and rest in owner.tasks:
            return owner.tasks[rest]
        known = [task.ref for task in self._all()] + (list(inside.tasks) if inside is not None else [])
        advice = hint(ref, known, what="there are")
        raise NotFoundError(sentence(f"There is no task {ref!r}", advice, "no plan is loaded"))

    def tasks(self) -> list[TaskDefinition]:
        """All tasks of all plans, sorted by reference."""
        return sorted(self._all(), key=lambda task: task.ref)

    def _all(self) -> Iterator[TaskDefinition]:
        for plan in self._plans.values():
            yield from plan.tasks.values()

    def _load_each(self) -> tuple[dict[str, list[Problem]], dict[str, PlanDefinition]]:
        found: dict[str, list[Problem]] = {}
        loaded: dict[str, PlanDefinition] = {}
        for folder in self._folders:
            if not folder.is_dir():
                problem = Problem(
                    str(folder), 0, 0, "there is no such folder of plans", "correct the path, or create it"
                )
                found.setdefault("", []).append(problem)
                continue
            for path in _plan_folders(folder.resolve()):
                if path.name not in loaded:
                    loaded[path.name], problems = load_plan(path)
                    found.setdefault(path.name, []).extend(problems)
                elif loaded[path.name].folder != path:
                    message = f"a plan named {path.name!r} is there already, in {loaded[path.name].folder}"
                    problem = Problem(str(path), 0, 0, message, "rename one of them; the first one is used")
                    found.setdefault("", []).append(problem)
        return found, loaded


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.path, problem.line, problem.column


def _plan_folders(folder: Path) -> Iterator[Path]:
    """The plans in a folder; the folder itself if it is one."""
    if (folder / "plan.yaml").is_file():
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith((".", "_")) and any((path / part).exists() for part in _PARTS):
            yield path


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
