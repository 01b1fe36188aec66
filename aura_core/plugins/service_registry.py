"""ServiceRegistry: one instance of each service per plan, made on first use, closed in reverse at shutdown."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from aura_core.asynccontext import code_of
from aura_core.config import ConfigService, PlanSettings
from aura_core.errors import CoreError, NotFoundError, Problem
from aura_core.execution.cancellation import cancel_requests, kept_to_itself
from aura_core.execution.system_exit import is_from_outside
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of
from aura_core.ground.suggestions import hint
from aura_core.plugins.registry import BASE_PLAN, problem_at
from aura_core.plugins.service_needs import Need, ServiceClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aura_core.plugins.plan_code import PlanCode

LENT = frozenset({"llm", "chat", "schedule"})
"""Services that only whoever embeds the core can provide (aura_core/services.py); they may be absent."""
CLOSE_SECONDS = 10.0

_log = get_logger(__name__)
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


@dataclass(slots=True, eq=False)
class ServiceCell:
    """One service: its definition and, once it is made, its instance.

    Registries of several generations of plans share a cell while nothing changed that the service is made of.

    Attributes:
        definition: what it is.
        config: the settings that it was or will be made with.
        instance: None until somebody asks for it.
        making: held by whoever makes it.
    """

    definition: ServiceDefinition
    config: ConfigService
    instance: Any = None
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


class ServiceRegistry:
    """The services of all plans.

    Args:
        config: settings, for services that take `config`.
        provided: services of the embedder by name, visible in every plan; they are not closed here.
    """

    def __init__(self, config: ConfigService, provided: Mapping[str, object]) -> None:
        self._config = config
        self._definitions: dict[ServiceKey, ServiceDefinition] = {}
        self._cells: dict[ServiceKey, ServiceCell] = {}
        self._instances: dict[ServiceKey, Any] = {("", name): thing for name, thing in provided.items()}
        self._made: list[ServiceCell] = []
        self._requires: dict[str, frozenset[str]] = {}

    def register(self, code: PlanCode, requires: Collection[str]) -> list[Problem]:
        """Takes in the services of a plan; returns what is wrong with them: unknown, doubled or cyclic needs.

        Args:
            code: the plan's Python.
            requires: the plans that it requires, registered before; services of others are not in its reach.
        """
        self._requires[code.plan] = frozenset(requires)
        problems: list[Problem] = []
        classes: dict[str, ServiceClass] = {}
        for one in code.services:
            if one.name in classes:
                message = f"the plan has two services named {one.name!r}; rename one"
                problems.append(problem_at(one.cls, message, code.folder))
            classes.setdefault(one.name, one)
        for name, one in classes.items():
            self._definitions[code.plan, name] = ServiceDefinition(code.plan, name, one.cls, {}, wants_config=False)
        for name, one in classes.items():
            try:
                self._definitions[code.plan, name] = self._define(code.plan, one, classes)
            except NotFoundError as error:
                problems.append(problem_at(one.cls, str(error), code.folder))
        return [*problems, *self._cycles(code, classes)]

    @property
    def cells(self) -> Collection[ServiceCell]:
        """What was asked for here, or shared with an earlier registry."""
        return self._cells.values()

    def share(self, earlier: ServiceRegistry, unchanged: Collection[str]) -> None:
        """Takes over the services of an earlier registry that would be made the same way again.

        Args:
            earlier: where they may be running already.
            unchanged: plans with the same code and the same settings as there.
        """
        self._made = earlier._made
        same = {key: key[0] in unchanged for key in self._definitions}
        changed = True
        while changed:
            changed = False
            for key, definition in self._definitions.items():
                if same[key] and not self._is_same(definition, earlier._definitions.get(key), same):
                    same[key], changed = False, True
        for key, shared in same.items():
            if shared:
                self._cells[key] = earlier._cell(key)

    def names(self, plan: str) -> set[str]:
        """Names that parameters in `plan` may ask for."""
        return {name for other, name in (*self._definitions, *self._instances) if other in (plan, BASE_PLAN, "")}

    def key(self, plan: str, name: str) -> ServiceKey:
        """Which service `name` means in `plan`: its own, aura_base's, the embedder's, or `plan/name`.

        Raises:
            NotFoundError: there is none; names the nearest one.
        """
        other, _, rest = name.partition("/")
        if rest and other not in {plan, BASE_PLAN} and other not in self._requires.get(plan, ()):
            raise NotFoundError(
                f"service {name!r} is of plan {other!r}, which plan {plan} does not require; "
                f"write `requires: [{other}]` in its plan.yaml"
            )
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
        if key not in self._definitions:
            raise NotFoundError(
                f"The service {key[1]!r} is not available here: nobody provides it "
                "(llm needs a model, chat needs a person behind the run)."
            )
        cell = self._cell(key)
        async with cell.making:
            if cell.instance is None:
                cell.instance = await self._make(cell)
                self._made.append(cell)
            self._instances[key] = cell.instance
            return cell.instance

    async def close(self, keep: Collection[ServiceCell] = ()) -> None:
        """Closes the services that are made, last made first; one that fails or hangs is logged.

        Args:
            keep: those that somebody else still needs.
        """
        mine, kept = {id(cell) for cell in self._cells.values()}, {id(cell) for cell in keep}
        for cell in [cell for cell in reversed(self._made) if id(cell) in mine - kept]:
            self._made.remove(cell)
            plan, name = cell.definition.plan, cell.definition.name
            self._instances.pop((plan, name), None)
            instance, cell.instance = cell.instance, None
            requests = cancel_requests()
            try:
                with code_of(plan, cell.config):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await _call(instance, "close")
            except BaseException as error:
                if is_from_outside(error, requests):
                    raise
                _log.warning("service_close_failed", plan=plan, service=name, reason=reason_of(error))

    def _cell(self, key: ServiceKey) -> ServiceCell:
        cell = self._cells.get(key)
        return cell or self._cells.setdefault(key, ServiceCell(self._definitions[key], self._config))

    def _is_same(
        self, definition: ServiceDefinition, other: ServiceDefinition | None, same: Mapping[ServiceKey, bool]
    ) -> bool:
        """Whether a service would be made as it was, of the same class and of the same other services."""
        if other is None or other.cls is not definition.cls or other.needs != definition.needs:
            return False
        return all(same.get(key, True) for key in definition.needs.values())

    async def _make(self, cell: ServiceCell) -> Any:
        definition = cell.definition
        arguments: dict[str, Any] = {name: await self.get(key) for name, key in definition.needs.items()}
        if definition.wants_config:
            arguments["config"] = PlanSettings(cell.config, definition.plan)
        requests = cancel_requests()
        try:
            with code_of(definition.plan, cell.config):
                instance = definition.cls(**arguments)
                await _call(instance, "start")
                if kept_to_itself(requests):
                    raise asyncio.CancelledError  # noqa: TRY301 (as if it had let it out)
        except BaseException as error:
            if is_from_outside(error, requests):
                raise
            reason = str(error) if isinstance(error, CoreError) else reason_of(error)
            raise CoreError(f"The service {definition.plan}/{definition.name} cannot be started: {reason}") from error
        return instance

    def _define(self, plan: str, one: ServiceClass, classes: Mapping[str, ServiceClass]) -> ServiceDefinition:
        needs: dict[str, ServiceKey] = {}
        for need in one.needs:
            wanted = _by_type(one, need, classes) or need.name
            try:
                needs[need.name] = self.key(plan, wanted)
            except NotFoundError as error:
                if not need.optional:
                    raise NotFoundError(f"service {one.name!r} needs {need.name!r}, but {error}") from error
        return ServiceDefinition(plan, one.name, one.cls, needs, one.wants_config)

    def _cycles(self, code: PlanCode, classes: Mapping[str, ServiceClass]) -> Iterator[Problem]:
        graph = {key: set(definition.needs.values()) for key, definition in self._definitions.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            cycle = [name for _, name in typing.cast("list[ServiceKey]", error.args[1])]
            one = classes.get(cycle[0], next(iter(classes.values()), None))
            message = f"services of plan {code.plan} need each other in a circle: {' → '.join(cycle)}"
            yield problem_at(one and one.cls, message, code.folder)


def _by_type(one: ServiceClass, need: Need, classes: Mapping[str, ServiceClass]) -> str | None:
    return next((n for n, other in classes.items() if other.class_name == need.type_name and other is not one), None)


async def _call(instance: Any, name: str) -> None:
    """Calls a method of a service, if it has it; one of that name may be async or not."""
    method = getattr(instance, name, None)
    value = None if method is None else method()
    if inspect.isawaitable(value):
        await value
