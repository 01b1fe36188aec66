"""Imports the Python files of a plan, `actions/*.py` and `services/*.py`, and finds what they offer."""

from __future__ import annotations

import importlib
import inspect
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from aura_core.api import MOMENTS, SPEC_ATTRIBUTE, ActionSpec, HookSpec, ServiceSpec
from aura_core.errors import Problem
from aura_core.execution.plan_modules import PlanModules
from aura_core.ground.reasons import reason_of
from aura_core.ground.suggestions import hint
from aura_core.plugins.load_timeout import TooLongError
from aura_core.plugins.registry import ActionDefinition, define, problem_at
from aura_core.plugins.service_needs import ServiceClass, read_service
from aura_core.plugins.signature import SignatureError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

CODE_FOLDERS = ("services", "actions")
ADVICE: dict[type[BaseException], str] = dict.fromkeys(
    (SystemExit, KeyboardInterrupt), "let the file define things, and do the rest inside an action"
)


@dataclass(frozen=True, slots=True)
class PlanCode:
    """What a plan's Python files offer, with everything read that a look at it can run of the plan's own code.

    Attributes:
        modules: the files as they were read.
        actions: functions with what `@action` wrote on them.
        definitions: the actions that can be called, by name.
        services: classes marked by `@service`.
        hooks: functions with what `@hook` wrote on them.
        problems: files that cannot be imported or looked at.
        mistakes: what is wrong with single actions, services and hooks.
    """

    modules: PlanModules
    actions: list[tuple[ActionSpec, Callable[..., Any]]] = field(default_factory=list[Any])
    definitions: dict[str, ActionDefinition] = field(default_factory=dict[str, ActionDefinition])
    services: list[ServiceClass] = field(default_factory=list[ServiceClass])
    hooks: list[tuple[HookSpec, Callable[..., Any]]] = field(default_factory=list[Any])
    problems: list[Problem] = field(default_factory=list[Problem])
    mistakes: list[Problem] = field(default_factory=list[Problem])

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
    Whatever the plan's code raises meanwhile, SystemExit and KeyboardInterrupt too, is a problem of the plan.

    Args:
        plan: name of the plan.
        folder: its folder.
        known: what was loaded of it before; given back if the files are still the same and nothing was wrong.

    Raises:
        TooLongError: told from outside to end (see `run_patiently`).
    """
    modules = PlanModules.read(plan, folder)
    if known is not None and not (known.problems or known.mistakes) and known.modules.sources == modules.sources:
        return known
    code = PlanCode(modules)
    importlib.invalidate_caches()
    modules.mount()
    try:
        for module_folder in CODE_FOLDERS:
            for path in sorted((code.folder / module_folder).glob("*.py")):
                if path.stem.isidentifier() and path.stem != "__init__":
                    _import(code, module_folder, path)
    except TooLongError:
        code.unload()
        raise
    return code


def _import(code: PlanCode, module_folder: str, path: Path) -> None:
    with _blaming(code, path, "this file cannot be imported"):
        module = importlib.import_module(f"{code.package}.{module_folder}.{path.stem}")
        seen: set[int] = set()
        for name, thing in list(vars(module).items()):
            if id(thing) not in seen:
                seen.add(id(thing))
                with _blaming(code, path, f"Aura cannot look at {name!r} in this file"):
                    _look(code, module, thing)


@contextmanager
def _blaming(code: PlanCode, path: Path, what: str) -> Generator[None]:
    """Whatever the plan's code raises in the block is a problem of the plan; nothing of it reaches the program."""
    try:
        yield
    except TooLongError:
        raise
    except BaseException as error:  # noqa: BLE001 (SystemExit and KeyboardInterrupt of a plan's file end nothing either)
        code.problems.append(_problem(error, path, code, what))


def _look(code: PlanCode, module: ModuleType, thing: Any) -> None:
    """Takes in a thing of a module if it is marked, and was made there."""
    spec: Any = getattr(thing, SPEC_ATTRIBUTE, None) if callable(thing) else None
    if spec is None or getattr(thing, "__module__", None) != module.__name__:
        return
    if isinstance(spec, ActionSpec):
        _take_action(code, spec, thing)
    elif isinstance(spec, ServiceSpec):
        code.services.append(read_service(_text(spec.name), cast("type[Any]", thing)))
    elif isinstance(spec, HookSpec):
        _take_hook(code, spec, thing)


def _take_action(code: PlanCode, spec: ActionSpec, function: Callable[..., Any]) -> None:
    name = _text(spec.name)
    code.actions.append((spec, function))
    try:
        if name in code.definitions:
            raise SignatureError(f"the plan has two actions named {name!r}; rename one")  # noqa: TRY301 (one handler)
        code.definitions[name] = define(code.modules, spec, function)
    except SignatureError as error:
        code.mistakes.append(problem_at(function, f"action {name!r}: {error}", code.folder))


def _take_hook(code: PlanCode, spec: HookSpec, function: Callable[..., Any]) -> None:
    if spec.moment not in MOMENTS:
        line = getattr(getattr(function, "__code__", None), "co_firstlineno", 0)
        message = f"there is no moment {spec.moment!r} for a hook"
        path = str(code.folder / Path(*function.__module__.split(".")[1:]).with_suffix(".py"))
        code.problems.append(Problem(path, line, 1, message, hint(spec.moment, MOMENTS, what="moments are")))
        return
    hash(function)
    inspect.signature(function)
    code.hooks.append((spec, function))


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"its name in the decorator is {name!r}, not a text")
    return name


def _problem(error: BaseException, path: Path, code: PlanCode, what: str) -> Problem:
    message = f"{what}: {reason_of(error)}"
    advice = ADVICE.get(type(error), "")
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.startswith(f"{code.package}."):
        inside = error.name.removeprefix(f"{code.package}.").replace(".", "/")
        message = f"this file cannot be imported: the plan has no module {inside!r}"
    elif isinstance(error, ModuleNotFoundError) and error.name:
        advice = f"install the package that provides {error.name!r} into Aura's environment"
    if isinstance(error, SyntaxError) and error.filename:
        message = f"this is not valid Python: {error.msg}"
        return Problem(error.filename, error.lineno or 0, error.offset or 0, message, advice)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(code.folder):
            column = 0 if frame.colno is None else frame.colno + 1
            return Problem(frame.filename, frame.lineno or 0, column, message, advice)
    return Problem(str(path), 0, 0, message, advice)
