"""PlanDefinition: what a loaded plan is to the rest of the core; `load_plan` makes one from its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from aura_core.errors import DefinitionError, Problem
from aura_core.execution.plan_modules import PlanModules
from aura_core.ground.secrets import hold, names_secret, secrets_in
from aura_core.language.interrupts import InterruptMap, load_interrupts
from aura_core.language.loader import TaskLoader
from aura_core.language.meta import PlanFile
from aura_core.language.problems import Finder
from aura_core.language.pruning import salvage
from aura_core.language.source import Source
from aura_core.language.states import StateMap, load_states
from aura_core.language.task import TaskDefinition
from aura_core.plugins.plan_code import PlanCode, load_plan_code


@dataclass(frozen=True, eq=False)
class PlanDefinition:
    """One plan.

    Attributes:
        name: its folder's name.
        folder: absolute path of the folder.
        file: plan.yaml.
        code: its Python files, imported.
        tasks: by name inside the plan.
        config_defaults: config.yaml.
        states: states.yaml; None if the plan has none.
        interrupts: interrupts.yaml; None if the plan has none.
        incomplete: some of its tasks could not be read, so whoever refers to a missing one makes no mistake.
    """

    name: str
    folder: Path
    file: PlanFile
    code: PlanCode
    tasks: Mapping[str, TaskDefinition] = field(default_factory=dict[str, TaskDefinition])
    config_defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    states: StateMap | None = None
    interrupts: InterruptMap | None = None
    incomplete: bool = False

    @classmethod
    def unread(cls, folder: Path, problems: list[Problem]) -> PlanDefinition:
        """A plan of which nothing is known but that it is there, and why it could not be loaded."""
        code = PlanCode(PlanModules(folder.name, "", folder, {}), problems=problems)
        return cls(folder.name, folder, PlanFile(), code, incomplete=True)

    @property
    def requires(self) -> list[str]:
        """Names of the plans that it requires, as plan.yaml has them; aura_base is always there."""
        return self.file.requires

    @cached_property
    def actions(self) -> dict[str, Callable[..., Any]]:
        """Functions marked by `@action`, by the name they gave themselves."""
        return {spec.name: function for spec, function in self.code.actions}

    @cached_property
    def services(self) -> dict[str, type[Any]]:
        """Classes marked by `@service`, by name."""
        return {one.name: one.cls for one in self.code.services}

    @property
    def hooks(self) -> list[Callable[..., Any]]:
        """Functions marked by `@hook`, in the order of the files."""
        return [function for _, function in self.code.hooks]


def load_plan(folder: Path, known: PlanCode | None = None) -> tuple[PlanDefinition, list[Problem]]:
    """Loads what it can of a plan, and every problem that shows without looking at other plans.

    Args:
        folder: the plan's folder; its name is the plan's name.
        known: its Python files as they were loaded before; not imported again if they did not change.
    """
    problems: list[Problem] = []
    name = folder.name
    file = _plan_file(folder, name, problems)
    config = _config(folder / "config.yaml", problems)
    hold(secrets_in(config, lambda setting: setting in file.secrets or names_secret(setting)))
    code = load_plan_code(name, folder, known)
    loader = TaskLoader(name, folder)
    loader.load()
    states, state_problems = load_states(folder)
    interrupts, interrupt_problems = load_interrupts(folder)
    problems += [*code.problems, *loader.problems, *state_problems, *interrupt_problems]
    plan = PlanDefinition(name, folder, file, code, loader.tasks, config, states, interrupts, loader.incomplete)
    return plan, problems


def _plan_file(folder: Path, name: str, problems: list[Problem]) -> PlanFile:
    path = folder / "plan.yaml"
    if not path.is_file():
        problems.append(
            Problem(str(path), 0, 0, "the plan has no plan.yaml", f"write one, with at least `name: {name}`")
        )
        return PlanFile()
    try:
        source = Source.read(path)
        raw = source.load()
    except DefinitionError as error:
        problems.extend(error.problems)
        return PlanFile()
    salvaged, mistakes = salvage(PlanFile, {} if raw is None else raw, Finder(source, raw))
    problems.extend(mistakes)
    file = salvaged or PlanFile()
    if file.name not in (None, name):
        message = f"the plan's name {file.name!r} is not that of its folder {name!r}"
        problems.append(Finder(source, raw).at(("name",), message, "make them the same, or leave the name out"))
    return file


def _config(path: Path, problems: list[Problem]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        source = Source.read(path)
        raw = source.load()
    except DefinitionError as error:
        problems.extend(error.problems)
        return {}
    if raw is not None and not isinstance(raw, dict):
        problems.append(source.problem_at(1, 1, "config.yaml is a mapping", "write `key: value` lines"))
        return {}
    return raw or {}  # pyright: ignore[reportUnknownVariableType] (settings are JSON-like)
