"""ServiceRegistry: one instance of each service per plan, made on first use, closed in reverse at shutdown."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import structlog

from aura_core.asynccontext import plan_context
from aura_core.config import ConfigService, PlanSettings, using_config
from aura_core.errors import CoreError, NotFoundError, Problem
from aura_core.nearest import hint
from aura_core.registry import BASE_PLAN, problem_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aura_core.plan_code import PlanCode

LENT = frozenset({"llm", "chat", "schedule"})
"""Services that only whoever embeds the core can provide (aura_core/services.py); they may be absent."""
CLOSE_SECONDS = 10.0

_log = structlog.get_logger(__name__)
ServiceKey = tuple[str, str]
"""(plan, name); the plan is empty for services that the embedder provides."""


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A service class and what its `__init__` needs: parameter name -> service key, and whether it takes `config`."""

    plan: str
    name: str
    cls: type[Any]
    needs: Mapping[str, ServiceKey]
    wants_config: bool


class ServiceRegistry:
    """The services of all plans.

    Args:
        config: settings, for services that take `config`.
        provided: services of the embedder by name, visible in every plan; they are not closed here.
    """

    def __init__(self, config: ConfigService, provided: Mapping[str, object]) -> None:
        self._config = config
        self._definitions: dict[ServiceKey, ServiceDefinition] = {}
        self._instances: dict[ServiceKey, Any] = {("", name): thing for name, thing in provided.items()}
        self._made: list[ServiceKey] = []
        self._locks: dict[ServiceKey, asyncio.Lock] = {}

    def register(self, code: PlanCode) -> list[Problem]:
        """Takes in the services of a plan; returns what is wrong with them: unknown, doubled or cyclic needs."""
        problems: list[Problem] = []
        classes: dict[str, type[Any]] = {}
        for spec, cls in code.services:
            if spec.name in classes:
                problems.append(problem_at(cls, f"the plan has two services named {spec.name!r}; rename one"))
            classes.setdefault(spec.name, cls)
        for name, cls in classes.items():
            self._definitions[code.plan, name] = ServiceDefinition(code.plan, name, cls, {}, wants_config=False)
        for name, cls in classes.items():
            try:
                self._definitions[code.plan, name] = self._define(code.plan, name, cls, classes)
            except NotFoundError as error:
                problems.append(problem_at(cls, str(error)))
        return [*problems, *self._cycles(code.plan, classes)]

    def names(self, plan: str) -> set[str]:
        """Names that parameters in `plan` may ask for."""
        return {name for other, name in (*self._definitions, *self._instances) if other in (plan, BASE_PLAN, "")}

    def key(self, plan: str, name: str) -> ServiceKey:
        """Which service `name` means in `plan`: its own, aura_base's, the embedder's, or `plan/name`.

        Raises:
            NotFoundError: there is none; names the nearest one.
        """
        other, _, rest = name.partition("/")
        candidates = [(other, rest)] if rest else [(plan, name), (BASE_PLAN, name), ("", name)]
        for key in candidates:
            if key in self._definitions or key in self._instances:
                return key
        if name in LENT:
            return "", name
        near = hint(name, self.names(plan), what="known services")
        raise NotFoundError(f"there is no service {name!r} for plan {plan}" + (f": {near}" if near else ""))

    def made(self, key: ServiceKey) -> Any | None:
        """The instance if it exists already, else None."""
        return self._instances.get(key)

    async def get(self, key: ServiceKey) -> Any:
        """The instance, made now if need be, with the services it needs.

        Raises:
            NotFoundError: a lent service that nobody provides here.
            CoreError: the service cannot be made; says why.
        """
        instance = self._instances.get(key)
        if instance is not None:
            return instance
        definition = self._definitions.get(key)
        if definition is None:
            raise NotFoundError(
                f"The service {key[1]!r} is not available here: nobody provides it "
                "(llm needs a model, chat needs a person behind the run)."
            )
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._instances:
                self._instances[key] = await self._make(definition)
                self._made.append(key)
            return self._instances[key]

    async def close(self) -> None:
        """Closes the services that were made here, last made first; one that fails or hangs is logged."""
        while self._made:
            key = self._made.pop()
            close = getattr(self._instances.pop(key), "close", None)
            if close is None:
                continue
            try:
                with using_config(self._config):
                    async with asyncio.timeout(CLOSE_SECONDS), plan_context(key[0]):
                        await _settle(close())
            except Exception as error:  # noqa: BLE001 (the other services must be closed too)
                reason = str(error) or type(error).__name__
                _log.warning("service_close_failed", plan=key[0], service=key[1], reason=reason)

    async def _make(self, definition: ServiceDefinition) -> Any:
        arguments: dict[str, Any] = {name: await self.get(key) for name, key in definition.needs.items()}
        if definition.wants_config:
            arguments["config"] = PlanSettings(self._config, definition.plan)
        try:
            with using_config(self._config):
                async with plan_context(definition.plan):
                    instance = definition.cls(**arguments)
                    start = getattr(instance, "start", None)
                    if start is not None:
                        await _settle(start())
        except Exception as error:
            reason = str(error) if isinstance(error, CoreError) else f"{type(error).__name__}: {error}"
            raise CoreError(f"The service {definition.plan}/{definition.name} cannot be started: {reason}") from error
        return instance

    def _define(self, plan: str, name: str, cls: type[Any], classes: Mapping[str, type[Any]]) -> ServiceDefinition:
        if cls.__init__ is object.__init__:
            return ServiceDefinition(plan, name, cls, {}, wants_config=False)
        needs: dict[str, ServiceKey] = {}
        wants_config = False
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            if parameter.name == "config":
                wants_config = True
                continue
            wanted = _by_type(cls, parameter, classes) or parameter.name
            try:
                needs[parameter.name] = self.key(plan, wanted)
            except NotFoundError as error:
                if parameter.default is parameter.empty:
                    raise NotFoundError(f"service {name!r} needs {parameter.name!r}, but {error}") from error
        return ServiceDefinition(plan, name, cls, needs, wants_config)

    def _cycles(self, plan: str, classes: Mapping[str, type[Any]]) -> Iterator[Problem]:
        graph = {key: set(definition.needs.values()) for key, definition in self._definitions.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            cycle = [name for _, name in typing.cast("list[ServiceKey]", error.args[1])]
            cls = classes.get(cycle[0], next(iter(classes.values()), None))
            yield problem_at(cls, f"services of plan {plan} need each other in a circle: {' → '.join(cycle)}")


def _by_type(cls: type[Any], parameter: inspect.Parameter, classes: Mapping[str, type[Any]]) -> str | None:
    annotation = parameter.annotation
    wanted = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return next((name for name, other in classes.items() if other.__name__ == wanted and other is not cls), None)


async def _settle(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
