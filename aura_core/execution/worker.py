"""What runs inside a process of the CPU pool: finds a plan's function by its path and calls it.

A worker has the plan's Python files from its parent, as they were read there, and asks for them once: so a run in
flight calls the function it began with, and the next run the edited one, whatever is on the disk meanwhile.
Everything crosses the border as bytes that are unpickled only after the plan's package is mounted, so that values
of a plan's own classes arrive; nothing unpicklable can break the pool.
"""

from __future__ import annotations

import importlib
import pickle
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aura_core.asynccontext import code_of
from aura_core.config import ConfigService
from aura_core.errors import ActionError
from aura_core.execution.plan_modules import PlanModules, mounted
from aura_core.execution.system_exit import exit_text
from aura_core.ground.reasons import reason_of


@dataclass(frozen=True, slots=True)
class WorkerCall:
    """One call for a worker.

    Attributes:
        module: full name of the module that defines the function.
        name: qualified name of the function inside the module.
        plan: name of the plan.
        data: pickled pair: keyword arguments, and the plan's settings for `config()`.
        modules: the plan's Python files; None if the worker should have them already.
    """

    module: str
    name: str
    plan: str
    data: bytes
    modules: PlanModules | None = None

    @property
    def package(self) -> str:
        """Package of the plan's modules."""
        return self.module.partition(".")[0]


class WorkerActionError(ActionError):
    """An exception of a cpu action that cannot travel between processes; its type's names are kept for `retry.on`.

    Attributes:
        names: class names of the original exception and its bases.
    """

    def __init__(self, message: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.names = names


def leave_interrupts_to_parent() -> None:
    """Ctrl-C reaches every process of a terminal; only the one that a person started may decide what it means."""
    signal.signal(signal.SIGINT, _ignore)


def _ignore(*_: object) -> None:
    """Handles a signal by going on; unlike SIG_IGN, a program that an action starts does not inherit it."""


def run_call(call: WorkerCall) -> bytes | None:
    """Runs a call in this process.

    Returns:
        A pickled pair: `(True, result)` or `(False, exception)`. None: the plan's files are not here; call again
        with them.
    """
    if call.package not in sys.modules:
        if call.modules is None:
            return None
        for old in mounted(call.plan)[:-1]:
            old.unload()
        call.modules.mount()
    try:
        function: Any = importlib.import_module(call.module)
        for part in call.name.split("."):
            function = getattr(function, part)
        arguments, settings = pickle.loads(call.data)  # noqa: S301 (written by our own parent process)
        service = ConfigService()
        service.set_plan(call.plan, settings)
        with code_of(call.plan, service):
            result = function(**arguments)
    except Exception as error:  # noqa: BLE001 (raised again on the other side)
        return _packed_error(error)
    except BaseException as error:  # noqa: BLE001 (no signal reaches this process: the action itself raised it)
        text = f"cpu action {call.name} {exit_text(error)}; let it return, or raise ActionError"
        return pickle.dumps((False, ActionError(text)))
    try:
        return pickle.dumps((True, result))
    except BaseException as error:  # noqa: BLE001 (pickle raises whatever a value's own code raises)
        text = f"the result of cpu action {call.name} cannot leave its process: {reason_of(error)}; return plain values"
        return pickle.dumps((False, ActionError(text)))


def pack(
    function: Callable[..., Any],
    plan: str,
    modules: PlanModules,
    arguments: dict[str, Any],
    settings: Mapping[str, Any],
) -> WorkerCall:
    """Writes down a call of a cpu action, with the settings that `config()` reads there as here (seed 003).

    Args:
        function: the action's function.
        plan: the name of its plan.
        modules: the plan's Python files.
        arguments: its parameters by name.
        settings: those of its plan.

    Raises:
        ActionError: an argument cannot travel to another process.
    """
    try:
        data = pickle.dumps((arguments, dict(settings)))
    except Exception as error:
        name = function.__qualname__
        raise ActionError(f"A parameter of cpu action {name} cannot travel to another process: {error}") from error
    return WorkerCall(function.__module__, function.__qualname__, plan, data, modules)


def _packed_error(error: Exception) -> bytes:
    try:
        data = pickle.dumps((False, error))
        pickle.loads(data)  # noqa: S301 (proves that the other side can read it)
    except BaseException:  # noqa: BLE001 (such an exception travels as text)
        names = tuple(cls.__name__ for cls in type(error).__mro__)
        return pickle.dumps((False, WorkerActionError(reason_of(error), names)))
    return data
