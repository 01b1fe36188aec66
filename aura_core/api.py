"""What a plugin author imports; nothing else of aura_core is needed to write a plan.

    from aura_core.api import action, service, requires_services

    @service("notes")
    class Notes: ...

    @action("add", effects="write")
    @requires_services(notes="notes")
    async def add(text: str, notes: Notes, context: Context) -> dict[str, str]: ...

The decorators only attach a description to the function or class; the loader finds it when it imports
`actions/*.py` and `services/*.py` of a plan. Nothing is registered globally.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from aura_core.asynccontext import local_now, on_local_clock
from aura_core.config import config
from aura_core.context import Context
from aura_core.data.decoding import Decoded, decode_text
from aura_core.data.files import composed, resolve_inside
from aura_core.errors import ActionError, CoreError, ForbiddenPathError, IncompleteTextError, InputError
from aura_core.ground.json_text import parse_json
from aura_core.services import ChatService, LanguageModelService, ScheduledJob, ScheduleService
from aura_core.tasklet import Attachment, RunInfo

__all__ = [
    "ActionError",
    "ActionSpec",
    "Attachment",
    "ChatService",
    "Context",
    "CoreError",
    "Decoded",
    "Effects",
    "ForbiddenPathError",
    "HookSpec",
    "IncompleteTextError",
    "InputError",
    "LanguageModelService",
    "RunInfo",
    "ScheduleService",
    "ScheduledJob",
    "ServiceSpec",
    "action",
    "composed",
    "config",
    "decode_text",
    "hook",
    "local_now",
    "on_local_clock",
    "parse_json",
    "requires_services",
    "resolve_inside",
    "service",
]

Effects = Literal["read", "write", "external"]
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
ClassT = TypeVar("ClassT", bound=type[Any])
MOMENTS = frozenset(
    {"before_task_run", "after_task_success", "after_task_failure", "after_task_run", "on_step_failure"}
)
SPEC_ATTRIBUTE = "__aura_spec__"


@dataclass(slots=True)
class ActionSpec:
    """What `@action` wrote on a function.

    Attributes:
        name: name inside its plan; `plan/name` elsewhere.
        effects: read (may serve as a condition, may be prefetched), write, or external.
        cpu: runs in the process pool; the function must be importable and its values picklable.
        inline: a tiny pure function, called directly on the event loop.
        services: parameter name -> service name, from `@requires_services`.
    """

    name: str
    effects: Effects = "read"
    cpu: bool = False
    inline: bool = False
    services: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What `@service` wrote on a class: its name inside its plan."""

    name: str


@dataclass(frozen=True, slots=True)
class HookSpec:
    """What `@hook` wrote on a function: the moment at which it is called."""

    moment: str


def action(
    name: str, *, effects: Effects = "read", cpu: bool = False, inline: bool = False
) -> Callable[[FunctionT], FunctionT]:
    """Makes a function an action that steps can call.

    Parameters are read from the signature and validated by pydantic. `context`, `engine`, `config` and required
    services are injected by name. `async def` is awaited; `def` runs in the thread pool unless `cpu` or `inline`.

    Args:
        name: name inside the plan, e.g. "add" or "llm.write".
        effects: what it does to the world outside the task.
        cpu: run it in the process pool.
        inline: run it directly on the event loop; only for tiny pure functions.
    """

    def mark(function: FunctionT) -> FunctionT:
        services = dict(getattr(function, "__aura_services__", {}))
        setattr(function, SPEC_ATTRIBUTE, ActionSpec(name, effects, cpu, inline, services))
        return function

    return mark


def requires_services(**services: str) -> Callable[[FunctionT], FunctionT]:
    """Names the services that are injected: `parameter="service"`, another plan's as `parameter="plan/service"`.

    Works above and below `@action`.
    """

    def mark(function: FunctionT) -> FunctionT:
        spec = getattr(function, SPEC_ATTRIBUTE, None)
        if isinstance(spec, ActionSpec):
            spec.services.update(services)
        else:
            setattr(function, "__aura_services__", services)  # noqa: B010 (a plain assignment is a type error)
        return function

    return mark


def service(name: str) -> Callable[[ClassT], ClassT]:
    """Makes a class a service: one instance per plan, made on first use, closed at shutdown.

    Its `__init__` may name `config` and, with type or parameter names of other services of the plan, those
    services. If it has `async def start(self)` or `async def close(self)`, they are awaited.
    """

    def mark(cls: ClassT) -> ClassT:
        setattr(cls, SPEC_ATTRIBUTE, ServiceSpec(name))
        return cls

    return mark


def hook(moment: str) -> Callable[[FunctionT], FunctionT]:
    """Registers a function for a moment: before_task_run, after_task_success, after_task_failure, after_task_run,
    on_step_failure. A hook that raises is logged and changes nothing.
    """  # noqa: D205 (the list of moments belongs to the summary)

    def mark(function: FunctionT) -> FunctionT:
        setattr(function, SPEC_ATTRIBUTE, HookSpec(moment))
        return function

    return mark
