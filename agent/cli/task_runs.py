"""Running one task for `aura run`: inputs from words, questions of the task to whoever can answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent.channels.terminal.chat import CHANNEL, terminal_person
from agent.cli.invocation import err
from agent.cli.questions import Answers
from agent.progress import QuestionAsked
from aura_core.errors import InputError
from aura_core.model.yaml_nodes import YamlError, build, compose
from aura_core.tasklet import RunInfo, Tasklet, TaskResult

if TYPE_CHECKING:
    from agent.app import App
    from agent.contracts import Question
    from aura_core.events import Subscription
    from aura_core.model.task import TaskDefinition


def inputs_from(definition: TaskDefinition, pairs: Sequence[str]) -> dict[str, Any]:
    """`key=value` words as inputs: text where the task wants text, else what a task file would make of it.

    Raises:
        InputError: a word without `=`, or a key twice.
    """
    properties: dict[str, Any] = definition.input_schema().get("properties", {})
    inputs: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            known = ", ".join(properties) or "none"
            raise InputError(f"{pair!r} is no input; write key=value. {definition.ref} takes: {known}.")
        if key in inputs:
            raise InputError(f"The input {key!r} is given twice; several values are one list: {key}='[a, b]'.")
        inputs[key] = value if properties.get(key, {}).get("type") == "string" else _value(value)
    return inputs


def _value(text: str) -> Any:
    try:
        return build(compose(text))
    except YamlError:
        return text


async def run_task(
    app: App, ref: str, inputs: dict[str, Any], session: str, given: Sequence[str]
) -> TaskResult | Question:
    """Runs a task in a session's folder.

    Args:
        app: the app.
        ref: the task.
        inputs: its inputs.
        session: whose files it works on.
        given: answers to its questions, in order.

    Returns:
        How it ended; a question if it asked something that nobody answers, and then the task is cancelled.
    """
    run_id = f"cli-{uuid.uuid4().hex[:12]}"
    folder = app.sessions.files(session)
    info = RunInfo(
        corr_id=run_id,
        session_id=session,
        person=terminal_person(),
        dest={"channel": CHANNEL},
        files_folder=folder,
        source="cli",
        idempotency_key=run_id,
    )
    with app.events.subscribe(QuestionAsked, lambda event: event.run_id == run_id) as asked:
        work = asyncio.create_task(app.framework.submit(Tasklet(task=ref, inputs=inputs, run=info)))
        helper = asyncio.create_task(_answer(app, asked, Answers(given, err())))
        try:
            await asyncio.wait({work, helper}, return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() else await helper
        finally:
            for task in (work, helper):
                task.cancel()
            await asyncio.gather(work, helper, return_exceptions=True)


async def _answer(app: App, asked: Subscription[QuestionAsked], answers: Answers) -> Question:
    """Answers the task's questions; closes and returns the first one that has no answer."""
    person = terminal_person()
    while True:
        question = (await asked.next()).question
        answer = await answers.to(question)
        if answer is None:
            await app.engine.cancel(question.id)
            return question
        await app.answer(question.id, answer, person=person)
