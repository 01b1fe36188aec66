"""Imports the Python files of a plan, `actions/*.py` and `services/*.py`, and finds what they offer."""

from __future__ import annotations

import importlib
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aura_core.api import MOMENTS, SPEC_ATTRIBUTE, ActionSpec, HookSpec, ServiceSpec
from aura_core.errors import Problem
from aura_core.nearest import hint
from aura_core.plan_modules import PlanModules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CODE_FOLDERS = ("services", "actions")


@dataclass(frozen=True, slots=True)
class PlanCode:
    """What a plan's Python files offer.

    Attributes:
        modules: the files as they were read.
        actions: functions with what `@action` wrote on them.
        services: classes with what `@service` wrote on them.
        hooks: functions with what `@hook` wrote on them.
        problems: files that cannot be imported.
    """

    modules: PlanModules
    actions: list[tuple[ActionSpec, Callable[..., Any]]] = field(default_factory=list[Any])
    services: list[tuple[ServiceSpec, type[Any]]] = field(default_factory=list[Any])
    hooks: list[tuple[HookSpec, Callable[..., Any]]] = field(default_factory=list[Any])
    problems: list[Problem] = field(default_factory=list[Problem])

    def unload(self) -> None:
        """Forgets the modules, so that nothing of the plan stays behind in this process."""
        self.modules.unload()

    @property
    def plan(self) -> str:
        """Name of the plan."""
        return self.modules.plan

    @property
    def folder(self) -> Path:
        """Absolute folder of the plan."""
        return self.modules.folder

    @property
    def package(self) -> str:
        """Name of the package of its modules."""
        return self.modules.package


def load_plan_code(plan: str, folder: Path, known: PlanCode | None = None) -> PlanCode:
    """Imports a plan's Python files.

    Every load has a package name of its own: an edited plan is imported anew, and what still runs keeps its modules.

    Args:
        plan: name of the plan.
        folder: its folder.
        known: what was loaded of it before; given back if the files are still the same and nothing was wrong.
    """
    modules = PlanModules.read(plan, folder)
    if known is not None and not known.problems and known.modules.sources == modules.sources:
        return known
    code = PlanCode(modules)
    importlib.invalidate_caches()
    modules.mount()
    for module_folder in CODE_FOLDERS:
        for path in sorted((code.folder / module_folder).glob("*.py")):
            if path.stem.isidentifier() and path.stem != "__init__":
                _import(code, module_folder, path)
    return code


def _import(code: PlanCode, module_folder: str, path: Path) -> None:
    try:
        module = importlib.import_module(f"{code.package}.{module_folder}.{path.stem}")
    except BaseException as error:  # noqa: BLE001 (whatever a plan's file raises is a problem of that plan, SystemExit too)
        code.problems.append(_problem(error, path, code))
        return
    for thing, spec in _marked(module):
        if isinstance(spec, ActionSpec):
            code.actions.append((spec, thing))
        elif isinstance(spec, ServiceSpec):
            code.services.append((spec, thing))
        elif isinstance(spec, HookSpec) and spec.moment not in MOMENTS:
            line = getattr(getattr(thing, "__code__", None), "co_firstlineno", 0)
            message = f"there is no moment {spec.moment!r} for a hook"
            code.problems.append(Problem(str(path), line, 1, message, hint(spec.moment, MOMENTS, what="moments are")))
        elif isinstance(spec, HookSpec):
            code.hooks.append((spec, thing))


def _marked(module: ModuleType) -> Iterator[tuple[Any, Any]]:
    seen: set[int] = set()
    for thing in list(vars(module).values()):
        spec = getattr(thing, SPEC_ATTRIBUTE, None) if callable(thing) else None
        if spec is not None and getattr(thing, "__module__", None) == module.__name__ and id(thing) not in seen:
            seen.add(id(thing))
            yield thing, spec


def _problem(error: BaseException, path: Path, code: PlanCode) -> Problem:
    message = f"this file cannot be imported: {type(error).__name__}: {error}".removesuffix(": ")
    hint = ""
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.startswith(f"{code.package}."):
        inside = error.name.removeprefix(f"{code.package}.").replace(".", "/")
        message = f"this file cannot be imported: the plan has no module {inside!r}"
    elif isinstance(error, ModuleNotFoundError) and error.name:
        hint = f"install the package that provides {error.name!r} into Aura's environment"
    if isinstance(error, SyntaxError) and error.filename:
        message = f"this is no valid Python: {error.msg}"
        return Problem(error.filename, error.lineno or 0, error.offset or 0, message, hint)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(code.folder):
            column = 0 if frame.colno is None else frame.colno + 1
            return Problem(frame.filename, frame.lineno or 0, column, message, hint)
    return Problem(str(path), 0, 0, message, hint)
