"""Running one task for `aura run`: inputs from words, questions of the task to whoever can answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent.channels.terminal.person import CHANNEL, terminal_person
from agent.cli.invocation import remark
from agent.cli.questions import Answers
from agent.contracts import Profile, Question
from agent.errors import AnswerMisfitError
from agent.executor import whose_data
from agent.progress import QuestionAsked
from agent.questions.records import chosen
from aura_core.errors import InputError
from aura_core.language.inputs import fitted
from aura_core.language.yaml_nodes import read_value
from aura_core.tasklet import RunInfo, Tasklet, TaskResult

if TYPE_CHECKING:
    from agent.app import App
    from aura_core.ground.events import Subscription
    from aura_core.language.task import TaskDefinition


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
            raise InputError(f"{pair!r} is not an input; write key=value. {definition.ref} takes: {known}.")
        if key in inputs:
            raise InputError(f"The input {key!r} is given twice; several values are one list: {key}='[a, b]'.")
        inputs[key] = value if properties.get(key, {}).get("type") == "string" else read_value(value)
    return inputs


async def run_task(
    app: App,
    definition: TaskDefinition,
    inputs: dict[str, Any],
    *,
    profile: Profile,
    session: str,
    given: Sequence[str],
) -> TaskResult | Question:
    """Runs a task in a session's folder; first asks for inputs that are missing and have a question for that.

    Args:
        app: the app.
        definition: the task.
        inputs: its inputs; those that are asked for are added.
        profile: who runs it; it may use the task.
        session: whose files it works on.
        given: answers to its questions, in order.

    Returns:
        How it ended; a question if it asked something that nobody answers, and then the task is cancelled.
    """
    run_id = f"cli-{uuid.uuid4().hex[:12]}"
    answers = Answers(given)
    for question in _missing(definition, inputs, run_id, session):
        value = await _fitting_answer(definition, question, answers)
        if value is None:
            return question
        inputs[question.step_id] = value
    folder = app.sessions.files(session)
    info = RunInfo(
        corr_id=run_id,
        session_id=session,
        person=terminal_person(),
        whose=whose_data(terminal_person(), profile),
        timezone=profile.timezone,
        dest={"channel": CHANNEL},
        files_folder=folder,
        source="cli",
        idempotency_key=run_id,
        untrusted=app.framework.consequences(definition.ref).untrusted,
    )
    with app.events.subscribe(QuestionAsked, lambda event: event.run_id == run_id) as asked:
        work = asyncio.create_task(app.framework.submit(Tasklet(task=definition.ref, inputs=inputs, run=info)))
        helper = asyncio.create_task(_answer(app, asked, answers))
        try:
            await asyncio.wait({work, helper}, return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() else await helper
        finally:
            for task in (work, helper):
                task.cancel()
            await asyncio.gather(work, helper, return_exceptions=True)


async def _fitting_answer(definition: TaskDefinition, question: Question, answers: Answers) -> Any:
    """The value of an input that is asked for; asks again as long as it does not fit. None if nobody answers."""
    while (answer := await answers.to(question)) is not None:
        try:
            name, text = question.step_id, chosen(question, answer)
            return fitted(definition.meta.inputs[name], inputs_from(definition, [f"{name}={text}"])[name])
        except InputError as error:
            remark(str(error), style="yellow")
    return None


def _missing(definition: TaskDefinition, inputs: dict[str, Any], run_id: str, session: str) -> list[Question]:
    """A question for every required input that is missing and says how to ask for it; `step_id` is its name."""
    schema = definition.input_schema()
    properties: dict[str, Any] = schema.get("properties", {})
    names = [name for name in schema.get("required", []) if name not in inputs and "ask" in properties.get(name, {})]
    return [
        Question(
            id=f"{run_id}/{name}",
            run_id=run_id,
            step_id=name,
            session_id=session,
            text=properties[name]["ask"],
            options=[str(choice) for choice in properties[name].get("enum", [])],
        )
        for name in names
    ]


async def _answer(app: App, asked: Subscription[QuestionAsked], answers: Answers) -> Question:
    """Answers the task's questions; closes and returns the first one that has no answer."""
    person = terminal_person()
    while True:
        question = (await asked.next()).question
        taken = False
        while not taken:
            answer = await answers.to(question)
            if answer is None:
                await app.engine.cancel(question.id)
                return question
            try:
                await app.answer(question.id, answer, person=person)
                taken = True
            except AnswerMisfitError as error:
                remark(str(error), style="yellow")
