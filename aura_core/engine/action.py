"""The step kind `action`: wait, try, judge, try again, give up (seed 002: `_execute_single_action_step`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aura_core.engine.failure import failure_of, task_error
from aura_core.engine.recording import Recording
from aura_core.engine.signals import JumpSignal, StopTaskException
from aura_core.engine.time_limit import within
from aura_core.errors import CallStillRunsError, ExpressionError, StepFailedError, UnsuccessfulResultError
from aura_core.execution.calls import earlier_call_ended
from aura_core.execution.cancellation import being_ended
from aura_core.language.fields import seconds_of
from aura_core.plugins.registry import find_action

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.expressions import Template
    from aura_core.language.steps import ActionStep, Retry
    from aura_core.plugins.registry import ActionDefinition

LONGEST_PAUSE = 86_400.0
_MISSING = object()
_PLAIN = frozenset({str, int, float, bool, bytes, list, dict, tuple, type(None)})


async def execute(engine: Interpreter, step: ActionStep, context: Context) -> None:
    """Runs an action step: `wait_before`, attempts, `output_to`; after the last failed attempt, `give_up`.

    Raises:
        StepFailedError: it failed, and `continue_on_failure` is not set.
    """
    scope = context.variables
    if step.wait_before is not None and not await _waited(engine, step, step.wait_before, context):
        return
    action = engine.runtime.actions.get(step.action) or find_action(
        dict(engine.runtime.actions), step.action, engine.runtime.plan
    )
    recording = Recording(engine, step, action, context) if engine.recorded else None
    attempt = 1
    while True:
        try:
            if action.how == "io" or engine.gate is not None:
                await _let_in(engine, step, action)
            params = step.params.render(scope)
            call = recording.attempt(params) if recording else engine.call_action(action, params, context, engine)
            result = await (call if step.timeout is None else within(step.timeout, call, f"action {action.ref}"))
            if result is False or (type(result) not in _PLAIN and not getattr(result, "found", _MISSING)):
                raise _unsuccessful(result, action)  # noqa: TRY301 (one handler for every way to fail)
            break
        except (JumpSignal, StopTaskException):
            raise
        except Exception as error:  # noqa: BLE001 (whatever an action raises is a failed attempt)
            if not await _tries_again(engine, step, context, error, attempt):
                return
            attempt += 1
    if recording is not None:
        await recording.done(result)
    _succeed(step, action, context, result)


def _succeed(step: ActionStep, action: ActionDefinition, context: Context, result: Any) -> None:
    if action.spec.effects != "read":
        context.run.done.append(f"{step.label} ({action.ref})")
    context.last = result
    if step.output_to is not None:
        context.variables[step.output_to] = result


async def _let_in(engine: Interpreter, step: ActionStep, action: ActionDefinition) -> None:
    """Waits until an attempt may begin; only then its time does, too."""
    if action.how == "io":
        await earlier_call_ended(action.ref, step.timeout)
    if engine.gate is not None:
        await engine.gate.passed()


async def _tries_again(engine: Interpreter, step: ActionStep, context: Context, error: Exception, attempt: int) -> bool:
    """Waits for the next attempt after a failed one; False if there is none, and the step has failed.

    Raises:
        StepFailedError: as `execute`.
    """
    if being_ended():
        raise asyncio.CancelledError from error
    retry = step.retry
    if retry is None or attempt >= retry.attempts or not _worth_another(error, retry):
        await _give_up(engine, step, context, error, attempt)
        return False
    await asyncio.sleep(pause(retry, attempt))
    return True


def pause(retry: Retry, attempt: int) -> float:
    """Seconds between an attempt and the next one, a day at most."""
    try:
        return min(retry.delay * retry.backoff ** (attempt - 1), LONGEST_PAUSE)
    except OverflowError:
        return LONGEST_PAUSE if retry.delay else 0.0


async def _waited(engine: Interpreter, step: ActionStep, wait: Template, context: Context) -> bool:
    """Waits as `wait_before` says; False if it says nothing sensible, and the step has failed."""
    try:
        seconds = _wait_seconds(wait.render(context.variables))
    except Exception as error:  # noqa: BLE001 (whatever is wrong with it fails the step like anything else)
        await _give_up(engine, step, context, error, 1)
        return False
    await asyncio.sleep(seconds)
    return True


def _unsuccessful(result: Any, action: ActionDefinition) -> UnsuccessfulResultError:
    what = "False" if result is False else "a result whose `found` is false"
    return UnsuccessfulResultError(f"Action {action.ref} was not successful: it returned {what}.")


def _worth_another(error: Exception, retry: Retry) -> bool:
    if isinstance(error, CallStillRunsError):
        return False
    if not retry.on:
        return True
    names = {*(cls.__name__ for cls in type(error).__mro__), *getattr(error, "names", ())}
    return not names.isdisjoint(retry.on)


async def _give_up(engine: Interpreter, step: ActionStep, context: Context, error: Exception, attempts: int) -> None:
    context.last = False
    if step.output_to is not None:
        context.variables[step.output_to] = False
    runtime = engine.runtime
    watched = "on_step_failure" in runtime.hooks or runtime.debug_capture is not None
    if step.continue_on_failure and not watched:
        return
    failure = failure_of(engine.task, step, error, attempts)
    failure.__cause__ = error
    if watched:
        await _report(engine, failure, context)
    if not step.continue_on_failure:
        raise failure


async def _report(engine: Interpreter, failure: StepFailedError, context: Context) -> None:
    runtime = engine.runtime
    error = task_error(failure, engine.task.ref if engine.task is not None else "")
    await runtime.hooks.trigger("on_step_failure", error=error, context=context, plan=runtime.plan)
    if runtime.debug_capture is not None:
        await runtime.debug_capture.take(error, context)


def _wait_seconds(value: Any) -> float:
    try:
        return seconds_of(value)
    except ValueError as error:
        raise ExpressionError(f"`wait_before` is {value!r}, but {error}.") from error
