"""Claims: what several tasks may name, but only one way: the limit of a resource, the task of a chat command."""

from __future__ import annotations

from collections.abc import Mapping

from aura_core.errors import Problem
from aura_core.execution.resources import split_resource
from aura_core.language.plan import PlanDefinition
from aura_core.language.plan_problem import plan_problem
from aura_core.language.problems import Finder


def check_resources(plans: Mapping[str, PlanDefinition]) -> dict[str, list[Problem]]:
    """Problems by plan: one resource must have one limit, wherever it is written.

    Args:
        plans: all plans by name.
    """
    limits: dict[str, tuple[int, str]] = {}
    found: dict[str, list[Problem]] = {}
    for plan in plans.values():
        for name, limit in plan.file.resources.items():
            other = limits.setdefault(name, (limit, f"plan {plan.name}"))
            if other[0] != limit:
                message = f"the resource {name!r} has the limit {limit} here, but {other[0]} in {other[1]}"
                problem = plan_problem(plan, ("resources", name), message, "give it one limit")
                found.setdefault(plan.name, []).append(problem)
    for plan in plans.values():
        for task in plan.tasks.values():
            for index, tag in enumerate(task.meta.resources):
                name, limit = split_resource(tag)
                other = (limit, "") if limit is None else limits.setdefault(name, (limit, f"task {task.ref}"))
                if other[0] != limit:
                    message = f"the resource {name!r} has the limit {limit} here, but {other[0]} in {other[1]}"
                    finder = Finder(task.source, task.source.load(), task.root, task.ref)
                    problem = finder.at(("meta", "resources", index), message, "give it one limit")
                    found.setdefault(plan.name, []).append(problem)
    return found


def check_commands(plans: Mapping[str, PlanDefinition]) -> dict[str, list[Problem]]:
    """Problems by plan: of its tasks, one may have a chat command.

    Args:
        plans: all plans by name.
    """
    found: dict[str, list[Problem]] = {}
    for plan in plans.values():
        owners: dict[str, str] = {}
        for task in plan.tasks.values():
            command = task.meta.command
            if command is None or owners.setdefault(command, task.ref) == task.ref:
                continue
            finder = Finder(task.source, task.source.load(), task.root, task.ref)
            message = f"the command {command!r} belongs to {owners[command]} already"
            problem = finder.at(("meta", "command"), message, "give this task another one, or none")
            found.setdefault(plan.name, []).append(problem)
    return found
