"""ActionInjector: calls actions: parameters validated, services and the rest injected by name, in the right place."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from aura_core.asynccontext import current_scope
from aura_core.config import ConfigService, PlanSettings
from aura_core.execution.calls import earlier_call_ended
from aura_core.execution.worker import pack
from aura_core.plugins.middleware import (
    ActionCall,
    Middleware,
    Proceed,
    explain_errors,
    open_span,
    somebody_traces,
    validate,
)

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.execution.pools import Pools
    from aura_core.plugins.registry import ActionDefinition
    from aura_core.plugins.service_registry import ServiceKey, ServiceRegistry

Fill = Callable[[ActionCall], Awaitable[None]]


class ActionInjector:
    """Calls actions through a middleware chain that is put together once per action.

    The chain, from the outside in: error context, span (only while somebody listens), validation, what was given to
    `use`, the call itself.

    Args:
        services: makes the services that actions ask for.
        pools: where plain functions run.
        config: settings, injected as `config`.
        middleware: further links of the chain, outermost first.

    Attributes:
        traced: whether spans reach anybody; as `listen` found it.
    """

    def __init__(
        self, services: ServiceRegistry, pools: Pools, config: ConfigService, middleware: Sequence[Middleware] = ()
    ) -> None:
        self._services = services
        self._pools = pools
        self._config = config
        self._middleware = tuple(middleware)
        self._chains: dict[ActionDefinition, Proceed] = {}
        self.traced = False

    def listen(self) -> None:
        """Looks whether anybody traces; called when the framework starts, so that steps need not look."""
        self.traced = somebody_traces()
        self._chains = {}

    async def call(self, action: ActionDefinition, params: Any, context: Context, engine: Any = None) -> Any:
        """Calls an action, with its own plan current, so that `config()` in it reads its own settings.

        Args:
            action: what to call.
            params: what the step gave, by name; belongs to the call from now on.
            context: injected as `context`.
            engine: injected as `engine`.

        Raises:
            InputError: a parameter is wrong.
            Exception: whatever the action raises.
        """
        chain = self._chains.get(action)
        if chain is None:
            chain = self._chains[action] = self._compose(action)
        if context.plan == action.plan:
            return await chain(ActionCall(action, params, context, engine))
        token = current_scope.set(current_scope.get().in_plan(action.plan))
        try:
            return await chain(ActionCall(action, params, context, engine))
        finally:
            current_scope.reset(token)

    async def call_service(self, method: Callable[..., Any], **values: Any) -> Any:
        """Calls a method of a service with those of `values` that it names: awaited, or in the thread pool."""
        parameters = inspect.signature(method).parameters
        wanted = {name: value for name, value in values.items() if name in parameters}
        if inspect.iscoroutinefunction(method):
            return await method(**wanted)
        return await self._pools.run_io(partial(method, **wanted))

    def _compose(self, action: ActionDefinition) -> Proceed:
        chain = self._caller(action)
        spans = (open_span,) if self.traced else ()
        for link in reversed((explain_errors, *spans, validate, *self._middleware)):
            chain = partial(link, proceed=chain)
        return chain

    def _caller(self, action: ActionDefinition) -> Proceed:
        function, fill = action.function, self._filler(action)
        pools = self._pools

        async def call_async(call: ActionCall) -> Any:
            if fill is not None:
                await fill(call)
            return await function(**call.params)

        async def call_inline(call: ActionCall) -> Any:
            if fill is not None:
                await fill(call)
            return function(**call.params)

        async def call_in_thread(call: ActionCall) -> Any:
            await earlier_call_ended(action.ref)
            if fill is not None:
                await fill(call)
            return await pools.run_io(partial(function, **call.params), action.ref)

        async def call_in_process(call: ActionCall) -> Any:
            settings = self._config.settings(action.plan)
            return await pools.run_cpu(pack(action.function, action.plan, action.modules, call.params, settings))

        return {"async": call_async, "inline": call_inline, "io": call_in_thread, "cpu": call_in_process}[action.how]

    def _filler(self, action: ActionDefinition) -> Fill | None:
        """What adds the injected values to the parameters; None if the action asks for none."""
        signature = action.signature
        if not signature.injected and not signature.services:
            return None
        services = self._services
        keys: list[tuple[str, ServiceKey]] = [
            (parameter, services.key(action.plan, name)) for parameter, name in signature.services.items()
        ]
        wants_context = "context" in signature.injected
        wants_engine = "engine" in signature.injected
        settings = PlanSettings(self._config, action.plan) if "config" in signature.injected else None

        async def fill(call: ActionCall) -> None:
            params = call.params
            if wants_context:
                params["context"] = call.context
            if wants_engine:
                params["engine"] = call.engine
            if settings is not None:
                params["config"] = settings
            for parameter, key in keys:
                params[parameter] = services.made(key) or await services.get(key)

        return fill
