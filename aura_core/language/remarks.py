"""What is no mistake of a plan but may be one of its author: types that nothing gives, examples that nobody sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from aura_core.errors import Problem
from aura_core.ground.suggestions import hint
from aura_core.language.plan import PlanDefinition
from aura_core.language.plan_example_checks import foreign_step_mistakes
from aura_core.language.plan_problem import plan_problem
from aura_core.language.problems import Finder


def find_remarks(plans: Mapping[str, PlanDefinition]) -> Iterator[Problem]:
    """What an author should look at in plans that are free of mistakes.

    Args:
        plans: all that are loaded, by name.
    """
    yield from _types_that_nothing_gives(plans)
    for plan in plans.values():
        for mistake in foreign_step_mistakes(plan, plans):
            message = f"the example is not shown to the model: {mistake.message}"
            told = plan_problem(plan, mistake.place, message, mistake.advice, key=mistake.key, offset=mistake.offset)
            yield replace(told, severity="warning")


def _types_that_nothing_gives(plans: Mapping[str, PlanDefinition]) -> Iterator[Problem]:
    tasks = [task for plan in plans.values() for task in plan.tasks.values()]
    given = {wanted for task in tasks for wanted in task.meta.gives.values()}
    for task in tasks:
        for name, spec in task.meta.inputs.items():
            if spec.needs is not None and spec.needs not in given:
                finder = Finder(task.source, task.source.load(), task.root, task.ref)
                advice = hint(spec.needs, given, what="tasks give") or "say `gives:` in the task that finds it"
                told = finder.at(("meta", "inputs", name, "needs"), f"no task gives {spec.needs!r}", advice)
                yield replace(told, severity="warning")
