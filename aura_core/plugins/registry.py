"""ActionRegistry: the actions of all plans by name, and which names a plan may use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aura_core.errors import NotFoundError, Problem
from aura_core.ground.suggestions import hint, sentence
from aura_core.plugins.load_timeout import TooLongError
from aura_core.plugins.signature import Signature, SignatureError, read_signature

if TYPE_CHECKING:
    from aura_core.api import ActionSpec
    from aura_core.execution.plan_modules import PlanModules

BASE_PLAN = "aura_base"
"""The plan whose actions and services every plan may use by their plain names."""

HowToCall = Literal["async", "io", "cpu", "inline"]


@dataclass(frozen=True, slots=True, eq=False)
class ActionDefinition:
    """An action, ready to be called.

    Attributes:
        plan: the plan that offers it.
        name: its name inside that plan.
        function: what is called.
        spec: what `@action` wrote on it.
        signature: its parameters.
        how: awaited, in the thread pool, in the process pool, or directly.
        modules: the plan's Python files, for the process pool.
    """

    plan: str
    name: str
    function: Callable[..., Any]
    spec: ActionSpec
    signature: Signature
    how: HowToCall
    modules: PlanModules

    @property
    def ref(self) -> str:
        """`plan/name`."""
        return f"{self.plan}/{self.name}"


class ActionRegistry:
    """The actions of all plans."""

    def __init__(self) -> None:
        self._by_plan: dict[str, Mapping[str, ActionDefinition]] = {}

    def register(self, plan: str, actions: Mapping[str, ActionDefinition]) -> None:
        """Takes in the actions of a plan, in place of those it had."""
        self._by_plan[plan] = actions

    def actions(self, plan: str) -> Mapping[str, ActionDefinition]:
        """The actions that `plan` itself offers, by their names inside it."""
        return self._by_plan.get(plan, {})

    def visible(self, plan: str, requires: Iterable[str]) -> dict[str, ActionDefinition]:
        """Every name that steps of `plan` may use, with its action.

        Its own actions come first, then those of aura_base, then `plan/name` and `plan.name` of required plans.

        Args:
            plan: whose steps.
            requires: names of the plans it requires.
        """
        names: dict[str, ActionDefinition] = {}
        for other in (*requires, BASE_PLAN, plan):
            for name, action in self.actions(other).items():
                names[f"{other}.{name}"] = names[f"{other}/{name}"] = action
        return {**names, **self.actions(BASE_PLAN), **self.actions(plan)}


def find_action(names: dict[str, ActionDefinition], name: str, plan: str) -> ActionDefinition:
    """The action that `name` means in `plan`.

    Raises:
        NotFoundError: there is none; names the nearest one.
    """
    action = names.get(name)
    if action is None:
        advice = hint(name, names, what="known actions")
        raise NotFoundError(sentence(f"There is no action {name!r} for plan {plan}", advice))
    return action


def define(modules: PlanModules, spec: ActionSpec, function: Callable[..., Any]) -> ActionDefinition:
    """Reads an action's signature and decides how it is called.

    Args:
        modules: the plan's Python files.
        spec: what `@action` wrote on the function.
        function: the action; looking at it runs the plan's code (annotations, schemas), which may raise anything.

    Raises:
        SignatureError: the signature cannot be used.
    """
    signature = read_signature(function, spec.services)
    how: HowToCall = "inline" if spec.inline else "cpu" if spec.cpu else "io"
    if inspect.iscoroutinefunction(function):
        if spec.cpu:
            raise SignatureError("a cpu action is a plain `def`; `async def` cannot run in another process")
        how = "async"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise SignatureError(
            "an action gives one result; it holds a `yield`: collect the values in a list and return it"
        )
    if how == "cpu" and (signature.injected or signature.services):
        wanted = [*signature.injected, *signature.services][0]
        raise SignatureError(f"a cpu action runs in another process, where there is no {wanted!r}; pass plain values")
    return ActionDefinition(modules.plan, spec.name, function, spec, signature, how, modules)


def problem_at(thing: Any, message: str, folder: Path) -> Problem:
    """A problem at the place in a plan's Python file where something is defined.

    Args:
        thing: a function or class; looking at it runs the plan's code.
        message: what is wrong.
        folder: the plan's, named if the place cannot be found.
    """
    try:
        file, line = Path(inspect.getsourcefile(inspect.unwrap(thing)) or ""), inspect.getsourcelines(thing)[1]
    except TooLongError:
        raise
    except BaseException:  # noqa: BLE001 (whatever a plan's own object raises must not hide the problem)
        return Problem(str(folder), 0, 0, message)
    return (
        Problem(str(file), line, 1 if line else 0, message) if file.is_file() else Problem(str(folder), 0, 0, message)
    )
