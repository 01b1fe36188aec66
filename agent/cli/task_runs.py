"""Running one task for `aura run`: inputs from words, questions of the task to whoever can answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent.channels.local.caller import Caller, command_dest
from agent.channels.local.messages import RunOrder, TaskEnded
from agent.channels.terminal.person import CHANNEL, terminal_person
from agent.cli.mistakes import refused
from agent.contracts import Question
from agent.errors import AnswerMisfitError
from agent.executor import whose_data
from agent.progress import QuestionAsked
from agent.questions.records import chosen
from aura_core.errors import InputError, NotFoundError
from aura_core.language.inputs import fitted
from aura_core.language.yaml_nodes import read_value
from aura_core.tasklet import RunInfo, TaskError, Tasklet, TaskResult

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


async def run_in(app: App, order: RunOrder, caller: Caller) -> TaskEnded:
    """Runs a task in a session's folder; see `carry_out`. First asks for inputs that are missing and can be asked for.

    Returns:
        How it ended; a question if it asked something that nobody answers, and then the task is cancelled.
    """
    person = terminal_person()
    profile = app.profile_of(person) if order.profile is None else app.config.profile(order.profile)
    try:
        definition = app.framework.plans.task(order.task)
        app.dispatcher.card(definition.ref, profile)
        inputs = inputs_from(definition, order.pairs)
    except (InputError, NotFoundError) as error:
        for line in refused(app.framework.problems, order.task.partition("/")[0]):
            await caller.say(line, "yellow")
        return TaskEnded(ended=TaskResult("error", error=TaskError(type(error).__name__, str(error), order.task)))
    run_id = f"cli-{uuid.uuid4().hex[:12]}"
    for question in _missing(definition, inputs, run_id, order.session):
        value = await _fitting_answer(definition, question, caller)
        if value is None:
            return TaskEnded(ended=question)
        inputs[question.step_id] = value
    info = RunInfo(
        corr_id=run_id,
        session_id=order.session,
        person=terminal_person(),
        whose=whose_data(terminal_person(), profile),
        timezone=profile.timezone,
        dest=command_dest(CHANNEL).root,
        files_folder=app.sessions.files(order.session),
        source="cli",
        idempotency_key=run_id,
        untrusted=app.framework.consequences(definition.ref).untrusted,
    )
    return TaskEnded(ended=await _run(app, Tasklet(task=definition.ref, inputs=inputs, run=info), caller))


async def _run(app: App, tasklet: Tasklet, caller: Caller) -> TaskResult | Question:
    with app.events.subscribe(QuestionAsked, lambda event: event.run_id == tasklet.run.corr_id) as asked:
        work = asyncio.create_task(app.framework.submit(tasklet))
        helper = asyncio.create_task(_answer(app, asked, caller))
        try:
            await asyncio.wait({work, helper}, return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() else await helper
        finally:
            for task in (work, helper):
                task.cancel()
            await asyncio.gather(work, helper, return_exceptions=True)


async def _fitting_answer(definition: TaskDefinition, question: Question, caller: Caller) -> Any:
    """The value of an input that is asked for; asks again as long as it does not fit. None if nobody answers."""
    while (answer := await caller.to(question)) is not None:
        try:
            name, text = question.step_id, chosen(question, answer)
            return fitted(definition.meta.inputs[name], inputs_from(definition, [f"{name}={text}"])[name])
        except InputError as error:
            await caller.say(str(error), "yellow")
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


async def _answer(app: App, asked: Subscription[QuestionAsked], caller: Caller) -> Question:
    """Answers the task's questions; closes and returns the first one that has no answer."""
    person = terminal_person()
    while True:
        question = (await asked.next()).question
        taken = False
        while not taken:
            answer = await caller.to(question)
            if answer is None:
                await app.engine.cancel(question.id)
                return question
            try:
                await app.answer(question.id, answer, person=person)
                taken = True
            except AnswerMisfitError as error:
                await caller.say(str(error), "yellow")
