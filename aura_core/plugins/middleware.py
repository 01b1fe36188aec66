"""The chain around every action call: what a middleware is, and the built-in ones.

async def note_slow_calls(call: ActionCall, proceed: Proceed) -> Any:
    started = perf_counter()
    try:
        return await proceed(call)
    finally:
        print(call.action.ref, perf_counter() - started)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from pydantic import ValidationError

from aura_core.errors import ActionError, CoreError
from aura_core.execution.cancellation import being_ended
from aura_core.execution.system_exit import exit_text, is_from_outside
from aura_core.plugins.signature import explain

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.plugins.registry import ActionDefinition

_tracer = trace.get_tracer("aura.core")


@dataclass(slots=True)
class ActionCall:
    """One call of an action on its way through the chain.

    Attributes:
        action: what is called.
        params: what the step gave; after `validate`, keyword arguments of the right types.
        context: the context of the step.
        engine: the engine that runs the step; None for a condition check.
    """

    action: ActionDefinition
    params: Any
    context: Context
    engine: Any


Proceed = Callable[[ActionCall], Awaitable[Any]]
Middleware = Callable[[ActionCall, Proceed], Awaitable[Any]]


async def explain_errors(call: ActionCall, proceed: Proceed) -> Any:
    """Notes on an exception that was not made for people which action raised it, and where.

    Raises:
        ActionError: the action called `sys.exit`, or raised CancelledError, KeyboardInterrupt or the like by itself;
            that fails its step, no more.
    """
    task = None if call.action.how == "inline" else asyncio.current_task()
    requests = 0 if task is None else task.cancelling()
    try:
        result = await proceed(call)
    except CoreError:
        raise
    except asyncio.CancelledError as error:
        if being_ended() or (task is not None and task.cancelling() > requests):
            raise
        place = _place(error, str(call.action.modules.folder))
        text = (
            f"Action {call.action.ref} raised CancelledError{place}, though nobody ended it: what it waited for was "
            "cancelled; catch that in the action."
        )
        raise ActionError(text) from error
    except Exception as error:
        error.add_note(f"action {call.action.ref}{_place(error, str(call.action.modules.folder))}")
        raise
    except BaseException as error:
        if (call.action.how in ("async", "inline") or isinstance(error, GeneratorExit)) and is_from_outside(error):
            raise
        place = _place(error, str(call.action.modules.folder))
        text = f"Action {call.action.ref} {exit_text(error)}{place}; let it return, or raise ActionError."
        raise ActionError(text) from error
    if task is not None and task.cancelling() > requests and being_ended():  # it kept its cancellation to itself
        raise asyncio.CancelledError
    return result


async def open_span(call: ActionCall, proceed: Proceed) -> Any:
    """Wraps the call in an OpenTelemetry span, which also measures it; in the chain only while somebody listens."""
    attributes = {"aura.action": call.action.ref, "aura.plan": call.context.plan, "aura.run": call.context.run.corr_id}
    with _tracer.start_as_current_span(f"action {call.action.ref}", attributes=attributes):
        return await proceed(call)


async def validate(call: ActionCall, proceed: Proceed) -> Any:
    """Converts and checks the parameters.

    Raises:
        InputError: names the action, every wrong parameter, and what is allowed.
    """
    signature = call.action.signature
    try:
        call.params = signature.convert(call.params)
    except ValidationError as error:
        raise explain(error, call.action.ref, signature) from None
    return await proceed(call)


def somebody_traces() -> bool:
    """Whether a span would reach anybody."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)


def _place(error: BaseException, folder: str) -> str:
    place = ""
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.startswith(f"{folder}/"):
            place = f", {file[len(folder) + 1 :]}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
