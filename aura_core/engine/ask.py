"""The step kind `ask`: asks the person behind the run, and holds no slot while it waits."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from aura_core.engine.recording import RecordedQuestion
from aura_core.errors import ActionError, InputError
from aura_core.execution.cancellation import being_ended, cancel_requests, kept_to_itself
from aura_core.execution.task_scope import task_scope

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import AskStep
    from aura_core.tasklet import RunInfo


async def execute(engine: Interpreter, step: AskStep, context: Context) -> None:
    """Asks through the `chat` service and keeps the answer.

    Raises:
        NotFoundError: nobody provides `chat`, so there is no person to ask.
        InputError: `options` is not a list.
        ActionError: the question was given up, and nobody ended the task.
    """
    text = str(step.ask.render(context.variables))
    options = [] if step.options is None else _texts(step.options.render(context.variables))
    services = engine.runtime.services
    chat = await services.get(services.key(engine.runtime.plan, "chat"))
    question = RecordedQuestion(engine, step) if engine.recorded else None
    if question is not None and question.known:
        answer = question.answer
    else:
        slots = task_scope().slots
        async with nullcontext() if slots is None else slots.waiting_for_person():
            run = context.run if question is None else await question.before(context.run)
            answer = await _answer(chat, run, text, options, strict=step.strict and bool(options))
            if question is not None:
                await question.done(answer)
    context.last = answer
    if step.output_to is not None:
        context.variables[step.output_to] = answer


async def _answer(chat: Any, run: RunInfo, text: str, options: list[str], *, strict: bool) -> Any:
    requests = cancel_requests()
    try:
        answer = await (chat.ask(run, text, options, strict=True) if strict else chat.ask(run, text, options))
    except asyncio.CancelledError as error:
        if cancel_requests() > requests or being_ended():
            raise
        raise ActionError(f"The question {text!r} was given up before it had an answer.") from error
    if kept_to_itself(requests):
        raise asyncio.CancelledError
    return answer


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise InputError(f"`options` of ask must be a list of texts, not {value!r}.")
    return [str(option) for option in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] (values of YAML)
