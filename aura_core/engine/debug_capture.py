"""DebugCapture: a plan's service `debug_capture` takes a picture of a step that has failed; it changes nothing else."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import nullcontext
from typing import TYPE_CHECKING

from aura_core.execution.cancellation import cancel_requests, kept_to_itself
from aura_core.execution.system_exit import is_from_outside
from aura_core.execution.thread_limit import ThreadLimit
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.plugins.injector import ActionInjector
    from aura_core.plugins.service_registry import ServiceKey, ServiceRegistry
    from aura_core.tasklet import TaskError

CAPTURE_SECONDS = 10.0
_log = get_logger(__name__)


class DebugCapture:
    """The service of one plan.

    Args:
        key: the service.
        services: makes it.
        injector: calls it.
    """

    def __init__(self, key: ServiceKey, services: ServiceRegistry, injector: ActionInjector) -> None:
        self._key = key
        self._services = services
        self._injector = injector
        self._threads = ThreadLimit()

    async def take(self, error: TaskError, context: Context) -> None:
        """Has the picture taken; what goes wrong with that is logged.

        Raises:
            asyncio.CancelledError: the task was asked to end meanwhile.
        """
        requests = cancel_requests()
        try:
            async with asyncio.timeout(CAPTURE_SECONDS):
                capture = (await self._services.get(self._key)).capture
                async with nullcontext() if inspect.iscoroutinefunction(capture) else self._threads.turn():
                    await self._injector.call_service(capture, error=error, context=context)
        except BaseException as reason:
            if is_from_outside(reason, requests):
                raise
            # a picture of a failure must not become a second failure
            _log.warning("debug_capture_failed", plan=context.plan, reason=reason_of(reason))
        if kept_to_itself(requests):
            raise asyncio.CancelledError
